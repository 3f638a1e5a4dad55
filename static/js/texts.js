// What scripts say, in the language of the page: see chat/page_texts.py.

const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}")

const language = document.documentElement.lang
// The reader's variety decides on the clock and the order of dates.
export const locale = navigator.languages.find((name) => name.split("-")[0] === language) ?? language
const plurals = new Intl.PluralRules(language)

export const say = (name, words = {}) => texts[name].replace(/%\((\w+)\)s/g, (_, word) => words[word] ?? "")

export function count(name, number) {
	const forms = texts[name]
	return (forms[plurals.select(number)] ?? forms.other).replace("%(count)s", digits(number))
}

export const digits = new Intl.NumberFormat(language).format
