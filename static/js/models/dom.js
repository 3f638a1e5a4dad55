// The page: its parts, and the events by which they hear of each other.

export const one = (selector, part = document) => part.querySelector(selector)

export const all = (selector, part = document) => [...part.querySelectorAll(selector)]

export const field = (part, name) => one(`[data-field="${name}"]`, part)

export const isCalled = (item, words) => field(item, "name").textContent.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase())

/** Some browsers ask once for an address that fails. */
export const fetchModule = (name) => import(name).catch(() => import(`${import.meta.resolve(name)}?${Date.now()}`))

/** Put texts in their fields, by name. */
export function write(part, texts) {
	for (const name in texts) field(part, name).textContent = texts[name]
}

export const clone = (name) => one(`#${name}-template`).content.firstElementChild.cloneNode(true)

/** Change the page. The focus stays; if what has it goes, an `heir` gets it, or the last message. */
export function keepFocus(change, heir) {
	const focused = document.activeElement
	change()
	const isThere = focused.checkVisibility() && !focused.disabled
	const next = isThere ? focused : (heir ?? all(".message").at(-1) ?? one("#main"))
	// Else a phone would bring up its keyboard again.
	if (next !== document.activeElement) next.focus({ preventScroll: true })
}

export function announce(name, detail = {}) {
	document.dispatchEvent(new CustomEvent(`chat:${name}`, { detail }))
}

export function hear(listeners, signal, room) {
	for (const name in listeners) {
		const about = ({ detail }) => room && (detail.room ?? detail.room_id ?? room) !== room || listeners[name](detail)
		document.addEventListener(`chat:${name}`, about, { signal })
	}
}
