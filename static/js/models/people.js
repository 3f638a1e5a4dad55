// The people that the page has mentioned.

import { announce, hear } from "chat/announce"
import { call } from "chat/api"

/** The id of the person whose page this is. */
export const { me } = document.body.dataset

const names = new Map()
const asked = new Set()

export function meet(part) {
  for (const member of part.querySelectorAll("[data-person]")) names.set(member.dataset.person, member.dataset.name)
  for (const row of part.querySelectorAll("[data-sender]")) {
    const name = row.querySelector("[data-field=name]")
    if (name && !names.has(row.dataset.sender)) names.set(row.dataset.sender, name.textContent)
  }
}

export function nameOf(id, otherwise) {
  return names.get(id) ?? otherwise
}

/** Ask who is in a room, once, when somebody spoke whose name the page has not mentioned. */
export async function learn(room, id) {
  if (names.has(id) || asked.has(room)) return
  asked.add(room)
  try {
    const members = await call("GET", `/chat/chat_rooms/${room}/members`)
    for (const member of members) names.set(member.id, member.full_name || member.username)
    announce("met", { room })
  } catch {
    asked.delete(room)
  }
}

/** Show a person's picture, or else the first letter of the name. */
export function portray(slot, id, name, src = document.querySelector(`[data-person="${id}"] .avatar img`)?.src) {
  slot.dataset.hue = parseInt(id.slice(-1), 16) % 5
  slot.firstChild?.remove()
  const initial = name.match(/[\p{L}\p{N}]/u)?.[0] ?? "·"
  slot.prepend(src ? Object.assign(new Image(), { src, alt: "" }) : initial.toUpperCase())
}

hear("profile", ({ user: { id, full_name, username, avatar_url } }) => {
  const name = full_name || username
  names.set(id, name)
  for (const part of document.querySelectorAll(`[data-person="${id}"], [data-shows="${id}"], .message[data-sender="${id}"]`)) {
    part.dataset.name = part.querySelector("[data-field=name]").textContent = name
    portray(part.querySelector(".avatar"), id, name, avatar_url)
  }
})
