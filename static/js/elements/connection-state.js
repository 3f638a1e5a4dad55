import { ListeningElement } from "chat/elements/listening"

const PATIENCE = 1_500 // milliseconds of an outage that are not worth a word
const GOOD_NEWS = 3_000 // milliseconds that its end is shown

/** Says that the connection is lost or back. */
class ConnectionState extends ListeningElement {
  #timer

  connected() {
    this.hear("disconnected", () => (this.#timer ??= setTimeout(() => this.#show("offline"), PATIENCE)))
    this.hear("connected", () => this.#connected())
    this.hear("session_ended", () => {
      const next = encodeURIComponent(location.pathname + location.search)
      location.assign(`${document.body.dataset.logIn}?next=${next}`)
    })
  }

  #connected() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.querySelector("[data-when=offline]").hidden) return
    this.#show("back")
    setTimeout(() => this.#timer || this.#show(null), GOOD_NEWS)
  }

  #show(state) {
    for (const line of this.children) line.hidden = line.dataset.when !== state
  }
}

customElements.define("connection-state", ConnectionState)
