// What scripts say, in the language of the page: see chat/page_texts.py.

const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}")

export const language = document.documentElement.lang
/** The reader's own variety of it, which decides on the clock and the order of dates. */
export const locale = navigator.languages.find((name) => name.split("-")[0] === language) ?? language
const plurals = new Intl.PluralRules(language)
const numbers = new Intl.NumberFormat(language)

/** The text called `name`, its %(words)s filled in. */
export function say(name, words = {}) {
  return texts[name].replace(/%\((\w+)\)s/g, (_, word) => words[word] ?? "")
}

/** The text called `name` for so many, in the plural form of the language. */
export function count(name, number) {
  const forms = texts[name]
  return (forms[plurals.select(number)] ?? forms.other).replace("%(count)s", numbers.format(number))
}

export function digits(number) {
  return numbers.format(number)
}

/** A name that keeps its direction to itself, in the middle of a sentence. */
export function isolated(name) {
  return `\u2068${name}\u2069`
}
