// The one connection. What the server says comes out as events of the document.

import { io } from "socket.io-client"
import { announce } from "chat/announce"

const ACK_TIMEOUT = 10_000 // milliseconds
const EVENTS = ["resumed", "resync", "room_event", "typing", "read", "presence", "profile"]
const SESSION_ENDED = new Set(["unauthenticated", "session_ended"])

let positions = () => ({})
let socket

/** Connect. `knownPositions` answers {room: last number}; the server tells what came after them. */
export function connect(knownPositions) {
  positions = knownPositions
  socket = io({ auth: (send) => send({ protocol: 2, rooms: positions() }), reconnectionDelayMax: 5_000 })
  socket.on("connect", () => announce("connected"))
  socket.on("disconnect", (reason) => {
    announce("disconnected")
    // Cut by the server: it will say at the next attempt whether this person may come back.
    if (reason === "io server disconnect") socket.connect()
  })
  socket.on("connect_error", (error) => {
    announce("disconnected")
    if (SESSION_ENDED.has(error.data?.code)) announce("session_ended")
    else if (!socket.active) setTimeout(() => socket.connect(), 2_000)
  })
  socket.on("error", (complaint) => SESSION_ENDED.has(complaint?.code) && announce("session_ended"))
  for (const event of EVENTS) socket.on(event, (data) => announce(event, data))
}

export function isConnected() {
  return socket?.connected ?? false
}

/** Ask the server and return its answer. Throws an Error with `code`, which is empty for silence. */
export async function request(event, data) {
  let reply
  try {
    reply = await socket.timeout(ACK_TIMEOUT).emitWithAck(event, data)
  } catch {
    throw Object.assign(new Error(""), { code: "" })
  }
  if (!reply.ok) throw Object.assign(new Error(reply.message), { code: reply.code })
  return reply
}
