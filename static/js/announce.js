// Elements hear of each other through events of the document, and never know each other.

export function announce(name, detail) {
  document.dispatchEvent(new CustomEvent(`chat:${name}`, { detail }))
}

/** Call `listener` with the detail of every `chat:` event of this name until `signal` aborts. */
export function hear(name, listener, signal) {
  document.addEventListener(`chat:${name}`, (event) => listener(event.detail), { signal })
}
