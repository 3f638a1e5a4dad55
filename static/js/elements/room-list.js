import { ListeningElement } from "chat/elements/listening"
import { follow, position, restart } from "chat/live"
import { learn, me, nameOf } from "chat/models/people"
import { field } from "chat/models/rows"
import { request } from "chat/socket"
import { count, digits, say } from "chat/texts"
import { showUnread, takeTitle } from "chat/unread"
import { fetchPage } from "chat/visit"

const REFRESH_DELAY = 150 // milliseconds, to fetch the list once for many changes
const TELL_DELAY = 300 // milliseconds, to tell once of many messages seen
const PREVIEW_LENGTH = 120
const MOST_SHOWN = 99

/** The person's rooms, the most recently active first, and what is unread in each. */
class RoomList extends ListeningElement {
  #refresh
  #totalling
  #telling

  connected() {
    for (const item of this.#items) this.#adopt(item)
    this.hear("entry", (entry) => this.#take(entry))
    this.hear("room_gone", ({ room }) => this.#remove(room))
    for (const news of ["room_unknown", "room_stale"]) this.hear(news, () => this.#fetchSoon())
    this.hear("seen", ({ room }) => this.#markRead(room))
    this.hear("read", (news) => this.#readElsewhere(news))
    this.hear("presence", ({ changes }) => changes.forEach(({ user, online }) => this.#showPresence(user.email, online)))
    this.hear("visited", () => this.#visited())
    this.hear("renamed", takeTitle)
    this.hear("met", ({ room }) => this.#name(room))
    this.hear("caught_up", () => this.#askWhoIsOnline())
    const filter = this.querySelector("[data-filter]")
    filter.hidden = false
    this.listen(filter, "input", (event) => this.#filter(event.target.value))
    this.#visited()
  }

  get #list() {
    return this.querySelector(".room-items")
  }

  get #items() {
    return [...this.#list.children]
  }

  #item(room) {
    return this.querySelector(`[data-room="${room}"]`)
  }

  #adopt(item) {
    follow(item.dataset.room, Number(item.dataset.seq))
    this.#showUnread(item)
  }

  #take(entry) {
    const item = this.#item(entry.room_id)
    if (!item) return
    item.dataset.seq = entry.seq
    if (entry.kind === "room" && entry.name != null && !("private" in item.dataset)) {
      field(item, "name").textContent = entry.name
    }
    if (entry.kind !== "reaction" && entry.target && entry.target === Number(item.dataset.lastMessage)) {
      this.#preview(item, entry.kind === "delete" ? say("deleted") : (entry.content ?? ""))
    }
    if (entry.kind !== "message" || entry.seq <= Number(item.dataset.lastMessage)) return
    item.dataset.number = Number(item.dataset.number) + 1
    item.dataset.lastMessage = entry.seq
    item.querySelector("local-time").setAttribute("datetime", entry.timestamp)
    this.#preview(item, entry.content)
    if (!("private" in item.dataset)) {
      item.dataset.sender = entry.sender_id
      field(item, "sender").textContent = nameOf(entry.sender_id, entry.sender)
      learn(entry.room_id, entry.sender_id)
      field(item, "colon").hidden = false
    }
    if (entry.sender_id === me) this.#markRead(entry.room_id)
    this.#showUnread(item)
    this.#toTop(item)
  }

  #preview(item, content) {
    field(item, "preview").textContent = content
      .replace(/^\/media\/[0-9a-f]{24}\/(\S+)$/gm, "$1")
      .replace(/\s+/g, " ")
      .slice(0, PREVIEW_LENGTH)
  }

  #name(room) {
    const item = this.#item(room)
    const sender = field(item, "sender")
    sender.textContent = nameOf(item.dataset.sender, sender.textContent)
  }

  #toTop(item) {
    if (this.#list.firstElementChild === item) return
    const focused = item.contains(document.activeElement) ? document.activeElement : null
    this.#list.prepend(item)
    focused?.focus()
  }

  #markRead(room) {
    const data = this.#item(room)?.dataset
    if (!data || Number(data.readSeq) >= Number(data.seq)) return
    data.readSeq = data.seq
    data.readNumber = data.number
    this.#showUnread(this.#item(room))
    clearTimeout(this.#telling)
    this.#telling = setTimeout(() => this.#tell(room), TELL_DELAY)
  }

  /** Let the server know, for this person's other devices and for the next time. */
  #tell(room) {
    const seq = position(room)
    if (seq) request("read", { room, seq }).catch(() => {}) // the next message seen says it again
  }

  #readElsewhere({ room_id: room, user, seq }) {
    const data = this.#item(room)?.dataset
    if (!data || user.id !== me || seq < Number(data.lastMessage)) return
    data.readSeq = seq
    data.readNumber = data.number
    this.#showUnread(this.#item(room))
  }

  #showUnread(item) {
    const unread = Math.max(0, item.dataset.number - item.dataset.readNumber)
    if (Number(item.dataset.unread ?? 0) !== unread) {
      item.dataset.unread = unread
      item.classList.toggle("room--unread", unread > 0)
      item.querySelector(".room__unread").hidden = !unread
      field(item, "unread").textContent = unread > MOST_SHOWN ? `${digits(MOST_SHOWN)}+` : digits(unread)
      field(item, "unread-text").textContent = count("unread", unread)
    }
    clearTimeout(this.#totalling)
    this.#totalling = setTimeout(() => this.#total())
  }

  #total() {
    showUnread(this.#items.reduce((sum, item) => sum + Number(item.dataset.unread ?? 0), 0))
  }

  #remove(room) {
    this.#item(room)?.remove()
    this.#total()
  }

  #fetchSoon() {
    this.#refresh ??= setTimeout(() => this.#fetch(), REFRESH_DELAY)
  }

  /** Read the list anew, for rooms that this page does not know or has lost track of. */
  async #fetch() {
    this.#refresh = undefined
    const answer = await fetchPage("/", { part: "rooms" })
    const listed = answer.page?.querySelectorAll(".room-items > [data-room]") ?? []
    for (const fresh of [...listed].reverse()) {
      const { room, seq } = fresh.dataset
      const known = this.#item(room)
      if (known && Number(known.dataset.seq) >= Number(seq)) continue
      const item = document.adoptNode(fresh)
      known?.remove()
      this.#list.prepend(item)
      this.#adopt(item)
      restart(room, Number(seq))
    }
    this.#visited()
  }

  #visited() {
    takeTitle()
    const room = document.querySelector("message-list")?.getAttribute("room")
    for (const item of this.#items) {
      item.querySelector("a").ariaCurrent = item.dataset.room === room ? "page" : null
    }
  }

  #filter(text) {
    const wanted = text.trim().toLocaleLowerCase()
    for (const item of this.#items) item.hidden = !field(item, "name").textContent.toLocaleLowerCase().includes(wanted)
    this.querySelector("[data-none]").hidden = this.#items.some((item) => !item.hidden)
  }

  /** After an outage, nobody has told who came and went meanwhile. */
  async #askWhoIsOnline() {
    const { users } = await request("get_online_users").catch(() => ({}))
    if (!users) return
    const online = new Set(users)
    for (const dot of document.querySelectorAll("[data-presence]")) dot.hidden = !online.has(dot.dataset.presence)
  }

  #showPresence(email, isOnline) {
    for (const dot of document.querySelectorAll(`[data-presence="${CSS.escape(email)}"]`)) dot.hidden = !isOnline
  }
}

customElements.define("room-list", RoomList)
