// All emoji, fetched when somebody first looks for one.

import { fetchModule, one } from "#page"

const folded = (text) => text.toLowerCase().replace(/[\s\u200c]+/g, "_")

let known

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
	const place = (text) => (text.startsWith(wanted) ? text.length : text.includes(wanted) ? 100 + text.length : Infinity)
	const rank = ({ names, words }) => Math.min(...names.map(place), ...words.map((word) => 200 + place(word)))
	const ranked = known.map((each) => ({ ...each, rank: rank(each) })).filter(({ rank }) => rank < Infinity)
	return ranked.sort((a, b) => a.rank - b.rank)
}
