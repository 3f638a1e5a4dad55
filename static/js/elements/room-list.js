import { hear } from "chat/announce"
import { follow, restart } from "chat/live"
import { keep, onKeptElsewhere, recall } from "chat/models/kept"
import { learn, nameOf } from "chat/models/people"
import { field } from "chat/models/rows"
import { isConnected, request } from "chat/socket"
import { count, digits, say } from "chat/texts"
import { showUnread, takeTitle } from "chat/unread"
import { fetchPage } from "chat/visit"

const PRESENCE_INTERVAL = 60_000 // milliseconds
const REFRESH_DELAY = 150 // milliseconds, to fetch the list once for many changes
const PREVIEW_LENGTH = 120
const MOST_SHOWN = 99

/** The person's rooms, the most recently active first, and what is unread in each. */
class RoomList extends HTMLElement {
  #listening
  #refresh
  #reads

  connectedCallback() {
    this.#listening = new AbortController()
    const { signal } = this.#listening
    const reads = recall("read")
    this.#reads = reads ?? {}
    for (const item of this.#items) this.#adopt(item, reads === null)
    hear("entry", (entry) => this.#take(entry), signal)
    hear("room_gone", ({ room }) => this.#remove(room), signal)
    hear("room_unknown", () => this.#fetchSoon(), signal)
    hear("room_stale", () => this.#fetchSoon(), signal)
    hear("read", ({ room }) => this.#markRead(room), signal)
    hear("visited", () => this.#visited(), signal)
    hear("renamed", () => takeTitle(), signal)
    hear("met", ({ room }) => this.#name(room), signal)
    hear("connected", () => this.#askWhoIsOnline(), signal)
    onKeptElsewhere("read", (elsewhere) => this.#readElsewhere(elsewhere), signal)
    const filter = this.querySelector("[data-filter]")
    filter.hidden = false
    filter.querySelector("input").addEventListener("input", (event) => this.#filter(event.target.value), { signal })
    const timer = setInterval(() => document.hidden || this.#askWhoIsOnline(), PRESENCE_INTERVAL)
    signal.addEventListener("abort", () => clearInterval(timer))
    this.#visited()
  }

  disconnectedCallback() {
    this.#listening.abort()
  }

  get #list() {
    return this.querySelector(".room-items")
  }

  get #items() {
    return [...this.#list.children]
  }

  #item(room) {
    return this.querySelector(`[data-room="${CSS.escape(room)}"]`)
  }

  /** Follow a room that the server has listed. What was there before the first visit is read. */
  #adopt(item, isFirstVisit) {
    const { room, number, seq } = item.dataset
    follow(room, Number(seq))
    if (!(room in this.#reads) || "mine" in item.dataset) {
      const isNews = !isFirstVisit && !("mine" in item.dataset) && item.dataset.at > item.dataset.joined
      this.#reads[room] = isNews ? Number(number) - 1 : Number(number)
      keep("read", this.#reads)
    }
    this.#showUnread(item)
  }

  #take(entry) {
    const item = this.#item(entry.room_id)
    if (!item) return
    item.dataset.seq = entry.seq
    if (entry.kind === "room" && entry.name != null && !("private" in item.dataset)) {
      field(item, "name").textContent = entry.name
    }
    if (entry.kind === "delete" && Number(item.dataset.lastMessage) === entry.target) {
      field(item, "preview").textContent = say("deleted")
    }
    if (entry.kind === "edit" && Number(item.dataset.lastMessage) === entry.target) {
      this.#preview(item, entry.content ?? "")
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
    if (entry.sender_id === document.body.dataset.me) this.#markRead(entry.room_id)
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
    const item = this.#item(room)
    if (!item || this.#reads[room] === Number(item.dataset.number)) return
    this.#reads[room] = Number(item.dataset.number)
    keep("read", this.#reads)
    this.#showUnread(item)
  }

  #readElsewhere(reads) {
    for (const [room, number] of Object.entries(reads ?? {})) {
      this.#reads[room] = Math.max(number, this.#reads[room] ?? 0)
    }
    for (const item of this.#items) this.#showUnread(item)
  }

  #showUnread(item) {
    const unread = Math.max(0, Number(item.dataset.number) - (this.#reads[item.dataset.room] ?? 0))
    if (Number(item.dataset.unread ?? 0) !== unread) {
      item.dataset.unread = unread
      item.classList.toggle("room--unread", unread > 0)
      item.querySelector(".room__unread").hidden = !unread
      field(item, "unread").textContent = unread > MOST_SHOWN ? `${digits(MOST_SHOWN)}+` : digits(unread)
      field(item, "unread-text").textContent = count("unread", unread)
    }
    clearTimeout(this.totalling)
    this.totalling = setTimeout(() => this.#total())
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
    const answer = await fetchPage("/", { part: "rooms" }).catch(() => null)
    const listed = answer?.page?.querySelectorAll(".room-items > [data-room]") ?? []
    for (const fresh of [...listed].reverse()) {
      const { room, seq } = fresh.dataset
      const known = this.#item(room)
      if (known && Number(known.dataset.seq) >= Number(seq)) continue
      const item = document.adoptNode(fresh)
      known?.remove()
      this.#list.prepend(item)
      this.#adopt(item, false)
      restart(room, Number(seq))
    }
    this.#visited()
  }

  #visited() {
    takeTitle()
    const room = document.querySelector("message-list")?.getAttribute("room")
    for (const item of this.#items) {
      const anchor = item.querySelector("a")
      if (item.dataset.room === room) anchor.setAttribute("aria-current", "page")
      else anchor.removeAttribute("aria-current")
    }
    this.#askWhoIsOnline()
  }

  #filter(text) {
    const wanted = text.trim().toLocaleLowerCase()
    for (const item of this.#items) item.hidden = !field(item, "name").textContent.toLocaleLowerCase().includes(wanted)
    this.querySelector("[data-none]").hidden = this.#items.some((item) => !item.hidden)
  }

  async #askWhoIsOnline() {
    if (!isConnected()) return
    const { users } = await request("get_online_users").catch(() => ({}))
    if (!users) return
    const online = new Set(users)
    for (const dot of document.querySelectorAll("[data-presence]")) dot.hidden = !online.has(dot.dataset.presence)
  }
}

customElements.define("room-list", RoomList)
