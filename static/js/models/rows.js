// The rows of a conversation, live: chat/rows.py is the same for what is fetched.

import { format } from "#formatting"
import { all, clone, digits, field, one, say, tolerantly, write } from "#page"
import { me, nameOf, namesOf, portray, usernames } from "#people"

const GROUPING = 300_000 // milliseconds
const ONE_LINE = 120 // characters
const FILE_LINE = /^\/media\/([0-9a-f]{24})\/(\S+)$/gm
const IMAGE_NAME = /\.(png|jpe?g|gif|webp|avif|bmp)$/i

export function messageRow(message) {
	const row = clone("message")
	const { room_id, seq, id, rev, sender_id, client_id, timestamp, reply_to, sender } = message
	Object.assign(row.dataset, { sender: sender_id, clientId: client_id ?? "", at: timestamp })
	one("local-time", row).setAttribute("datetime", timestamp)
	row.classList.toggle("message--mine", sender_id === me)
	if (reply_to) {
		row.dataset.replyTo = reply_to
		field(row, "quote").href = `/rooms/${room_id}/${reply_to}`
	}
	if (seq) {
		row.id = `message-${seq}`
		Object.assign(row.dataset, { seq, id, rev })
		field(row, "link").href = `/rooms/${room_id}/${seq}#${row.id}`
	}
	Object.assign(field(row, "initial"), { value: sender, disabled: sender_id === me })
	name(row, sender)
	fill(row, message)
	return row
}

export function name(row, otherwise = field(row, "name").textContent) {
	const text = nameOf(row.dataset.sender, otherwise)
	const author = field(row, "initial")
	author.ariaLabel = text
	write(row, { name: text })
	portray(author, row.dataset.sender, text)
}

export function fill(row, { content, uploads, mentions = [], mentions_all, reactions = {}, edited_at, deleted = false }) {
	const isMine = row.dataset.sender === me
	const { text, files } = split(deleted ? "" : content, uploads)
	const names = mentions.map((id) => usernames.get(id)).filter(Boolean)
	format(field(row, "text"), text, mentions_all ? [...names, "all"] : names)
	if (isMine) row.dataset.text = text
	field(row, "files").replaceChildren(...files.map((file) => fileItem(file)))
	field(row, "edited").hidden = !edited_at || deleted
	row.classList.toggle("message--deleted", deleted)
	row.classList.toggle("message--to-me", !deleted && !isMine && (mentions_all || mentions.includes(me)))
	if (deleted) field(row, "reactions").replaceChildren()
	else for (const emoji in reactions) for (const person of reactions[emoji]) react(row, emoji, person, true)
}

export function react(row, emoji, person, on) {
	let chip = chipOf(row, emoji)
	const people = new Set(chip?.dataset.people.split(" "))
	people[on ? "add" : "delete"](person)
	if (!people.size) return chip?.remove()
	if (!chip) {
		field(row, "reactions").append((chip = clone("chip")))
		chip.value = emoji
	}
	chip.dataset.people = [...people].join(" ")
	chip.title = namesOf([...people])
	chip.ariaPressed = people.has(me)
	write(chip, { emoji, count: digits(people.size) })
}

export const chipOf = (row, emoji) => one(`.chip[value="${emoji}"]`, row)

export function quote(row, author, words) {
	write(row, { "quote-name": author, "quote-text": words })
	field(row, "quote").hidden = false
}

export const anyUpload = { includes: () => true } // the server will decide

/** The text, and the files of the lines that link to `uploads`. */
export function split(content, uploads = []) {
	const files = []
	const text = content.replace(FILE_LINE, (url, id, name) => {
		if (!uploads.includes(id)) return url
		files.push({ url, name: tolerantly(() => decodeURIComponent(name)) ?? name })
		return ""
	})
	return { text: files.length ? text.replace(/^\n+|\n+$/g, "") : text, files }
}

/** A message in one line, without formatting; of files alone, their names. */
export function wordsOf({ content, uploads, deleted }) {
	if (deleted || content == null) return say("deleted")
	const { text, files } = split(content, uploads)
	const box = document.createElement("p")
	format(box, text)
	return oneLine(box.textContent) || listed(files.map(({ name }) => name))
}

export function wordsIn(row) {
	if (row.matches(".message--deleted")) return say("deleted")
	return oneLine(field(row, "text").textContent) || listed(all(".file__name", row).map((name) => name.textContent))
}

const listed = (names) => names.map((name) => `\u2068${name}\u2069`).join(say("comma"))

const oneLine = (text) => text.trim().replace(/\s+/g, " ").slice(0, ONE_LINE)

function fileItem({ url, name }) {
	const isImage = IMAGE_NAME.test(name)
	const item = clone(isImage ? "image" : "file")
	one("a", item).href = url
	one(".file__name", item).textContent = name
	if (isImage) Object.assign(one("img", item), { src: url, alt: name })
	return item
}

/** Group a row with the one before, or begin a day, by the reader's clock. */
export function follow(row, before) {
	const at = new Date(row.dataset.at)
	const then = new Date(before?.dataset.at)
	const isNewDay = then.toDateString() !== at.toDateString()
	if (isNewDay) {
		const day = clone("day")
		day.firstElementChild.setAttribute("datetime", row.dataset.at)
		row.before(day)
	}
	if (!row.matches(".message")) return
	const isContinued = !isNewDay && !row.dataset.replyTo && before.matches(".message") && before.dataset.sender === row.dataset.sender
	row.classList.toggle("message--continued", isContinued && at - then < GROUPING)
}
