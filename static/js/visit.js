// Going from page to page: the server's page is fetched, and its middle put in place.

import { announce } from "chat/announce"

const PAGES = /^\/($|rooms\/)/

let newest = 0

/** Fetch a page, or send a form to it; answers {status, url, page}, and {} for silence. */
export function fetchPage(url, { body, part = "stage" } = {}) {
  return new Promise((resolve) => {
    // XMLHttpRequest gives a parsed page in which no script has run; fetch has no such thing.
    const request = new XMLHttpRequest()
    request.open(body ? "POST" : "GET", url)
    request.responseType = "document"
    request.setRequestHeader("Accept", "text/html")
    request.setRequestHeader("X-Part", part)
    request.onload = () => resolve({ status: request.status, url: request.responseURL, page: request.response })
    request.onerror = () => resolve({})
    request.send(body)
  })
}

/** Show the page at `url`, as if the browser had gone there. */
export async function visit(url, { push = true, body } = {}) {
  const turn = ++newest
  const answer = await fetchPage(url, { body })
  if (turn !== newest) return // something else was asked for meanwhile
  const stage = answer.page?.getElementById("stage")
  if (!stage) {
    // The log-in, an error, or no connection: the browser's own way shows it best.
    if (body) location.reload()
    else location.assign(url)
    return
  }
  if (push && answer.status === 200) {
    const { hash } = new URL(url, location.href)
    history.pushState(null, "", answer.url + (answer.url.includes("#") ? "" : hash))
  }
  show(answer.page, stage)
}

function show(page, stage) {
  document.getElementById("stage").replaceWith(document.adoptNode(stage))
  document.getElementById("panes").dataset.pane = page.getElementById("panes").dataset.pane
  document.title = page.title
  announce("visited")
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" })
  const invalid = stage.querySelector("[aria-invalid=true]")
  const writing = matchMedia("(hover: hover)").matches && stage.querySelector("textarea.composer__text")
  ;(invalid || writing || document.getElementById("main")).focus({ preventScroll: true })
}

export function start() {
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
  addEventListener("popstate", () => visit(location.href, { push: false }))
}
