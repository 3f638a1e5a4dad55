// What clients are told of a message: the same fields as from the service.

export function messagePayload(entry) {
  return {
    id: entry._id,
    room_id: entry.room_id,
    seq: entry.seq,
    sender: entry.sender,
    sender_id: entry.actor_id,
    content: entry.content ?? "",
    timestamp: entry.created_at,
    client_id: entry.client_id ?? null,
    reply_to: entry.reply_to ?? null,
    uploads: entry.uploads ?? [],
    edited_at: entry.edited_at ?? null,
    deleted: Boolean(entry.deleted_at),
    rev: entry.rev,
  }
}

/** For Socket.IO, which would look for binary parts in the driver's own id objects. */
export function roomEvent(entry) {
  return {
    ...messagePayload(entry),
    id: entry._id.toHexString(),
    room_id: entry.room_id.toHexString(),
    sender_id: entry.actor_id.toHexString(),
    timestamp: entry.created_at.toISOString(),
    kind: entry.kind,
    actor: { id: entry.actor_id.toHexString(), email: entry.sender },
    created_at: entry.created_at.toISOString(),
  }
}
