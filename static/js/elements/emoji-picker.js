import { clone, define, fetchModule, one, say, tell } from "#page"

const folded = (text) => text.toLowerCase().replace(/[\s\u200c]+/g, "_")

let known // fetched for the first search

/** With their names in the page's language, if there is a file of them. */
async function load() {
	const { gemoji } = await fetchModule("gemoji")
	const { words } = one("emoji-picker").dataset
	const { annotations } = words ? (await (await fetch(words)).json()).annotations : {}
	return gemoji.map((each) => {
		const { default: tags = [], tts: [description] = [each.description] } = annotations?.[each.emoji.replace("\ufe0f", "")] ?? {}
		return { ...each, description, names: [...each.names, folded(description)], words: [each.description, ...each.tags, ...tags].map(folded) }
	})
}

/** Those called or described by `words`, the best first. */
export async function findEmoji(words) {
	known ??= await load()
	const wanted = folded(words.trim())
	if (!wanted) return known
	const place = (text) => (text.includes(wanted) ? 100 * text.indexOf(wanted) + text.length : Infinity)
	const rank = ({ names, words }) => Math.min(...names.map(place), ...words.map((word) => 200 + place(word)))
	const ranked = known.map((each) => ({ ...each, rank: rank(each) })).filter(({ rank }) => rank < Infinity)
	return ranked.sort((a, b) => a.rank - b.rank)
}

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
