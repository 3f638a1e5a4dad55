import Combobox from "@github/combobox-nav"
import { findEmoji } from "#emoji"
import { clone, define, field, write } from "#page"
import { peopleNamed, portray } from "#people"

const BEGUN = /(?:^|[\s(])([@:])([^\s@:]*)$/ // a name or an emoji, before the cursor
const MOST = 6
const SHORTEST = 2 // letters of an emoji's name, for ":D" is none

define("word-completion", (box, { listen }) => {
	const text = box.closest("form").content
	const list = box.firstElementChild
	const begun = () => BEGUN.exec(text.value.slice(0, text.selectionStart)) ?? []
	let combobox

	async function propose() {
		const [all, sign, word] = begun()
		const found = sign === "@" ? peopleNamed(word).map(person) : word?.length >= SHORTEST ? (await findEmoji(word).catch(() => [])).map(emoji) : []
		if (all !== begun()[0]) return
		close()
		if (!found.length) return
		list.replaceChildren(...found.slice(0, MOST).map(option))
		box.hidden = false
		combobox = new Combobox(text, list, { firstOptionSelectionMode: "selected" })
		combobox.start()
		text.role = text.ariaExpanded = null
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
	listen(box, "mousedown", (event) => event.preventDefault()) // the focus stays in the text
	listen(box, "combobox-commit", ({ target }) => {
		const end = text.selectionStart
		text.setRangeText(`${target.dataset.text} `, end - begun()[2].length - 1, end, "end")
		text.dispatchEvent(new Event("input"))
	})
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
