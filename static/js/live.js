// Every room's log, kept up with the server's. Entries come out as `chat:entry`, once, in order.

import { announce, hear } from "chat/announce"
import { me } from "chat/models/people"
import { RoomLog } from "chat/models/room-log"
import { connect, isConnected, request } from "chat/socket"

const PATIENCE = 2_000 // milliseconds that an entry known to be stored may take to arrive

const SILENCE = 30_000 // milliseconds without an entry after which one might have been lost

const logs = new Map()
let isCatchingUp = false
let heardAt = 0

/** Follow a room's log from `seq` on. */
export function follow(room, seq) {
  if (!logs.has(room)) logs.set(room, new RoomLog(seq))
}

/** Go on after `seq`: a page that was just fetched has all up to there. */
export function restart(room, seq) {
  if (!logs.has(room)) return follow(room, seq)
  deliver(logs.get(room).restart(seq))
}

/** The last number of a room that was delivered; 0 for a room that is not followed. */
export function position(room) {
  return logs.get(room)?.seq ?? 0
}

/** Ask for what is missing, should entry `seq` not arrive by itself. */
export function expect(room, seq) {
  setTimeout(() => position(room) < seq && logs.has(room) && catchUp(), PATIENCE)
}

export function start() {
  hear("room_event", (entry) => {
    heardAt = Date.now()
    const log = logs.get(entry.room_id)
    if (!log) return announce("room_unknown", { room: entry.room_id })
    deliver(log.take(entry))
    if (log.isMissing) catchUp()
  })
  hear("resumed", (reply) => {
    if (settle(reply.rooms)) catchUp()
    announce("caught_up")
  })
  hear("resync", catchUp)
  setInterval(catchUpAfterSilence, SILENCE)
  connect(positions)
}

/** Nothing comes after the last entry of all to show that it was lost. */
function catchUpAfterSilence() {
  if (Date.now() - heardAt >= SILENCE && document.visibilityState === "visible") catchUp()
}

function positions() {
  return Object.fromEntries([...logs].map(([room, log]) => [room, log.seq]))
}

/** Ask for everything after what is known, until there is no more. One question at a time. */
async function catchUp() {
  if (isCatchingUp || !isConnected()) return
  isCatchingUp = true
  try {
    while (settle((await request("resume", { rooms: positions() })).rooms));
  } catch {
    // The next entry, or the next connection, asks again.
  } finally {
    isCatchingUp = false
  }
}

/** Apply an answer to `resume`; true if there is more to ask for. */
function settle(rooms) {
  let hasMore = false
  for (const [room, answer] of Object.entries(rooms)) {
    const log = logs.get(room)
    if (answer.gone) {
      forget(room)
    } else if (!log) {
      announce("room_unknown", { room })
    } else if (answer.recovered) {
      for (const entry of answer.entries) deliver(log.take(entry))
      hasMore ||= answer.more
    } else {
      deliver(log.restart(answer.last_seq))
      announce("room_stale", { room })
    }
  }
  return hasMore
}

function deliver(entries) {
  for (const entry of entries) {
    announce("entry", entry)
    const removed = entry.kind === "member" ? entry.removed : []
    const isClosed = entry.kind === "room" && entry.deleted
    if (isClosed || removed.some((person) => person.id === me)) forget(entry.room_id)
  }
}

function forget(room) {
  logs.delete(room)
  announce("room_gone", { room })
}
