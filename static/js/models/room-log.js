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
