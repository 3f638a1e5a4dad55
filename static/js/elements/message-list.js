import { announce } from "chat/announce"
import { call } from "chat/api"
import { ListeningElement } from "chat/elements/listening"
import { position } from "chat/live"
import { me, meet, nameOf, portray } from "chat/models/people"
import { clone, contentOf, field, fill, link, messageRow, tidy, watchImages } from "chat/models/rows"
import { keepInPlace } from "chat/models/scroll-anchor"
import { discard, retry, unsent } from "chat/outbox"
import { count, isolated, say } from "chat/texts"
import { fetchPage } from "chat/visit"

const MOST_ROWS = 300 // rows kept in the document
const NEAR = 600 // pixels from an end at which the next page is fetched
const AT_END = 48 // pixels from the end that still count as being there
const ANNOUNCEMENTS = 5

const seqOf = (row) => Number(row.dataset.seq)

/**
 * A room's conversation: a window on its history, whose last page follows what happens.
 *
 * Rows are keyed by `seq` and know in `rev` the last entry they show, so whatever arrives twice, by
 * whichever way, changes nothing the second time.
 */
class MessageList extends ListeningElement {
  #isFetching = false
  #missed = 0 // messages that came while the reader was further up

  connected() {
    meet(document)
    this.#dress(this.#rows)
    for (const item of unsent(this.room)) this.#showPending(item)
    this.#markNews()
    this.hearOfRoom("entry", (entry) => this.#take(entry))
    this.hearOfRoom("pending", (item) => this.#showPending(item, true))
    this.hearOfRoom("sending", (item) => this.#showState(item))
    this.hearOfRoom("failed", (item) => this.#showState(item))
    this.hearOfRoom("met", () => this.#name())
    this.hearOfRoom("room_stale", () => this.#fetchLatest())
    this.hearOfRoom("notices", ({ rows }) => this.#takeNotices(rows))
    this.hear("caught_up", () => this.#seen())
    this.listen(this, "scroll", () => this.#scrolled(), { passive: true })
    this.listen(this, "click", (event) => this.#clicked(event))
    this.listen(document, "visibilitychange", () => this.#seen())
    this.listen(this.#jump, "click", () => this.#toLatest())
    this.#catchUp(Number(this.getAttribute("last-seq")))
    this.#scrolled()
    this.#seen()
  }

  get #list() {
    return this.querySelector(".messages")
  }

  get #rows() {
    return [...this.querySelectorAll("[data-seq]")]
  }

  get #jump() {
    return document.querySelector("[data-jump]")
  }

  get #isLatest() {
    return !this.hasAttribute("newer")
  }

  get #isAtEnd() {
    return this.#isLatest && -this.scrollTop < AT_END
  }

  #take(entry) {
    if (entry.kind === "message") return this.#takeMessage(entry)
    if (entry.kind === "edit" || entry.kind === "delete") return this.#change(entry)
    if (entry.kind === "room") this.#rename(entry)
    announce("details_stale", { room: this.room }) // which brings the notice of it, too
  }

  #takeMessage(message) {
    const isMine = message.sender_id === me
    const pending = this.#pending(message.client_id)
    const isShown = this.#insert(message, () => messageRow(message))
    if (isMine) pending?.remove()
    if (!isMine) this.#announce(message)
    if (isShown && isMine && pending) this.scrollTop = 0
    this.#seen()
  }

  #name() {
    for (const row of this.#rows.filter((each) => each.matches(".message"))) {
      const name = field(row, "name")
      name.textContent = nameOf(row.dataset.sender, name.textContent)
      portray(field(row, "initial"), row.dataset.sender, name.textContent)
    }
  }

  #takeNotices(rows) {
    const first = this.#rows[0]
    for (const row of rows) {
      if (first && seqOf(row) > seqOf(first)) this.#insert({ seq: seqOf(row) }, () => document.adoptNode(row))
    }
  }

  #insert(entry, make) {
    if (this.#row(entry.seq)) return false
    const isNews = entry.kind === "message" && entry.sender_id !== me
    if (isNews && !this.#isAtEnd) this.#countMissed(this.#missed + 1)
    if (!this.#isLatest) return false
    const row = make()
    const add = () => {
      const after = this.#rows.findLast((other) => seqOf(other) < entry.seq)
      if (after) after.after(row)
      else this.#list.prepend(row)
      if (isNews && (document.hidden || !this.#isAtEnd)) this.#drawLine(row)
      this.#tidyAround(row)
      this.#trim("top")
    }
    this.#keepingPlace(add)
    return true
  }

  #change(entry) {
    const row = this.#row(entry.target)
    if (!row || Number(row.dataset.rev) >= entry.seq || row.matches(".message--deleted")) return
    row.dataset.rev = entry.seq
    const change = () =>
      fill(row, {
        sender_id: row.dataset.sender,
        content: entry.content ?? "",
        uploads: entry.uploads,
        edited_at: entry.created_at,
        deleted: entry.kind === "delete",
      })
    this.#keepingPlace(change)
  }

  /** Change the rows: at the end one stays at the end, elsewhere at what one reads. */
  #keepingPlace(change) {
    if (this.#isAtEnd) change()
    else keepInPlace(this, change)
  }

  #rename(entry) {
    if (entry.name != null) {
      document.querySelector("[data-room-name]").textContent = entry.name
      document.title = `${isolated(entry.name)} · ${document.title.split(" · ").at(-1)}`
      announce("renamed")
    }
    if (entry.description != null) document.querySelector("[data-room-description]").textContent = entry.description
  }

  /** Apply what was stored after the page was made and delivered before it was shown. */
  async #catchUp(seq) {
    while (seq < position(this.room)) {
      const path = `/chat/chat_rooms/${this.room}/events?after=${seq}`
      const { entries, more } = await call("GET", path).catch(() => ({ entries: [] }))
      for (const entry of entries) this.#take(entry)
      seq = more ? entries.at(-1).seq : Infinity
    }
  }

  /** Say a message of somebody else to a screen reader; history is never read out by itself. */
  #announce(message) {
    const log = document.getElementById("announcements")
    const line = document.createElement("p")
    const words = { actor: nameOf(message.sender_id, message.sender), text: message.content }
    line.textContent = say("announcement", words)
    log.append(line)
    while (log.children.length > ANNOUNCEMENTS) log.firstElementChild.remove()
  }

  #pending(clientId) {
    return clientId ? this.querySelector(`.message--pending[data-client-id="${CSS.escape(clientId)}"]`) : null
  }

  #showPending(item, isNew = false) {
    if (!this.#isLatest) return isNew ? this.#toLatest() : undefined
    if (this.#rows.some((row) => row.dataset.clientId === item.client_id)) return discard(item.client_id)
    const { myName } = document.body.dataset
    const uploads = [...item.content.matchAll(/^\/media\/([0-9a-f]{24})\//gm)].map((match) => match[1])
    const row = messageRow({ ...item, sender_id: me, sender: myName, timestamp: item.at, uploads })
    row.classList.add("message--pending")
    this.#list.append(row)
    tidy(row)
    this.#showState(item)
    this.scrollTop = 0
  }

  #showState(item) {
    const row = this.#pending(item.client_id)
    if (!row) return
    row.classList.toggle("message--failed", Boolean(item.failed))
    field(row, "state").hidden = false
    field(row, "state-text").textContent = item.failed ?? say("sending")
    for (const button of field(row, "state").querySelectorAll("button")) button.hidden = !item.failed
  }

  #row(seq) {
    return this.querySelector(`[data-seq="${seq}"]`)
  }

  #dress(rows) {
    for (const row of rows) {
      if (row.matches(".message")) link(field(row, "text"))
      watchImages(row)
    }
    for (const day of this.querySelectorAll(".day")) day.remove()
    for (const row of this.#rows) tidy(row)
  }

  #tidyAround(row) {
    tidy(row)
    let next = row.nextElementSibling
    while (next && !next.dataset.at) next = next.nextElementSibling
    if (next) tidy(next)
  }

  /** Keep the document small: take rows away at the end that the reader is not at. */
  #trim(end) {
    const rows = this.#rows
    const surplus = end === "top" ? rows.slice(0, -MOST_ROWS) : rows.slice(MOST_ROWS)
    if (!surplus.length) return
    for (const row of surplus) row.remove()
    const left = this.#rows
    if (end === "top") {
      this.#setEnd("older", seqOf(left[0]))
      while (!this.#list.firstElementChild.dataset.seq) this.#list.firstElementChild.remove()
      tidy(left[0])
    } else {
      this.#setEnd("newer", seqOf(left.at(-1)))
      while (!this.#list.lastElementChild.dataset.seq) this.#list.lastElementChild.remove()
    }
  }

  /** Note where the rows end on one side: at a number, or with the log itself (null). */
  #setEnd(name, seq) {
    if (seq === null) this.removeAttribute(name)
    else this.setAttribute(name, seq)
    const more = this.querySelector(`[data-more=${name}]`)
    more.hidden = seq === null
    more.querySelector("a").href = this.#url(name, seq)
  }

  #url(name, seq) {
    return `/rooms/${this.room}?${name === "older" ? "before" : "after"}=${seq}`
  }

  #scrolled() {
    const fromStart = this.scrollHeight - this.clientHeight + this.scrollTop
    if (fromStart < NEAR && this.hasAttribute("older")) this.#fetch("older")
    else if (-this.scrollTop < NEAR && this.hasAttribute("newer")) this.#fetch("newer")
    if (this.#isAtEnd) this.#countMissed(0)
    this.#showJump()
    this.#seen()
  }

  async #fetch(name) {
    if (this.#isFetching) return
    this.#isFetching = true
    const seq = this.getAttribute(name)
    const { page } = await fetchPage(this.#url(name, seq))
    this.#isFetching = false
    const fetched = page?.querySelector("message-list")
    if (!fetched || !this.isConnected || this.getAttribute(name) !== seq) return
    meet(page)
    const end = fetched.getAttribute(name)
    const rows = [...fetched.querySelectorAll("[data-seq]")].filter((row) => !this.#row(row.dataset.seq))
    const lastSeq = Number(fetched.getAttribute("last-seq"))
    keepInPlace(this, () => {
      for (const row of rows) document.adoptNode(row)
      if (name === "older") this.#list.prepend(...rows)
      else this.#list.append(...rows)
      this.#setEnd(name, end)
      this.#dress(rows)
      this.#trim(name === "older" ? "bottom" : "top")
    })
    if (this.#isLatest) this.#catchUp(lastSeq)
    this.#scrolled()
  }

  async #fetchLatest() {
    const { page } = await fetchPage(`/rooms/${this.room}`)
    const fresh = page?.querySelector("message-list")
    if (!fresh || !this.isConnected) return
    this.#countMissed(0)
    this.replaceWith(document.adoptNode(fresh))
    announce("visited")
  }

  #toLatest() {
    if (!this.#isLatest) return this.#fetchLatest()
    this.scrollTo({ top: 0, behavior: "smooth" })
    this.#countMissed(0)
  }

  #countMissed(missed) {
    if (missed === this.#missed) return
    this.#missed = missed
    this.#showJump()
  }

  #showJump() {
    const jump = this.#jump
    jump.hidden = this.#isAtEnd || (this.#isLatest && -this.scrollTop < this.clientHeight / 2 && !this.#missed)
    jump.classList.toggle("button--primary", this.#missed > 0)
    const text = jump.querySelector("[data-jump-text]")
    jump.dataset.text ??= text.textContent
    text.textContent = this.#missed ? count("new_below", this.#missed) : jump.dataset.text
  }

  /** Draw the line above the first of the messages that are unread as the room is opened. */
  #markNews() {
    const item = document.querySelector(`.room[data-room="${this.room}"]`)
    const unread = Number(item?.dataset.unread ?? 0)
    if (!unread || !this.#isLatest) return
    const messages = this.#rows.filter((row) => row.matches(".message"))
    const first = messages.at(-unread) ?? messages[0]
    if (first) this.#drawLine(first)
  }

  #drawLine(row) {
    if (this.querySelector(".new-line")) return
    row.before(clone("new-line"))
    tidy(row)
  }

  #seen() {
    if (!document.hidden && this.#isAtEnd) announce("seen", { room: this.room })
  }

  #clicked(event) {
    const more = event.target.closest("[data-more] a")
    const button = event.target.closest("[data-act]")
    if (more) {
      event.preventDefault()
      const query = new URL(more.href).search
      if (!query) this.#toLatest()
      else this.#fetch(query.startsWith("?before") ? "older" : "newer")
    } else if (button) {
      event.preventDefault()
      this.#act(button.dataset.act, button.closest(".message"))
    }
  }

  #act(act, row) {
    const { clientId } = row.dataset
    if (act === "retry") retry(clientId)
    if (act === "edit") announce("edit", { room: this.room, id: row.dataset.id, content: contentOf(row) })
    if (act === "delete") this.#delete(row)
    if (act === "discard") {
      discard(clientId)
      row.remove()
    }
  }

  #delete(row) {
    const dialog = document.getElementById("confirm-delete")
    dialog.returnValue = ""
    dialog.showModal()
    const decide = async () => {
      if (dialog.returnValue !== "delete") return
      try {
        await call("DELETE", `/chat/chat_rooms/${this.room}/messages/${row.dataset.id}`)
      } catch (error) {
        announce("complaint", { room: this.room, text: error.message })
      }
    }
    dialog.addEventListener("close", decide, { once: true })
  }
}

customElements.define("message-list", MessageList)
