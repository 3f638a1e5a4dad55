// The page: its parts, words and elements, and the events by which they hear of each other.

export const one = (selector, part = document) => part.querySelector(selector)

export const all = (selector, part = document) => [...part.querySelectorAll(selector)]

export const field = (part, name) => one(`[data-field="${name}"]`, part)

/** What does not matter in a name is left out: see chat/words.py. */
const folded = (text) => text.toLocaleLowerCase().replace(/[يى]/g, "ی").replace(/ك/g, "ک").replace(/[\s\u064b-\u0652\u200c]/g, "")

export const isCalled = (item, words) => folded(field(item, "name").textContent).includes(folded(words))

/** Some browsers ask once for an address that fails. */
export const fetchModule = (name) => import(name).catch(() => import(`${import.meta.resolve(name)}?${Date.now()}`))

export function tolerantly(action) {
	try {
		return action()
	} catch {}
}

/** Put texts in their fields. */
export function write(part, texts) {
	for (const name in texts) field(part, name).textContent = texts[name]
}

export const clone = (name) => one(`#${name}-template`).content.firstElementChild.cloneNode(true)

/** Change the page. The focus stays; if what has it goes, an `heir` gets it, or the last message. */
export function keepFocus(change, heir) {
	const focused = document.activeElement
	change()
	const next = focused.checkVisibility() && !focused.matches(":disabled") ? focused : (heir ?? all(".message").at(-1) ?? one("#main"))
	// Else a phone would bring up its keyboard again.
	if (next !== document.activeElement) next.focus({ preventScroll: true })
}

export function tell(name, detail = {}) {
	document.dispatchEvent(new CustomEvent(`chat:${name}`, { detail }))
}

export function hear(listeners, signal, room) {
	for (const name in listeners) {
		const about = ({ detail }) => room && (detail.room ?? detail.room_id ?? room) !== room || listeners[name](detail)
		document.addEventListener(`chat:${name}`, about, { signal })
	}
}

// See chat/page_texts.py.
const texts = JSON.parse(one("#texts")?.textContent ?? "{}")

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

/** An `action` that comes once for many calls within 150 milliseconds. */
function soon(action) {
	let timer
	return () => {
		timer ??= setTimeout(() => {
			timer = undefined
			action()
		}, 150)
	}
}

/**
 * Define an element by what it does. What it listens to with these tools ends when it goes; one
 * that has a room hears of that alone.
 */
export function define(tag, setUp) {
	customElements.define(tag, class extends HTMLElement {
		#ending

		connectedCallback() {
			this.#ending = new AbortController()
			const { signal } = this.#ending
			const room = this.getAttribute("room")
			const listen = (target, name, listener, options) => target.addEventListener(name, listener, { ...options, signal })
			setUp(this, {
				room,
				listen,
				soon,
				part: (name) => this.querySelector(`[data-part="${name}"]`),
				hear: (listeners) => hear(listeners, signal, room),
				// By the `data-act` of what is clicked; they get its list item, and itself.
				acts: (table) =>
					listen(this, "click", (event) => {
						const button = event.target.closest("[data-act]")
						const act = table[button?.dataset.act]
						if (!act) return
						event.preventDefault()
						act(button.closest("li"), button)
					}),
			})
		}

		disconnectedCallback() {
			this.#ending.abort()
		}
	})
}
