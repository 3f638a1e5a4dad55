import { announce } from "chat/announce"
import { ListeningElement } from "chat/elements/listening"
import { meet } from "chat/models/people"
import { fetchPage } from "chat/visit"

const DELAY = 150 // milliseconds, to fetch once for many changes

/** Who is in a room and what it is about, kept up to date without disturbing who fills in a form. */
class RoomDetails extends ListeningElement {
  #timer

  connected() {
    this.hearOfRoom("details_stale", () => (this.#timer ??= setTimeout(() => this.#refresh(), DELAY)))
  }

  disconnected() {
    clearTimeout(this.#timer)
  }

  async #refresh() {
    this.#timer = undefined
    const { page } = await fetchPage(`/rooms/${this.room}/details`)
    if (!page || !this.isConnected) return
    meet(page)
    announce("notices", { room: this.room, rows: page.querySelectorAll("message-list .note") })
    for (const fresh of page.querySelectorAll("room-details [data-part]")) {
      this.querySelector(`[data-part=${fresh.dataset.part}]`)?.replaceWith(document.adoptNode(fresh))
    }
    announce("met", { room: this.room })
  }
}

customElements.define("room-details", RoomDetails)
