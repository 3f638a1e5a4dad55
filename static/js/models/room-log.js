/**
 * How far a client has come in the log of one room: one number, `seq`.
 *
 * Whatever arrives, twice or in any order, comes out of `take` once and in order. It knows no
 * network: who sees that something `isMissing` asks the server for what comes after `seq`.
 */
export class RoomLog {
  #early = new Map()

  constructor(seq) {
    this.seq = seq
  }

  /** Whether an entry waits for one before it, which was lost on the way. */
  get isMissing() {
    return this.#early.size > 0
  }

  /** The entries whose turn it is now that this one has come. */
  take(entry) {
    if (entry.seq > this.seq) this.#early.set(entry.seq, entry)
    return this.#due()
  }

  /** Go on after `seq`, because everything up to it was read in another way. */
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
