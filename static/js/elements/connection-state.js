import { define } from "#page"

const PATIENCE = 1_500 // milliseconds of an outage not worth a word
const GOOD_NEWS = 3_000 // milliseconds that its end is shown

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
			setTimeout(() => timer || show(null), GOOD_NEWS)
		},
		session_ended() {
			const next = encodeURIComponent(location.pathname + location.search)
			location.assign(`${document.body.dataset.logIn}?next=${next}&ended=1`)
		},
	})
})
