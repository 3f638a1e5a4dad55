// What this browser keeps of a person: drafts, unsent messages, what was read. Never a token.

const PREFIX = "chat:"

let isForgotten = false

function key(name) {
  return `${PREFIX}${document.body.dataset.me}:${name}`
}

/** A value in the browser's storage, of the person whose page this is; null if there is none. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(key(name)))
  } catch {
    return null // no storage allowed, or not ours
  }
}

/** Keep a value; null forgets it. */
export function keep(name, value) {
  if (isForgotten) return
  try {
    if (value === null) localStorage.removeItem(key(name))
    else localStorage.setItem(key(name), JSON.stringify(value))
  } catch {
    // Storage is full or forbidden: the page works without.
  }
}

/** Forget all of it, for everybody: whoever uses this browser next is not to find it. */
export function forgetEverything() {
  isForgotten = true
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name)
  } catch {
    // There was nothing to keep it in.
  }
}

/** Hear of values that another window has changed. */
export function onKeptElsewhere(name, listener, signal) {
  addEventListener("storage", (event) => event.key === key(name) && listener(recall(name)), { signal })
}
