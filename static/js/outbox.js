// What this browser keeps of a person: drafts, and messages on their way. Never a token.

import { prepare } from "#formatting"
import { expect } from "#live"
import { hear, say, tell, tolerantly } from "#page"
import { me } from "#people"
import { isConnected, request } from "#server"

const key = (name) => `chat:${me}:${name}`
let isForgotten = false

export const recall = (name) => tolerantly(() => JSON.parse(localStorage.getItem(key(name))))

export function keep(name, value) {
	if (isForgotten) return
	tolerantly(() => (value ? (localStorage[key(name)] = JSON.stringify(value)) : delete localStorage[key(name)]))
}

/** Whoever uses this browser next is not to find any of it. */
export function forgetEverything() {
	isForgotten = true
	tolerantly(() => localStorage.clear())
}

// Each keeps its client_id, so that no retry says it twice.
const items = new Map((recall("outbox") ?? []).map((item) => [item.client_id, item]))

export function post(room, content, reply_to) {
	// Not randomUUID: browsers have it on https and localhost only.
	const client_id = crypto.getRandomValues(new Uint32Array(4)).join("-")
	const item = { client_id, room, content, reply_to, sender_id: me, timestamp: new Date().toISOString() }
	items.set(client_id, item)
	store(client_id, item)
	transmit(item)
	prepare().then(() => tell("pending", item))
}

export const retry = (clientId) => transmit(items.get(clientId))

export const discard = (clientId) => items.delete(clientId) && store(clientId)

export const unsent = (room) => [...items.values()].filter((item) => item.room === room)

hear({
	// Before what is written from now on: one's own messages stay in order.
	connected: () => [...items.values()].filter((item) => !item.failed).forEach(transmit),
	entry: (entry) => entry.actor.id === me && discard(entry.client_id),
})

async function transmit(item) {
	const { client_id, room, content, reply_to } = item
	delete item.failed
	tell("progress", item)
	if (!isConnected()) return
	try {
		const { seq } = await request("chat_message", { room, message: content, client_id, reply_to })
		discard(client_id)
		expect(room, seq)
	} catch (error) {
		if (!items.has(client_id) || !isConnected()) return // it has arrived, or is sent again later
		item.failed = say("not_sent", { reason: error.message })
		store(client_id, item)
		tell("progress", item)
	}
}

// Other windows keep some, too.
const store = (id, ...item) => keep("outbox", [...(recall("outbox") ?? []).filter((each) => each.client_id !== id), ...item])
