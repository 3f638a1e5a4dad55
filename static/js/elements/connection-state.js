import { ListeningElement } from "chat/elements/listening"

const PATIENCE = 1_500 // milliseconds without a connection that are not worth a word
const GOOD_NEWS = 3_000 // milliseconds that the end of an outage is shown

/** Says that the connection is lost, and that it is back. */
class ConnectionState extends ListeningElement {
  #timer

  connected() {
    this.hear("disconnected", () => (this.#timer ??= setTimeout(() => this.#show("offline"), PATIENCE)))
    this.hear("connected", () => this.#connected())
    this.hear("session_ended", () => this.#leave())
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

  #leave() {
    const next = encodeURIComponent(location.pathname + location.search)
    location.assign(`${document.body.dataset.logIn}?next=${next}`)
  }
}

customElements.define("connection-state", ConnectionState)
