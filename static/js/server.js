// The server: its pages, its API, and the one connection.

import { io } from "socket.io-client"
import { one, say, tell } from "#page"

/** A finished request. Not fetch: this parses pages without scripts, and says how much is sent. */
function ask(method, url, { body, type = "json", headers, progress }) {
	const request = new XMLHttpRequest()
	request.open(method, url)
	request.responseType = type
	for (const name in headers) request.setRequestHeader(name, headers[name])
	request.upload.onprogress = ({ loaded, total }) => progress?.(loaded / total, request)
	return new Promise((resolve) => {
		request.onloadend = () => resolve(request)
		request.send(body)
	})
}

/** A page, or the `part` of it that is wanted. */
export const fetchPage = (url, { body, part = "stage" } = {}) =>
	ask(body ? "POST" : "GET", url, { body, type: "document", headers: { Accept: "text/html", "X-Part": part } })

/** What the API answers, null for nothing. What an Error says is for people. */
async function answer(method, url, body, progress) {
	const json = typeof body === "string" && { "Content-Type": "application/json" }
	const headers = { Accept: "application/json", "X-CSRFToken": one("[name=csrfmiddlewaretoken]").value, ...json }
	const { status, response } = await ask(method, url, { body, headers, progress })
	if (!status || status >= 400) throw Object.assign(new Error(response?.detail ?? say("no_answer")), { status })
	return response
}

export const call = (method, path, body) => answer(method, `/chat/chat_rooms/${path}`, body && JSON.stringify(body))

/** Upload a file. `progress` gets the share that is sent, and the request, to abort it. */
export function upload(file, progress) {
	const body = new FormData()
	body.append("file", file)
	return answer("POST", "/chat/upload_media/", body, progress)
}

const ACK_TIMEOUT = 10_000 // milliseconds

let socket

/** Connect; the server tells what came after the `positions`, {room: last number}. */
export function connect(positions) {
	socket = io({ auth: (send) => send({ protocol: 2, rooms: positions() }), reconnectionDelayMax: 5_000 })
	const isOver = (problem) => ["unauthenticated", "session_ended"].includes(problem?.code)
	socket.on("connect", () => tell("connected"))
	socket.on("disconnect", (reason) => {
		tell("disconnected")
		// It says at the next attempt whether one may come back.
		if (reason === "io server disconnect") socket.connect()
	})
	socket.on("connect_error", ({ data }) => {
		tell("disconnected")
		if (isOver(data)) tell("session_ended")
		else if (!socket.active) setTimeout(() => socket.connect(), 2_000)
	})
	socket.on("error", (problem) => isOver(problem) && socket.close() && tell("session_ended"))
	socket.onAny(tell)
}

export const isConnected = () => socket?.connected

/** The same over the connection. */
export async function request(event, data) {
	const reply = await socket.timeout(ACK_TIMEOUT).emitWithAck(event, data).catch(() => ({ message: say("no_answer") }))
	if (!reply.ok) throw new Error(reply.message)
	return reply
}
