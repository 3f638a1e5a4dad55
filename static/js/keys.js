// The keys that work all over the page.

import { all, one, tell } from "#page"
import { visit } from "#visit"

function go(step, isForUnread) {
	const links = all(".room:not([hidden]) > .room__link")
	const here = links.findIndex((anchor) => anchor.ariaCurrent)
	const ahead = step > 0 ? links.slice(here + 1) : links.slice(0, Math.max(here, 0)).reverse()
	const there = ahead.find((anchor) => !isForUnread || anchor.closest(".room--unread"))
	if (there) visit(there.href)
}

document.addEventListener("keydown", (event) => {
	const { key, code, altKey, shiftKey, target } = event
	const isCommand = event.ctrlKey || event.metaKey
	if (isCommand && !altKey && code === "KeyK") tell("switch_rooms")
	else if (isCommand || one("dialog[open], :popover-open")) return
	else if (altKey && key === "ArrowUp") go(-1, shiftKey)
	else if (altKey && key === "ArrowDown") go(1, shiftKey)
	else if ("?؟".includes(key) && !target.matches?.("input, textarea, select")) one("#keys").showModal()
	else return
	event.preventDefault()
})
