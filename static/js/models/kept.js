// What this browser keeps of a person: drafts and unsent messages. Never a token.

const key = (name) => `chat:${document.body.dataset.me}:${name}`

let isForgotten = false

export const recall = (name) => tolerantly(() => JSON.parse(localStorage.getItem(key(name))))

export function keep(name, value) {
	if (isForgotten) return
	tolerantly(() => (value ? (localStorage[key(name)] = JSON.stringify(value)) : delete localStorage[key(name)]))
}

/** Whoever uses this browser next is not to find any of it. */
export function forgetEverything() {
	isForgotten = true
	tolerantly(() => localStorage.clear())
}

function tolerantly(action) {
	try {
		return action()
	} catch {}
}
