// Formats what people write, rule by rule as chat/formatting.py does on the server.

import { fetchModule } from "#page"

const RULES = ["blockquote", "fence", "list", "autolink", "backticks", "emphasis", "escape", "link", "linkify", "newline", "strikethrough"]
const MARKS = /[[*_~`<\\]/g
const MOST_MARKS = 1_000
const UNSEEN = "\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff"
const ADDRESS = new RegExp(`^//[^${UNSEEN}<>"\`]*[^${UNSEEN}<>"\`.,;:!?'()*_~\\[\\]{}،؛؟»”]`)

let plainParser, parser

/** Fetch what formats the texts that come next. Failing that, they are shown as they are. */
export async function prepare() {
	if (parser) return
	await fetchModule("markdown-it").catch(() => {}) // which is no module: it leaves a global behind
	const { markdownit } = globalThis
	if (!markdownit) return
	plainParser = markdownit("zero", { breaks: true }).enable("newline")
	parser = markdownit("zero", { breaks: true, linkify: true }).enable(RULES)
	parser.core.ruler.disable("linkify")
	parser.linkify.add("http:", { validate: ADDRESS }).add("https:", "http:")
	parser.normalizeLink = parser.normalizeLinkText = (url) => url
	parser.validateLink = (url) => /^(https?:\/\/|mailto:)/i.test(url)
}

/** Fill `parent` with the elements of a text; `@name` of one of the `names` is marked. */
export function format(parent, text, names = []) {
	if (!parser) return parent.replaceChildren(text)
	const longestFirst = names.toSorted((a, b) => b.length - a.length).map(RegExp.escape).join("|")
	const mention = longestFirst && new RegExp(`(?<![\\p{L}\\p{N}_.@/+-])(@(?:${longestFirst}))(?![\\p{L}\\p{N}_])`, "iu")
	const used = text.match(MARKS)?.length > MOST_MARKS ? plainParser : parser
	let at = parent
	const add = (tag, attributes, content = "") => {
		const element = document.createElement(tag)
		for (const name in attributes) element.setAttribute(name, attributes[name])
		element.append(content)
		at.append(element)
		return element
	}
	parent.replaceChildren()
	for (const token of used.parse(text, {}).flatMap((each) => each.children ?? each)) {
		const { type, tag, nesting, content, hidden } = token
		if (type === "fence") add("pre", { dir: "ltr" }).append(add("code", {}, content))
		else if (type === "code_inline") add("code", { dir: "ltr" }, content)
		else if (tag === "br") add("br")
		else if (tag && nesting > 0 && !hidden) at = add(tag, attributesOf(token, at === parent))
		else if (tag && nesting < 0 && !hidden) {
			if (at.textContent === at.title) at.removeAttribute("title")
			at = at.parentNode
		} else if (!tag) {
			const parts = mention && !at.closest("a") ? content.split(mention) : [content]
			parts.forEach((part, number) => (number % 2 ? add("mark", { class: "mention" }, part) : at.append(part)))
		}
		if (tag === "br" || (token.block && nesting < 1)) at.append("\n")
	}
}

function attributesOf(token, isOutermost) {
	const { tag } = token
	const href = token.attrGet("href")
	if (tag === "a") return { ...(URL.canParse(href) && { href }), target: "_blank", rel: "noopener nofollow", title: href }
	if (tag === "ol") return { start: token.attrGet("start") ?? 1 }
	return tag === "blockquote" || tag === "li" || (tag === "p" && isOutermost) ? { dir: "auto" } : {}
}
