import Combobox from "@github/combobox-nav"
import { findEmoji } from "#emoji-picker"
import { clone, define, field, write } from "#page"
import { peopleNamed, portray } from "#people"

const BEGUN = /(?:^|[\s(])([@:])([^\s@:]*)(:?)$/ // a name or an emoji, before the cursor
const MOST = 6
const SHORTEST = 2 // letters of an emoji's name, for ":D" is none

define("word-completion", (box, { listen }) => {
	const text = box.closest("form").content
	const list = box.firstElementChild
	const begun = () => BEGUN.exec(text.value.slice(0, text.selectionStart)) ?? []
	let combobox

	async function propose() {
		const [all, sign, word, end] = begun()
		const named = sign === ":" && word.length >= SHORTEST ? await findEmoji(word).catch(() => []) : []
		if (all !== begun()[0]) return
		close()
		const meant = end && named.find(({ names }) => names.includes(word))
		if (meant) put(meant.emoji)
		const found = end ? [] : sign === "@" ? peopleNamed(word).map(person) : named.map(emoji)
		if (!found.length) return
		list.replaceChildren(...found.slice(0, MOST).map(option))
		box.hidden = false
		combobox = new Combobox(text, list, { firstOptionSelectionMode: "selected" })
		combobox.start()
		text.role = text.ariaExpanded = null
	}

	function put(words) {
		const end = text.selectionStart
		text.setRangeText(words, end - begun().slice(1).join("").length, end, "end")
		text.dispatchEvent(new Event("input"))
	}

	function close(event) {
		if (box.hidden) return
		event?.stopImmediatePropagation()
		combobox.destroy()
		box.hidden = true
	}

	listen(text, "input", propose)
	listen(text, "blur", () => close())
	listen(text, "keydown", (event) => event.key === "Escape" && close(event), { capture: true })
	listen(box, "mousedown", (event) => event.preventDefault()) // keeps the focus
	listen(box, "combobox-commit", ({ target }) => put(`${target.dataset.text} `))
})

const person = ({ person: id, name, username }) => ["", name, `@${username}`, id]
const emoji = ({ emoji: sign, names: [name], description }) => [sign, `:${name}:`, description]

function option([sign, name, about, id]) {
	const item = clone("option")
	write(item, { sign, name, about })
	if (id) portray(field(item, "sign"), id, name)
	item.dataset.text = sign || about
	return item
}
