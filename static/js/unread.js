// How many messages are unread, in the window's title and icon.

import { digits, say } from "chat/texts"

let unread = 0
let title = document.title

export function showUnread(number) {
  unread = number
  paint()
}

/** Take the title of another page as the one to add the number to. */
export function takeTitle() {
  title = document.title
  paint()
}

function paint() {
  document.title = unread ? say("title_unread", { count: digits(unread), title }) : title
  const icon = unread ? "faviconUnread" : "favicon"
  document.querySelector("link[rel=icon]").href = document.body.dataset[icon]
}
