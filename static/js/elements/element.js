import { hear } from "#dom"

/** An `action` that comes once for many calls within some milliseconds. */
function soon(action, delay = 150) {
	let timer
	return () => {
		timer ??= setTimeout(() => {
			timer = undefined
			action()
		}, delay)
	}
}

/**
 * Define an element by what it does in the page. What it listens to with these tools ends when it
 * goes; one that has a room hears of that alone.
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
				signal,
				listen,
				soon,
				part: (name) => this.querySelector(`[data-part="${name}"]`),
				hear: (listeners) => hear(listeners, signal, room),
				// By the `data-act` of what is clicked; they get its list item, and itself.
				acts: (table) =>
					listen(this, "click", (event) => {
						const button = event.target.closest("[data-act]")
						const act = table[button?.dataset.act]
						if (!act || event.ctrlKey || event.metaKey) return
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
