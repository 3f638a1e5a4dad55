// What this browser keeps of a person: drafts and unsent messages. Never a token.

const PREFIX = "chat:"
const owner = `${PREFIX}${document.body.dataset.me}:`

let isForgotten = false

/** A value in the browser's storage, of the person whose page this is; null if there is none. */
export function recall(name) {
  return tolerantly(() => JSON.parse(localStorage.getItem(owner + name))) ?? null
}

/** Keep a value; null forgets it. */
export function keep(name, value) {
  if (isForgotten) return
  if (value === null) tolerantly(() => localStorage.removeItem(owner + name))
  else tolerantly(() => localStorage.setItem(owner + name, JSON.stringify(value)))
}

/** Forget all of it, for everybody: whoever uses this browser next is not to find it. */
export function forgetEverything() {
  isForgotten = true
  const names = tolerantly(() => Object.keys(localStorage)) ?? []
  for (const name of names) if (name.startsWith(PREFIX)) localStorage.removeItem(name)
}

/** Storage may be full or forbidden: the page works without. */
function tolerantly(action) {
  try {
    return action()
  } catch {
    return undefined
  }
}
