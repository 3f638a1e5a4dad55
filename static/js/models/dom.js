// The page: its parts, and the events of the document by which they hear of each other.

export const one = (selector, part = document) => part.querySelector(selector)

export const all = (selector, part = document) => [...part.querySelectorAll(selector)]

export const field = (part, name) => one(`[data-field="${name}"]`, part)

export const isCalled = (item, words) => field(item, "name").textContent.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase())

/** Put texts in their fields, by name. */
export function write(part, texts) {
	for (const name in texts) field(part, name).textContent = texts[name]
}

export const clone = (name) => one(`#${name}-template`).content.firstElementChild.cloneNode(true)

const top = (element) => element?.getBoundingClientRect().top

export const rowsRead = (scroller) => all("[data-seq]", scroller).filter((row) => row.getBoundingClientRect().bottom > top(scroller))

/** Change what a scrolling element holds while what is read in it stays where it is. */
export function keepInPlace(scroller, change) {
	const [first, anchor = first] = rowsRead(scroller)
	const before = top(anchor)
	change()
	if (anchor?.isConnected) scroller.scrollTop += top(anchor) - before
}

export function announce(name, detail = {}) {
	document.dispatchEvent(new CustomEvent(`chat:${name}`, { detail }))
}

export function hear(listeners, signal, room) {
	for (const [name, listener] of Object.entries(listeners)) {
		const about = ({ detail }) => room && (detail.room ?? detail.room_id ?? room) !== room || listener(detail)
		document.addEventListener(`chat:${name}`, about, { signal })
	}
}
