// The REST API, as the person whose cookie this browser has.

import { one } from "chat/dom"
import { say } from "chat/texts"

const headers = () => ({
	Accept: "application/json",
	"X-CSRFToken": one("[name=csrfmiddlewaretoken]").value,
})

/** What a `path` of the rooms answers, null for nothing. What an Error says is for people. */
export async function call(method, path, body) {
	const json = body && { "Content-Type": "application/json" }
	const response = await fetch(`/chat/chat_rooms/${path}`, { method, headers: { ...headers(), ...json }, body: JSON.stringify(body) }).catch(() => null)
	const answer = await response?.json().catch(() => null)
	if (!response?.ok) throw new Error(answer?.detail ?? say("no_answer"))
	return answer
}

/** Upload a file, until it `isStopped`; `progress` hears of the share that is sent. */
export function upload(file, { progress, isStopped }) {
	// Not fetch: it does not say how much of a body is sent.
	const request = new XMLHttpRequest()
	const form = new FormData()
	form.append("file", file)
	request.open("POST", "/chat/upload_media/")
	for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
	request.responseType = "json"
	request.upload.onprogress = ({ loaded, total }) => (isStopped() ? request.abort() : progress(loaded / total))
	return new Promise((resolve, reject) => {
		request.onloadend = () => {
			if (request.response?.file_url) resolve(request.response)
			else reject(new Error(request.response?.detail ?? say("no_answer")))
		}
		request.send(form)
	})
}
