import Combobox from "@github/combobox-nav"
import { define } from "chat/element"
import { all, clone, field, isCalled, one, write } from "chat/dom"
import { visit } from "chat/visit"

const MOST_SHOWN = 50

define("room-switcher", (switcher, { hear, listen }) => {
	const dialog = switcher.closest("dialog")
	const input = one("input", switcher)
	const list = one("[role=listbox]", switcher)
	const combobox = new Combobox(input, list, { firstOptionSelectionMode: "selected" })

	function propose() {
		const named = all(".room-items > .room").filter((item) => isCalled(item, input.value))
		list.replaceChildren(...named.slice(0, MOST_SHOWN).map(option))
		combobox.resetSelection()
	}

	function option(item) {
		const option = clone("option")
		option.dataset.url = one("a", item).href
		write(option, { name: field(item, "name").textContent })
		field(option, "sign").replaceWith(one(".avatar", item).cloneNode(true))
		return option
	}

	combobox.start()
	listen(input, "input", propose)
	listen(list, "combobox-commit", ({ target }) => {
		dialog.close()
		visit(target.dataset.url)
	})
	hear({
		switch_rooms() {
			input.value = ""
			dialog.showModal()
			propose()
		},
	})
})
