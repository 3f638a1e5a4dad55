// The service over HTTP, as the person whose cookie this browser has.

import { one } from "#dom"
import { say } from "#texts"

/** A finished request. Not fetch: this parses pages without their scripts, and says how much is sent. */
function ask(method, url, { body, type = "json", headers, progress }) {
	const request = new XMLHttpRequest()
	request.open(method, url)
	request.responseType = type
	for (const name in headers) request.setRequestHeader(name, headers[name])
	if (progress) request.upload.onprogress = ({ loaded, total }) => progress(loaded / total, request)
	return new Promise((resolve) => {
		request.onloadend = () => resolve(request)
		request.send(body)
	})
}

/** A page of the service's, or the `part` of it that is wanted. */
export const fetchPage = (url, { body, part = "stage" } = {}) =>
	ask(body ? "POST" : "GET", url, { body, type: "document", headers: { Accept: "text/html", "X-Part": part } })

/** What the API answers, null for nothing. What an Error says is for people. */
async function answer(method, url, body, progress) {
	const json = typeof body === "string" && { "Content-Type": "application/json" }
	const headers = { Accept: "application/json", "X-CSRFToken": one("[name=csrfmiddlewaretoken]").value, ...json }
	const { status, response } = await ask(method, url, { body, headers, progress })
	if (!status || status >= 400) throw new Error(response?.detail ?? say("no_answer"))
	return response
}

export const call = (method, path, body) => answer(method, `/chat/chat_rooms/${path}`, body && JSON.stringify(body))

/** Upload a file. `progress` gets the share that is sent, and the request, to abort it. */
export function upload(file, progress) {
	const body = new FormData()
	body.append("file", file)
	return answer("POST", "/chat/upload_media/", body, progress)
}
