// The logs of rooms: gapless numbers, decided by the unique index on (room_id, seq).
//
// As in the service, a room's writers queue up here and a queue is written in one `insertMany`;
// who is a member is kept with the room's end, and both are read again when another process has
// taken a number.

import { MongoBulkWriteError, ObjectId } from "mongodb"

const MAX_BATCH = 200
const PROGRESS_INTERVAL = 1_000 // milliseconds
const DUPLICATE_KEY = 11_000

/** The words by which the service's search finds a message: an index has them. */
function termsOf(text) {
  return [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])]
}

export class RoomLogs {
  #logs = new Map()
  #progress = new Map()
  #noting = null

  /** `announce(roomId, entries)` is called with what is stored, in order. */
  constructor(db, announce) {
    this.entries = db.collection("chat_entry")
    this.rooms = db.collection("chat_room")
    this.memberships = db.collection("chat_membership")
    this.announce = announce
  }

  /** The stored entry of a new message; null if its author may not write there. */
  append(roomId, author, message) {
    let log = this.#logs.get(roomId)
    if (!log) this.#logs.set(roomId, (log = new RoomLog(roomId, this)))
    return log.append(author, message)
  }

  async roomIdsOf(userId) {
    const found = await this.memberships
      .find({ user_id: userId, left_at: null }, { projection: { room_id: 1 } })
      .toArray()
    return found.map((membership) => membership.room_id.toHexString())
  }

  async isMember(userId, roomId) {
    const [found] = await this.memberships
      .aggregate([
        { $match: { room_id: roomId, user_id: userId, left_at: null } },
        {
          $lookup: {
            from: "chat_room",
            localField: "room_id",
            foreignField: "_id",
            as: "room",
            pipeline: [{ $match: { deleted_at: null } }, { $project: { _id: 1 } }],
          },
        },
        { $unwind: "$room" },
        { $project: { _id: 1 } },
      ])
      .toArray()
    return Boolean(found)
  }

  /** Note soon, in one go for all rooms, how far a room has come. */
  progressed(room, moment) {
    this.#progress.set(room.id, { seq: room.seq, count: room.count, moment })
    this.#noting ??= setTimeout(() => this.#noteProgress().catch(console.error), PROGRESS_INTERVAL)
  }

  async #noteProgress() {
    this.#noting = null
    const updates = [...this.#progress].map(([id, { seq, count, moment }]) => ({
      updateOne: {
        filter: { _id: new ObjectId(id) },
        update: {
          $max: { last_seq: seq, projected_seq: seq, message_count: count, last_activity_at: moment },
        },
      },
    }))
    this.#progress.clear()
    if (updates.length) await this.rooms.bulkWrite(updates, { ordered: false })
  }

  async drain() {
    await Promise.all([...this.#logs.values()].map((log) => log.writing))
    clearTimeout(this.#noting)
    await this.#noteProgress()
  }
}

class RoomLog {
  #queue = []
  #logs
  writing = null

  constructor(id, logs) {
    this.id = id
    this.objectId = new ObjectId(id)
    this.members = null
    this.#logs = logs
  }

  append(author, message) {
    return new Promise((resolve, reject) => {
      this.#queue.push({ author, message, resolve, reject })
      this.writing ??= this.#writeQueue()
    })
  }

  async #load() {
    const { entries, rooms, memberships } = this.#logs
    const newest = { sort: { seq: -1 } }
    const [room, members, last, lastMessage] = await Promise.all([
      rooms.findOne({ _id: this.objectId, deleted_at: null }),
      memberships.find({ room_id: this.objectId, left_at: null }).toArray(),
      entries.findOne({ room_id: this.objectId }, newest),
      entries.findOne({ room_id: this.objectId, kind: "message" }, newest),
    ])
    this.members = new Set(room ? members.map((each) => each.user_id.toHexString()) : [])
    this.seq = last?.seq ?? 0
    this.count = lastMessage?.number ?? 0
  }

  async #writeQueue() {
    await new Promise(setImmediate) // what has arrived together is stored together
    while (this.#queue.length) {
      const batch = this.#queue.splice(0, MAX_BATCH)
      try {
        await this.#write(batch)
      } catch (error) {
        this.members = null
        for (const draft of batch) draft.reject(error)
      }
    }
    this.writing = null
  }

  async #write(batch) {
    while (batch.length) {
      if (!this.members) await this.#load()
      const permitted = batch.filter(({ author, resolve }) => {
        const isMember = this.members.has(author._id.toHexString())
        if (!isMember) resolve(null)
        return isMember
      })
      const documents = permitted.map((draft, index) => this.#document(draft, index + 1))
      if (!documents.length) return
      try {
        await this.#logs.entries.insertMany(documents)
      } catch (error) {
        if (!(error instanceof MongoBulkWriteError) || error.code !== DUPLICATE_KEY) throw error
        const stored = error.writeErrors[0].index
        this.#finish(permitted.splice(0, stored), documents.slice(0, stored))
        await this.#afterRefusal(error.writeErrors[0], permitted)
        batch = permitted
        continue
      }
      this.#finish(permitted, documents)
      return
    }
  }

  #document({ author, message }, offset) {
    const document = {
      _id: new ObjectId(),
      room_id: this.objectId,
      seq: this.seq + offset,
      kind: "message",
      actor_id: author._id,
      sender: author.email,
      created_at: new Date(),
      content: message.content,
      terms: termsOf(message.content),
      reply_to: null,
      via: message.via,
      number: this.count + offset,
      rev: this.seq + offset,
    }
    if (message.clientId != null) document.client_id = message.clientId
    return document
  }

  #finish(drafts, documents) {
    if (!documents.length) return
    const last = documents.at(-1)
    this.seq = last.seq
    this.count = last.number
    drafts.forEach((draft, index) => draft.resolve(documents[index]))
    this.#logs.announce(this.id, documents)
    this.#logs.progressed(this, last.created_at)
  }

  /** Another process took the number, or the sender repeats itself and gets the first message. */
  async #afterRefusal(failure, pending) {
    const { message, author } = pending[0]
    if (!failure.errmsg.includes("chat_entry_client_id")) {
      this.members = null
      return
    }
    const first = await this.#logs.entries.findOne({
      room_id: this.objectId,
      actor_id: author._id,
      client_id: message.clientId,
    })
    pending.shift().resolve(first)
  }
}
