import { hear } from "chat/announce"
import { meet } from "chat/models/people"
import { fetchPage } from "chat/visit"

const DELAY = 150 // milliseconds, to fetch once for many changes

/** Who is in a room and what it is about, kept up to date without disturbing who fills in a form. */
class RoomDetails extends HTMLElement {
  #listening
  #timer

  connectedCallback() {
    this.#listening = new AbortController()
    hear("details_stale", () => (this.#timer ??= setTimeout(() => this.#refresh(), DELAY)), this.#listening.signal)
  }

  disconnectedCallback() {
    this.#listening.abort()
    clearTimeout(this.#timer)
  }

  async #refresh() {
    this.#timer = undefined
    const { page } = await fetchPage(`/rooms/${this.getAttribute("room")}/details`).catch(() => ({}))
    if (!page || !this.isConnected) return
    meet(page)
    for (const fresh of page.querySelectorAll("room-details [data-part]")) {
      this.querySelector(`[data-part=${fresh.dataset.part}]`)?.replaceWith(document.adoptNode(fresh))
    }
  }
}

customElements.define("room-details", RoomDetails)
