// Every room's log, kept up with the server's. Entries come out as `chat:entry`, once, in order.

import { announce, hear } from "#dom"
import { prepare } from "#formatting"
import { me } from "#people"
import { RoomLog } from "#room-log"
import { connect, isConnected, request } from "#socket"

const PATIENCE = 2_000 // milliseconds for a stored entry to arrive
const SILENCE = 30_000 // milliseconds after which one might have been lost

const logs = new Map()
let isCatchingUp = false
let heardAt = 0
let delivered = Promise.resolve()

/** Go on after `seq`: a fresh page has all up to there. */
export function follow(room, seq) {
	if (!logs.has(room)) logs.set(room, new RoomLog(seq))
	deliver(logs.get(room).restart(seq))
}

/** Hear again of what came after `seq`, before there was a page to show it. */
export function rewind(room, seq) {
	if (seq >= (logs.get(room)?.seq ?? 0)) return
	logs.get(room).seq = seq
	catchUp()
}

export const expect = (room, seq) => setTimeout(() => logs.get(room)?.seq < seq && catchUp(), PATIENCE)

export function start() {
	hear({
		room_event(entry) {
			heardAt = Date.now()
			const log = logs.get(entry.room_id)
			if (!log) return announce("room_stale", { room: entry.room_id })
			deliver(log.take(entry))
			if (log.isMissing) catchUp()
		},
		resumed({ rooms }) {
			if (settle(rooms)) catchUp()
			announce("caught_up")
		},
		resync: catchUp,
	})
	// Nothing comes after the last entry to show that it was lost.
	setInterval(() => Date.now() - heardAt >= SILENCE && !document.hidden && catchUp(), SILENCE)
	connect(positions)
}

const positions = () => Object.fromEntries([...logs].map(([room, { seq }]) => [room, seq]))

async function catchUp() {
	if (isCatchingUp || !isConnected()) return
	isCatchingUp = true
	try {
		while (settle((await request("resume", { rooms: positions() })).rooms));
	} catch {
		// The next entry, or the next connection, asks again.
	}
	isCatchingUp = false
}

function settle(rooms) {
	let hasMore = false
	for (const [room, { gone, recovered, entries, more, last_seq }] of Object.entries(rooms)) {
		const log = logs.get(room)
		if (gone) forget(room)
		else if (log && recovered) {
			for (const entry of entries) deliver(log.take(entry))
			hasMore ||= more
		} else {
			deliver(log?.restart(last_seq) ?? [])
			announce("room_stale", { room })
		}
	}
	return hasMore
}

/** In order: the first text waits for what formats it, and the rest for that. */
function deliver(entries) {
	for (const entry of entries) {
		delivered = delivered.then(async () => {
			if (entry.content) await prepare()
			announce("entry", entry)
			const isClosed = entry.deleted && entry.kind === "room"
			if (isClosed || entry.removed?.some(({ id }) => id === me)) forget(entry.room_id, isClosed)
		})
	}
}

function forget(room, isClosed) {
	logs.delete(room)
	announce("room_gone", { room, isClosed })
}
