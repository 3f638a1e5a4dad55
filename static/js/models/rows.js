// The messages of a conversation as they arrive live: chat/rows.py is the same for what is fetched.

import { me, nameOf, portray } from "chat/models/people"

const GROUPING = 5 * 60 * 1000 // milliseconds
const FILE_LINE = /^\/media\/([0-9a-f]{24})\/(\S+)$/gm
const IMAGE_NAME = /\.(png|jpe?g|gif|webp|avif|bmp)$/i
const ADDRESS = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?'()\[\]{}،؛؟»”]/gi

export function clone(template) {
  return document.getElementById(`${template}-template`).content.firstElementChild.cloneNode(true)
}

export function field(part, name) {
  return part.querySelector(`[data-field="${name}"]`)
}

/** A new row for a message of the log, or for one that is on its way (it has no `seq` yet). */
export function messageRow(message) {
  const row = clone("message")
  const name = nameOf(message.sender_id, message.sender)
  field(row, "name").textContent = name
  portray(field(row, "initial"), message.sender_id, name)
  row.dataset.sender = message.sender_id
  row.dataset.clientId = message.client_id ?? ""
  row.dataset.at = message.timestamp
  row.querySelector("local-time").setAttribute("datetime", message.timestamp)
  row.classList.toggle("message--mine", message.sender_id === me)
  row.removeAttribute("id")
  delete row.dataset.seq
  if (message.seq) number(row, message)
  fill(row, message)
  return row
}

function number(row, message) {
  const path = `/rooms/${message.room_id}`
  row.id = `message-${message.seq}`
  row.dataset.seq = message.seq
  row.dataset.id = message.id
  row.dataset.rev = message.rev
  field(row, "link").href = `${path}/${message.seq}#${row.id}`
  for (const link of ["edit-link", "delete-link"]) field(row, link).href = `${path}/messages/${message.id}`
}

/** Show what a message says now: `content`, `uploads`, `edited_at`, `deleted`. */
export function fill(row, message) {
  const { text, files } = message.deleted ? { text: "", files: [] } : split(message.content, message.uploads ?? [])
  const paragraph = field(row, "text")
  paragraph.textContent = text
  paragraph.hidden = !text
  link(paragraph)
  field(row, "files").replaceChildren(...files.map(fileItem))
  field(row, "files").hidden = !files.length
  watchImages(row)
  field(row, "gone").hidden = !message.deleted
  field(row, "edited").hidden = message.deleted || !message.edited_at
  field(row, "actions").hidden = message.deleted || !row.dataset.seq || message.sender_id !== me
  row.classList.toggle("message--deleted", Boolean(message.deleted))
}

function split(content, uploads) {
  const files = []
  const text = content.replace(FILE_LINE, (line, id, name) => {
    if (!uploads.includes(id)) return line
    files.push({ url: line, name: readable(name) })
    return ""
  })
  return { text: files.length ? text.replace(/^\n+|\n+$/g, "") : text, files }
}

function readable(name) {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function fileItem({ url, name }) {
  const isImage = IMAGE_NAME.test(name)
  const item = clone(isImage ? "image" : "file")
  item.querySelector("a").href = url
  item.querySelector(".file__name").textContent = name
  if (isImage) Object.assign(item.querySelector("img"), { src: url, alt: name })
  return item
}

/** Show a file that calls itself an image and is none like every other file. */
export function watchImages(part) {
  for (const image of part.querySelectorAll(".file--image img")) {
    image.addEventListener("error", () => {
      const item = image.closest(".file")
      const plain = clone("file")
      plain.querySelector("a").href = item.querySelector("a").href
      plain.querySelector(".file__name").textContent = item.querySelector(".file__name").textContent
      item.replaceWith(plain)
    })
  }
}

/** The content of a message as it was written: its text and the links to its files. */
export function contentOf(row) {
  const files = [...field(row, "files").querySelectorAll("a")].map((anchor) => anchor.getAttribute("href"))
  return [field(row, "text").textContent, ...files].filter(Boolean).join("\n")
}

/** Make links of the addresses in a text. Nothing but http and https is one. */
export function link(paragraph) {
  const text = paragraph.textContent
  const parts = []
  let end = 0
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    const anchor = document.createElement("a")
    Object.assign(anchor, { href: address, textContent: address, target: "_blank", rel: "noopener nofollow" })
    parts.push(text.slice(end, index), anchor)
    end = index + address.length
  }
  if (parts.length) paragraph.replaceChildren(...parts, text.slice(end))
}

/** Group a row with the one before it, or begin a new day, by the reader's own clock. */
export function tidy(row) {
  let before = row.previousElementSibling
  if (before?.matches(".day")) {
    before.remove()
    before = row.previousElementSibling
  }
  const isBroken = before?.matches(".new-line") ?? false
  if (isBroken) before = before.previousElementSibling
  while (before?.matches(".day")) before = before.previousElementSibling
  const at = new Date(row.dataset.at)
  const then = before && new Date(before.dataset.at)
  const isNewDay = !then || then.toDateString() !== at.toDateString()
  if (isNewDay) {
    const day = clone("day")
    day.querySelector("local-time").setAttribute("datetime", row.dataset.at)
    row.before(day)
  }
  if (!row.matches(".message")) return
  row.classList.toggle(
    "message--continued",
    !isNewDay && !isBroken && before.matches(".message") && before.dataset.sender === row.dataset.sender && at - then < GROUPING,
  )
}
