import { findEmoji } from "#emoji"
import { clone, define, one, say, tell } from "#page"

define("emoji-picker", (picker, { hear, listen, acts, part }) => {
	const search = one("input", picker)
	const grid = part("grid")
	let choose

	async function list() {
		const wanted = search.value
		try {
			const found = await findEmoji(wanted)
			if (wanted !== search.value) return
			grid.replaceChildren(...found.map(({ emoji, description }) => Object.assign(clone("emoji"), { textContent: emoji, title: description })))
			part("none").hidden = !!found.length
		} catch {
			picker.hidePopover()
			tell("complaint", { message: say("no_answer") })
		}
	}

	acts({
		pick(item, { textContent: emoji }) {
			picker.hidePopover()
			choose(emoji)
		},
	})
	listen(search, "input", list)
	listen(picker, "keydown", (event) => {
		const cells = [...grid.children]
		const here = cells.indexOf(document.activeElement)
		const columns = cells.findIndex((each) => each.offsetTop > cells[0].offsetTop)
		const next = picker.matches(":dir(rtl)") ? -1 : 1
		const step = { ArrowDown: here < 0 ? 1 : columns, ArrowUp: -columns, ArrowRight: next, ArrowLeft: -next }[event.key]
		if (here < 0 && event.key === "Enter") cells[0]?.click()
		else if (!step || (here < 0 && event.key !== "ArrowDown")) return
		else (cells[here + step] ?? (step < 0 ? search : cells.at(-1)))?.focus()
		event.preventDefault()
	})
	hear({
		choose_emoji(wish) {
			choose = wish.choose
			search.value = ""
			list()
			picker.showPopover({ source: wish.button })
		},
	})
})
