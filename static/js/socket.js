// The one connection. What the server says comes out as events of the document.

import { io } from "socket.io-client"
import { announce } from "#dom"
import { say } from "#texts"

const ACK_TIMEOUT = 10_000 // milliseconds

let socket

/** Connect; the server tells what came after the `positions`, {room: last number}. */
export function connect(positions) {
	socket = io({ auth: (send) => send({ protocol: 2, rooms: positions() }), reconnectionDelayMax: 5_000 })
	const isOver = (problem) => ["unauthenticated", "session_ended"].includes(problem?.code)
	socket.on("connect", () => announce("connected"))
	socket.on("disconnect", (reason) => {
		announce("disconnected")
		// It says at the next attempt whether one may come back.
		if (reason === "io server disconnect") socket.connect()
	})
	socket.on("connect_error", ({ data }) => {
		announce("disconnected")
		if (isOver(data)) announce("session_ended")
		else if (!socket.active) setTimeout(() => socket.connect(), 2_000)
	})
	socket.on("error", (problem) => isOver(problem) && socket.close() && announce("session_ended"))
	socket.onAny(announce)
}

export const isConnected = () => socket?.connected

/** Ask the server and return its answer. What an Error says is for people. */
export async function request(event, data) {
	const reply = await socket.timeout(ACK_TIMEOUT).emitWithAck(event, data).catch(() => ({ message: say("no_answer") }))
	if (!reply.ok) throw new Error(reply.message)
	return reply
}
