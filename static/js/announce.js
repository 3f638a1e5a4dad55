// Elements hear of each other through events of the document, and never know each other.

export function announce(name, detail = {}) {
	document.dispatchEvent(new CustomEvent(`chat:${name}`, { detail }))
}

export function hear(listeners, signal, room) {
	for (const [name, listener] of Object.entries(listeners)) {
		const about = ({ detail }) => room && (detail.room ?? detail.room_id ?? room) !== room || listener(detail)
		document.addEventListener(`chat:${name}`, about, { signal })
	}
}
