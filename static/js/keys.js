// The keys of the whole page.

import { visit } from "chat/visit"

const STEPS = { ArrowUp: -1, ArrowDown: 1 }

function go(step) {
  const links = [...document.querySelectorAll(".room:not([hidden]) > .room__link")]
  const here = links.findIndex((anchor) => anchor.ariaCurrent)
  const there = links[here < 0 ? 0 : here + step]
  if (there) visit(there.href)
}

export function start() {
  document.addEventListener("keydown", (event) => {
    const { key, altKey, shiftKey } = event
    const isCommand = event.ctrlKey || event.metaKey
    const isWriting = event.target.matches?.("input, textarea, select")
    if (isCommand && !altKey && event.code === "KeyK") document.querySelector("room-switcher").open()
    else if (document.querySelector("dialog[open]")) return
    else if (altKey && !isCommand && !shiftKey && key in STEPS) go(STEPS[key])
    else if (key === "?" && !isWriting && !isCommand) document.getElementById("keys").showModal()
    else return
    event.preventDefault()
  })
}
