// The names of the people that the page has mentioned.

import { announce } from "chat/announce"
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

/** The first letter or digit of a name, for where there is no picture. */
export function initialOf(name) {
  return (name.match(/[\p{L}\p{N}]/u)?.[0] ?? "·").toUpperCase()
}

/** The colour that tells a person apart, as chat/rows.py has it. */
export function hueOf(id) {
  return String(parseInt(id.slice(-1), 16) % 5)
}
