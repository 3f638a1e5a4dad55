import { announce, hear } from "chat/announce"
import { call } from "chat/api"
import { position } from "chat/live"
import { initialOf, meet, nameOf } from "chat/models/people"
import { clone, contentOf, field, fill, link, messageRow, noticeRow, tidy, watchImages } from "chat/models/rows"
import { keepInPlace } from "chat/models/scroll-anchor"
import { discard, retry, unsent } from "chat/outbox"
import { count, isolated, say } from "chat/texts"
import { fetchPage } from "chat/visit"

const MOST_ROWS = 300 // rows kept in the document
const NEAR = 600 // pixels from an end at which the next page is fetched
const AT_END = 48 // pixels from the end that still count as being there
const LONGEST_ANNOUNCEMENT = 300 // characters
const ANNOUNCEMENTS = 5

/**
 * A room's conversation: a window on its history, whose last page follows what happens.
 *
 * Rows are keyed by `seq` and know in `rev` the last entry they show, so whatever arrives twice, by
 * whichever way, changes nothing the second time.
 */
class MessageList extends HTMLElement {
  #listening
  #isFetching = false
  #missed = 0 // messages that came while the reader was further up

  connectedCallback() {
    this.#listening = new AbortController()
    const { signal } = this.#listening
    meet(document)
    this.#dress(this.#rows)
    for (const item of unsent(this.#room)) this.#showPending(item)
    this.#markNews()
    const mine = (listener) => (detail) => detail.room === this.#room && listener(detail)
    hear("entry", (entry) => entry.room_id === this.#room && this.#take(entry), signal)
    hear("pending", mine((item) => this.#showPending(item, true)), signal)
    hear("sending", mine((item) => this.#showState(item)), signal)
    hear("failed", mine((item) => this.#showState(item)), signal)
    hear("met", mine(() => this.#name()), signal)
    hear("room_stale", mine(() => this.#fetchLatest()), signal)
    hear("room_gone", mine(() => this.#close()), signal)
    this.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true })
    this.addEventListener("click", (event) => this.#clicked(event), { signal })
    document.addEventListener("visibilitychange", () => this.#seen(), { signal })
    this.#jump.addEventListener("click", () => this.#toLatest(), { signal })
    this.#catchUp(Number(this.getAttribute("last-seq")))
    this.#scrolled()
    this.#seen()
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  get #room() {
    return this.getAttribute("room")
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

  /** Whether the rows go on to the end of the log. */
  get #isLatest() {
    return !this.hasAttribute("newer")
  }

  get #isAtEnd() {
    return this.#isLatest && -this.scrollTop < AT_END
  }

  // What arrives

  #take(entry) {
    if (entry.kind === "message") return this.#takeMessage(entry)
    if (entry.kind === "edit" || entry.kind === "delete") return this.#change(entry)
    if (entry.kind === "room") this.#rename(entry)
    if (entry.kind === "member" || entry.kind === "room") {
      this.#insert(entry, () => noticeRow(entry))
      announce("details_stale", { room: this.#room })
    }
  }

  #takeMessage(message) {
    const isMine = message.sender_id === document.body.dataset.me
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
      field(row, "initial").textContent = initialOf(name.textContent)
    }
  }

  #insert(entry, make) {
    if (this.#row(entry.seq)) return false
    const isNews = entry.actor.id !== document.body.dataset.me && entry.kind === "message"
    if (isNews && !this.#isAtEnd) this.#countMissed(this.#missed + 1)
    if (!this.#isLatest) return false
    const row = make()
    const add = () => {
      const after = this.#rows.findLast((other) => Number(other.dataset.seq) < entry.seq)
      if (after) after.after(row)
      else this.#list.prepend(row)
      if (isNews && (document.hidden || !this.#isAtEnd)) this.#drawLine(row)
      this.#tidyAround(row)
      this.#trim("top")
    }
    if (this.#isAtEnd) add()
    else keepInPlace(this, add)
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
    while (seq < position(this.#room)) {
      const path = `/chat/chat_rooms/${this.#room}/events?after=${seq}`
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
    line.textContent = say("announcement", words).slice(0, LONGEST_ANNOUNCEMENT)
    log.append(line)
    while (log.children.length > ANNOUNCEMENTS) log.firstElementChild.remove()
  }

  // What is on its way

  #pending(clientId) {
    return clientId ? this.querySelector(`.message--pending[data-client-id="${CSS.escape(clientId)}"]`) : null
  }

  #showPending(item, isNew = false) {
    if (!this.#isLatest) return isNew ? this.#toLatest() : undefined
    if (this.#rows.some((row) => row.dataset.clientId === item.client_id)) return discard(item.client_id)
    const { me, myName } = document.body.dataset
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
    field(row, "state-text").textContent = item.failed ?? say(navigator.onLine ? "sending" : "waiting")
    for (const button of field(row, "state").querySelectorAll("button")) button.hidden = !item.failed
  }

  // Rows

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
      this.#setEnd("older", Number(left[0].dataset.seq))
      while (!this.#list.firstElementChild.dataset.seq) this.#list.firstElementChild.remove()
      tidy(left[0])
    } else {
      this.#setEnd("newer", Number(left.at(-1).dataset.seq))
      while (!this.#list.lastElementChild.dataset.seq) this.#list.lastElementChild.remove()
    }
  }

  /** Note where the rows end on one side: at a number, or with the log itself (null). */
  #setEnd(name, seq) {
    if (seq === null) this.removeAttribute(name)
    else this.setAttribute(name, seq)
    const more = this.querySelector(`[data-more=${name}]`)
    more.hidden = seq === null
    const query = name === "older" ? `?before=${seq}` : `?after=${seq}`
    more.querySelector("a").href = `/rooms/${this.#room}${query}`
  }

  // Moving about in the history

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
    const query = name === "older" ? `?before=${seq}` : `?after=${seq}`
    try {
      const { page } = await fetchPage(`/rooms/${this.#room}${query}`)
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
    } catch {
      // No answer: scrolling on, or the link, asks again.
      return
    } finally {
      this.#isFetching = false
    }
    this.#scrolled()
  }

  /** Show the room as it is now, from the server. */
  async #fetchLatest() {
    const { page } = await fetchPage(`/rooms/${this.#room}`).catch(() => ({}))
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

  // What is new

  #countMissed(missed) {
    if (missed === this.#missed) return
    this.#missed = missed
    this.#showJump()
  }

  #showJump() {
    const jump = this.#jump
    jump.hidden = this.#isAtEnd || (this.#isLatest && -this.scrollTop < this.clientHeight / 2 && !this.#missed)
    jump.classList.toggle("jump--new", this.#missed > 0)
    const text = jump.querySelector("[data-jump-text]")
    jump.dataset.text ??= text.textContent
    text.textContent = this.#missed ? count("new_below", this.#missed) : jump.dataset.text
  }

  /** Draw the line above the first of the messages that are unread as the room is opened. */
  #markNews() {
    const item = document.querySelector(`.room[data-room="${this.#room}"]`)
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
    if (!document.hidden && this.#isAtEnd) announce("read", { room: this.#room })
  }

  #close() {
    const complaint = document.querySelector("message-composer [data-complaint]")
    complaint.textContent = say("removed_from_room")
    complaint.hidden = false
    for (const control of document.querySelectorAll("message-composer :is(textarea, button, input)")) {
      control.disabled = true
    }
  }

  // What is clicked

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
    if (act === "edit") announce("edit", { room: this.#room, id: row.dataset.id, content: contentOf(row) })
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
        await call("DELETE", `/chat/chat_rooms/${this.#room}/messages/${row.dataset.id}`)
      } catch (error) {
        announce("complaint", { room: this.#room, text: error.message || say("no_answer") })
      }
    }
    dialog.addEventListener("close", decide, { once: true })
  }
}

customElements.define("message-list", MessageList)
