// The REST API, as the person whose cookie this browser has.

/** An answer that is a refusal: `message` is for people, `status` is 0 if there was none. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message)
    this.status = status
  }
}

export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value
}

/** Send `body` as JSON and return what is answered, null for nothing. Throws a Refusal. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
  if (body !== undefined) headers["Content-Type"] = "application/json"
  let response
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
  } catch {
    throw new Refusal("", 0)
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}))
  if (!response.ok) throw new Refusal(answer?.detail ?? "", response.status)
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
      else reject(new Refusal(request.response?.detail ?? "", request.status))
    }
    request.onerror = () => reject(new Refusal("", 0))
    signal.addEventListener("abort", () => request.abort())
    request.send(form)
  })
}
