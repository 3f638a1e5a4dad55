// The people that the page has mentioned.

import { all, count, field, hear, one, say, tell } from "#page"
import { call } from "#server"

const MOST_NAMED = 10

export const { me } = document.body.dataset

const names = new Map()
export const usernames = new Map()
const asked = new Set()

export function meet(part) {
	for (const row of all(".message[data-sender]", part)) names.set(row.dataset.sender, field(row, "name").textContent)
	for (const { dataset } of all("[data-person]", part)) {
		names.set(dataset.person, dataset.name)
		usernames.set(dataset.person, dataset.username)
	}
}

export const nameOf = (id, otherwise) => names.get(id) ?? otherwise

export const senderOf = (message) => nameOf(message.sender_id, message.sender)

export function peopleNamed(word) {
	const begins = ({ name, username }) => ` ${name} ${username}`.toLocaleLowerCase().includes(` ${word.toLocaleLowerCase()}`)
	return all("[data-person]").map(({ dataset }) => dataset).filter((each) => each.person !== me && begins(each))
}

export function namesOf(ids) {
	const known = ids.filter((id) => names.has(id)).slice(0, MOST_NAMED).map((id) => `\u2068${names.get(id)}\u2069`)
	const others = ids.length - known.length
	return [...known, ...(others ? [count("others", others)] : [])].join(say("comma"))
}

/** Ask who is in a room, once, if somebody is unknown; true when the names came. */
export async function learn(room, ...ids) {
	if (asked.has(room) || ids.every((id) => usernames.has(id))) return false
	asked.add(room)
	const members = await call("GET", `${room}/members`).catch(() => asked.delete(room) && [])
	for (const { id, full_name, username } of members) {
		names.set(id, full_name || username)
		usernames.set(id, username)
	}
	tell("met", { room })
	return true
}

/** Show a person's picture, or the first letter of the name. */
export function portray(slot, id, name, src = one(`[data-person="${id}"] .avatar img`)?.src) {
	const initial = name.match(/[\p{L}\p{N}]/u)?.[0] ?? "·"
	slot.dataset.hue = parseInt(id.slice(-1), 16) % 5
	slot.firstChild?.remove()
	slot.prepend(src ? Object.assign(new Image(), { src, alt: "" }) : initial.toUpperCase())
}

hear({
	profile({ user: { id, full_name, username, avatar_url } }) {
		const name = full_name || username
		names.set(id, name)
		for (const part of all(`[data-person="${id}"], [data-shows="${id}"], .message[data-sender="${id}"]`)) {
			part.dataset.name = field(part, "name").textContent = name
			portray(one(".avatar", part), id, name, avatar_url)
		}
	},
})
