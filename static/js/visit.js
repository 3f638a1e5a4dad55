// From page to page: the server's is fetched, and its middle put in place.

import { all, one, say, tell } from "#page"
import { fetchPage } from "#server"

const PAGES = /^\/($|rooms\/)/

let going // where to, while it is fetched

export async function visit(url, { push = true, body } = {}) {
	const mine = (going = { url })
	const { response: page, responseURL, status } = await fetchPage(url, { body })
	if (mine !== going) return // another was asked for
	going = null
	const stage = page && one("#stage", page)
	if (!status) return tell("complaint", { message: say("no_answer") })
	if (!stage) return body ? location.reload() : location.assign(url)
	if (push && (status === 200 || !body)) history.pushState(null, "", responseURL)
	one("#panes").dataset.pane = one("#panes", page).dataset.pane
	one("#stage").replaceWith(stage)
	document.title = page.title
	tell("visited")
	const first = matchMedia("(hover)").matches ? ".composer__text" : "#main"
	const places = ["[aria-invalid=true]", "[autofocus]", first, "#main", "#details", "#rooms"].map((place) => one(place))
	places.find((each) => each?.checkVisibility()).focus({ preventScroll: true })
}

addEventListener("popstate", () => visit(location.href, { push: false }))
document.addEventListener("click", (event) => {
	const anchor = event.target.closest?.("a[href]")
	if (!anchor || event.defaultPrevented || event.button || anchor.target) return
	if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
	if (anchor.origin !== location.origin || !PAGES.test(anchor.pathname) || anchor.getAttribute("href")[0] === "#") return
	event.preventDefault()
	visit(anchor.href)
})
document.addEventListener("submit", (event) => {
	const form = event.target
	if (event.defaultPrevented || !form.matches("[data-in-place]")) return
	event.preventDefault()
	visit(form.action, { body: new FormData(form, event.submitter) })
})

function go(step, isForUnread) {
	const links = all(".room:not([hidden]) > .room__link")
	const here = links.findIndex(({ href }) => (going?.url ?? location.href).startsWith(href))
	const ahead = step > 0 ? links.slice(here + 1) : links.slice(0, Math.max(here, 0)).reverse()
	const there = ahead.find((anchor) => !isForUnread || anchor.closest(".room:not([data-unread='0'])"))
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
