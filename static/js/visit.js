// From page to page: the server's is fetched, and its middle put in place.

import { one, tell } from "#page"
import { fetchPage } from "#server"

const PAGES = /^\/($|rooms\/)/

let newest = 0

export async function visit(url, { push = true, body } = {}) {
	const turn = ++newest
	const { response: page, responseURL, status } = await fetchPage(url, { body })
	if (turn !== newest) return // something else was asked for meanwhile
	const stage = page && one("#stage", page)
	if (!stage) return body ? location.reload() : location.assign(url)
	if (push && status === 200) history.pushState(null, "", responseURL)
	one("#panes").dataset.pane = one("#panes", page).dataset.pane
	one("#stage").replaceWith(stage)
	document.title = page.title
	tell("visited")
	const first = matchMedia("(hover)").matches ? ".composer__text" : "#main"
	const places = ["[aria-invalid=true]", ".message[autofocus]", first, "#main", "#details", "#rooms"].map((place) => one(place))
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
