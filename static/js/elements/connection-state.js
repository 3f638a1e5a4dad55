import { define } from "#page"

const PATIENCE = 1_500 // milliseconds not worth a word

define("connection-state", (element, { hear }) => {
	let timer

	function show(state) {
		for (const line of element.children) line.hidden = line.dataset.when !== state
	}

	hear({
		disconnected: () => (timer ??= setTimeout(show, PATIENCE, "offline")),
		connected() {
			timer = clearTimeout(timer)
			if (element.firstElementChild.hidden) return
			show("back")
			setTimeout(() => timer || show(null), 2 * PATIENCE)
		},
		session_ended: () => location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}&ended=1`),
	})
})
