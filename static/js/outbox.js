// Messages on their way. Each keeps its client_id until it is stored, so no retry says it twice.

import { announce, hear } from "#dom"
import { prepare } from "#formatting"
import { keep, recall } from "#kept"
import { expect } from "#live"
import { me } from "#people"
import { isConnected, request } from "#socket"
import { say } from "#texts"

const items = new Map((recall("outbox") ?? []).map((item) => [item.client_id, item]))

export function post(room, content, reply_to) {
	// Not randomUUID: browsers have it on https and localhost only.
	const client_id = crypto.getRandomValues(new Uint32Array(4)).join("-")
	const item = { client_id, room, content, reply_to, sender_id: me, timestamp: new Date().toISOString() }
	items.set(client_id, item)
	save()
	transmit(item)
	prepare().then(() => announce("pending", item))
}

export const retry = (clientId) => transmit(items.get(clientId))

export function discard(clientId) {
	if (items.delete(clientId)) save()
}

export const unsent = (room) => [...items.values()].filter((item) => item.room === room)

hear({
	// Before what is written from now on: one's own messages stay in order.
	connected: () => [...items.values()].filter((item) => !item.failed).forEach(transmit),
	entry: (entry) => entry.client_id && entry.actor.id === me && discard(entry.client_id),
})

async function transmit(item) {
	const { client_id, room, content, reply_to } = item
	delete item.failed
	announce("progress", item)
	if (!isConnected()) return
	try {
		const { seq } = await request("chat_message", { room, message: content, client_id, reply_to })
		discard(client_id)
		expect(room, seq)
	} catch (error) {
		if (!items.has(client_id) || !isConnected()) return // it has arrived, or is sent again later
		item.failed = say("not_sent", { reason: error.message })
		save()
		announce("progress", item)
	}
}

const save = () => keep("outbox", items.size && [...items.values()])
