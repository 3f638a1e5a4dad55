import { hear } from "chat/announce"

/**
 * Define an element by what it does from when it comes into the page. What it listens to with these
 * tools ends when it goes; one that has a room hears of that alone.
 */
export function define(tag, setUp) {
	class Element extends HTMLElement {
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
				part: (name) => this.querySelector(`[data-part="${name}"]`),
				hear: (listeners) => hear(listeners, signal, room),
				// By the `data-act` of what is clicked.
				acts: (table) =>
					listen(this, "click", (event) => {
						const button = event.target.closest("[data-act]")
						const act = table[button?.dataset.act]
						if (!act || event.ctrlKey || event.metaKey) return
						event.preventDefault()
						act(button)
					}),
			})
		}

		disconnectedCallback() {
			this.#ending.abort()
		}
	}
	customElements.define(tag, Element)
}
