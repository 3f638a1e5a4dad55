// All emoji, fetched when somebody first looks for one.

/** Those called or described by `words`, the best first. */
export async function findEmoji(words) {
	const { gemoji } = await import("gemoji")
	const wanted = words.trim().toLowerCase().replaceAll(" ", "_")
	if (!wanted) return gemoji
	const place = (text) => (text.startsWith(wanted) ? text.length : text.includes(wanted) ? 100 + text.length : Infinity)
	const rank = ({ names, tags, description }) => Math.min(...names.map(place), 200 + place([description, ...tags].join("_").replaceAll(" ", "_")))
	const ranked = gemoji.map((each) => ({ ...each, rank: rank(each) })).filter((each) => each.rank < Infinity)
	return ranked.sort((one, other) => one.rank - other.rank)
}
