// The REST API, as the person whose cookie this browser has.

export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value
}

/** Send `body` as JSON and return the answer, null for nothing. What an Error says is for people. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
  if (body !== undefined) headers["Content-Type"] = "application/json"
  let response
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
  } catch {
    throw new Error("")
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}))
  if (!response.ok) throw new Error(answer?.detail ?? "")
  return answer
}

/** Upload a file; `progress` hears of the part that is sent, from 0 to 1. */
export function upload(file, { progress, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData()
    form.append("file", file)
    // Not fetch: it does not say how much of a body is sent.
    const request = new XMLHttpRequest()
    request.open("POST", "/chat/upload_media/")
    request.setRequestHeader("X-CSRFToken", csrfToken())
    request.setRequestHeader("Accept", "application/json")
    request.responseType = "json"
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total)
    request.onload = () => {
      if (request.status < 300) resolve(request.response)
      else reject(new Error(request.response?.detail ?? ""))
    }
    request.onerror = () => reject(new Error(""))
    signal.addEventListener("abort", () => request.abort())
    request.send(form)
  })
}
