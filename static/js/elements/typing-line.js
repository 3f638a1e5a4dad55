import { ListeningElement } from "chat/elements/listening"
import { learn, me, nameOf } from "chat/models/people"
import { isolated, say } from "chat/texts"

const LASTS = 5_000 // milliseconds that the word of somebody who types is good for
const MOST_NAMED = 3

/** Says who is writing something in the room. */
class TypingLine extends ListeningElement {
  #typing = new Map() // the timer of each person

  connected() {
    this.hearOfRoom("typing", ({ user }) => this.#add(user))
    this.hearOfRoom("entry", (entry) => entry.kind === "message" && this.#remove(entry.sender_id))
  }

  #add({ id, email }) {
    if (id === me) return
    learn(this.room, id)
    clearTimeout(this.#typing.get(id)?.timer)
    this.#typing.set(id, { email, timer: setTimeout(() => this.#remove(id), LASTS) })
    this.#show()
  }

  #remove(id) {
    clearTimeout(this.#typing.get(id)?.timer)
    if (this.#typing.delete(id)) this.#show()
  }

  #show() {
    const people = [...this.#typing].slice(0, MOST_NAMED).map(([id, { email }]) => isolated(nameOf(id, email)))
    const text = people.length > 1 ? "typing_some" : "typing_one"
    this.textContent = people.length ? say(text, { people: people.join(say("comma")) }) : ""
  }
}

customElements.define("typing-line", TypingLine)
