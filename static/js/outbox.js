// Messages on their way. Each keeps its client_id until it is stored, so no retry says it twice.

import { announce, hear } from "chat/announce"
import { expect } from "chat/live"
import { keep, recall } from "chat/models/kept"
import { me } from "chat/models/people"
import { isConnected, request } from "chat/socket"
import { say } from "chat/texts"

const items = new Map((recall("outbox") ?? []).map((item) => [item.client_id, item]))

/** Send `content` to a room: `chat:pending` shows it at once, `chat:sent` or `chat:failed` follow. */
export function post(room, content) {
  const item = { client_id: newId(), room, content, at: new Date().toISOString() }
  items.set(item.client_id, item)
  save()
  announce("pending", item)
  transmit(item)
}

export function retry(clientId) {
  const item = items.get(clientId)
  if (item) transmit(item)
}

export function discard(clientId) {
  if (items.delete(clientId)) save()
}

/** What of a room is on its way, the oldest first. */
export function unsent(room) {
  return [...items.values()].filter((item) => item.room === room)
}

export function start() {
  // Having caught up, what had arrived before the connection broke is known to be there.
  hear("caught_up", () => [...items.values()].filter((item) => !item.failed).forEach(transmit))
  hear("entry", (entry) => entry.client_id && entry.actor.id === me && discard(entry.client_id))
}

async function transmit(item) {
  delete item.failed
  announce("sending", item)
  if (!isConnected()) return
  try {
    const { client_id, room, content } = item
    const stored = await request("chat_message", { room, message: content, client_id })
    discard(client_id)
    expect(room, stored.seq)
  } catch (error) {
    if (!items.has(item.client_id) || !isConnected()) return // it has arrived, or is sent again later
    item.failed = say("not_sent", { reason: error.message || say("no_answer") })
    save()
    announce("failed", item)
  }
}

function save() {
  keep("outbox", items.size ? [...items.values()] : null)
}

function newId() {
  // Not randomUUID: browsers have it on https and localhost only.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
