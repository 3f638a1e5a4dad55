import { hear } from "chat/announce"

/** An element that listens to the page for as long as it is in it. */
export class ListeningElement extends HTMLElement {
  #listening

  connectedCallback() {
    this.#listening = new AbortController()
    this.connected()
  }

  disconnectedCallback() {
    this.#listening.abort()
    this.disconnected()
  }

  connected() {}

  disconnected() {}

  hear(name, listener) {
    hear(name, listener, this.#listening.signal)
  }

  /** Hear of events whose detail names the room of this element. */
  hearOfRoom(name, listener) {
    this.hear(name, (detail) => (detail.room ?? detail.room_id) === this.room && listener(detail))
  }

  listen(target, name, listener, options) {
    target.addEventListener(name, listener, { ...options, signal: this.#listening.signal })
  }

  get room() {
    return this.getAttribute("room")
  }
}
