// Every room's log, kept up with the server's. Entries come out as `chat:entry`, once, in order.

import { prepare } from "#formatting"
import { hear, tell } from "#page"
import { me } from "#people"
import { connect, isConnected, request } from "#server"

const PATIENCE = 2_000 // milliseconds for a stored entry to arrive
const SILENCE = 30_000 // milliseconds after which one might have been lost

/**
 * How far a client has come in a room's log. What arrives, twice or in any order, comes out once and
 * in order; if something `isMissing`, ask for what comes after `seq`.
 */
export class RoomLog {
	#early = new Map()

	constructor(seq) {
		this.seq = seq
	}

	get isMissing() {
		return this.#early.size > 0
	}

	take(entry) {
		if (entry.seq > this.seq) this.#early.set(entry.seq, entry)
		return this.#due()
	}

	restart(seq) {
		this.seq = seq
		for (const early of this.#early.keys()) if (early <= seq) this.#early.delete(early)
		return this.#due()
	}

	#due() {
		const due = []
		for (let entry; (entry = this.#early.get(this.seq + 1)); ) {
			this.#early.delete(entry.seq)
			this.seq = entry.seq
			due.push(entry)
		}
		return due
	}
}

const logs = new Map()
let isCatchingUp = false
let heardAt = 0
let delivered

/** Go on after `seq`: a fresh page has all up to there. */
export function follow(room, seq) {
	if (!logs.has(room)) logs.set(room, new RoomLog(seq))
	deliver(logs.get(room).restart(seq))
}

/** Hear again of what came after `seq`, before there was a page to show it. */
export function rewind(room, seq) {
	const log = logs.get(room)
	if (!(seq < log?.seq)) return
	log.seq = seq
	catchUp()
}

export const expect = (room, seq) => setTimeout(() => logs.get(room)?.seq < seq && catchUp(), PATIENCE)

export function start() {
	hear({
		room_event(entry) {
			heardAt = Date.now()
			const log = logs.get(entry.room_id)
			if (!log) return tell("room_stale", { room: entry.room_id })
			deliver(log.take(entry))
			if (log.isMissing) catchUp()
		},
		resumed({ rooms }) {
			if (settle(rooms)) catchUp()
			tell("caught_up")
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
			tell("room_stale", { room })
		}
	}
	return hasMore
}

/** In order: the first text waits for what formats it, and the rest for that. */
function deliver(entries) {
	for (const entry of entries) {
		delivered = Promise.all([delivered, entry.content && prepare()]).then(() => {
			const isClosed = entry.deleted && entry.kind === "room"
			if (isClosed || entry.removed?.some(({ id }) => id === me)) forget(entry.room_id, isClosed)
			else tell("entry", entry)
		})
	}
}

function forget(room, isClosed) {
	logs.delete(room)
	tell("room_gone", { room, isClosed })
}
