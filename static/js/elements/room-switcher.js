import Combobox from "@github/combobox-nav"
import { all, define, isCalled, one } from "#page"

const MOST_SHOWN = 50

/** Proposes rooms of the list by name. An option is the room's own link. */
define("room-switcher", (switcher, { hear, listen }) => {
	const dialog = switcher.closest("dialog")
	const input = one("input", switcher)
	const list = one("[role=listbox]", switcher)
	const combobox = new Combobox(input, list, { firstOptionSelectionMode: "selected" })

	function propose() {
		const named = all(".room-items > .room").filter((item) => isCalled(item, input.value))
		list.replaceChildren(...named.slice(0, MOST_SHOWN).map((item) => Object.assign(one("a", item).cloneNode(true), { role: "option" })))
		combobox.resetSelection()
	}

	combobox.start()
	listen(input, "input", propose)
	listen(list, "combobox-commit", () => dialog.close())
	hear({
		switch_rooms() {
			input.value = ""
			dialog.showModal()
			propose()
		},
	})
})
