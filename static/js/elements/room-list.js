import { announce } from "chat/announce"
import { all, field, isCalled, one, write } from "chat/dom"
import { define } from "chat/element"
import { follow, position, restart } from "chat/live"
import { learn, me, nameOf, senderOf } from "chat/people"
import { wordsOf } from "chat/rows"
import { request } from "chat/socket"
import { count, digits, say } from "chat/texts"
import { fetchPage } from "chat/visit"

const TELL_DELAY = 300 // milliseconds, to tell once of many messages seen

/** The person's rooms, the last active first, and what is unread in each. */
define("room-list", (element, { hear, listen, soon, part }) => {
	const list = one(".room-items", element)
	const items = () => [...list.children]
	const itemOf = (room) => one(`[data-room="${room}"]`, list)
	const refreshSoon = soon(refresh)
	const totalSoon = soon(total, 0)
	let telling
	let title

	function adopt(item) {
		follow(item.dataset.room, Number(item.dataset.seq))
		show(item)
	}

	function take(entry) {
		const item = itemOf(entry.room_id)
		if (!item) return
		const { kind, seq, sender_id, room_id } = entry
		const { dataset } = item
		const isPrivate = "private" in dataset
		dataset.seq = Math.max(dataset.seq, seq)
		if (kind === "room" && entry.name != null && !isPrivate) write(item, { name: entry.name })
		if (entry.target === Number(dataset.lastMessage)) {
			if (kind === "delete") write(item, { preview: say("deleted") })
			if (kind === "edit") write(item, { preview: wordsOf(entry) })
		}
		if (kind !== "message" || seq <= dataset.lastMessage) return
		const isMine = sender_id === me
		const isCall = !isMine && (entry.mentions_all || entry.mentions?.includes(me))
		dataset.number = Number(dataset.number) + 1
		dataset.lastMessage = seq
		if (isCall) dataset.mentions = Number(dataset.mentions) + 1
		one("local-time", item).setAttribute("datetime", entry.timestamp)
		write(item, { preview: wordsOf(entry) })
		if (!isPrivate) {
			dataset.sender = sender_id
			write(item, { sender: senderOf(entry) })
			field(item, "colon").hidden = false
			learn(room_id, sender_id)
		}
		if (isMine) markRead(room_id)
		else announce("news", { entry, isCall, item })
		show(item)
		toTop(item)
	}

	function toTop(item) {
		if (list.firstElementChild === item) return
		const focused = item.contains(document.activeElement) && document.activeElement
		list.prepend(item)
		if (focused) focused.focus()
	}

	function markRead(room) {
		const item = itemOf(room)
		if (!item || item.dataset.readSeq >= Number(item.dataset.seq)) return
		readTo(item, item.dataset.seq)
		clearTimeout(telling)
		// Should it get lost, the next message seen says it again.
		telling = setTimeout(() => position(room) && request("read", { room, seq: position(room) }).catch(() => {}), TELL_DELAY)
	}

	function readTo(item, readSeq) {
		Object.assign(item.dataset, { readSeq, readNumber: item.dataset.number, mentions: 0 })
		show(item)
	}

	function show(item) {
		const { number, readNumber, mentions } = item.dataset
		const unread = Math.max(0, number - readNumber)
		const isCalled = unread > 0 && mentions > 0
		item.dataset.unread = unread
		item.classList.toggle("room--unread", unread > 0)
		item.classList.toggle("room--called", isCalled)
		one(".room__unread", item).hidden = !unread
		write(item, {
			unread: digits(unread),
			"unread-text": count("unread", unread) + (isCalled ? say("comma") + say("called") : ""),
		})
		totalSoon()
	}

	/** In the window's title and icon; of muted rooms, only what calls the person counts. */
	function total() {
		const loud = items().filter(({ dataset }) => !("muted" in dataset) || dataset.mentions > 0)
		const unread = loud.reduce((sum, { dataset }) => sum + Number(dataset.unread), 0)
		const { favicon, faviconUnread } = document.body.dataset
		document.title = unread ? say("title_unread", { count: digits(unread), title }) : title
		part("empty").hidden = list.hasChildNodes()
		one("link[rel=icon]").href = unread ? faviconUnread : favicon
	}

	function takeTitle() {
		title = document.title
		total()
	}

	/** Read the list anew, for rooms that this page does not know. */
	async function refresh() {
		const { response: page } = await fetchPage("/", { part: "rooms" })
		for (const fresh of page ? all(".room-items > .room", page).reverse() : []) {
			const { room, seq } = fresh.dataset
			const known = itemOf(room)
			if (known && known.dataset.seq >= Number(seq)) continue
			known?.remove()
			list.prepend(fresh)
			adopt(fresh)
			restart(room, Number(seq))
		}
		visited()
	}

	function visited() {
		takeTitle()
		const here = one("message-list")?.getAttribute("room")
		for (const item of items()) one("a", item).ariaCurrent = item.dataset.room === here ? "page" : null
	}

	function showPresence(isOnline) {
		for (const dot of all("[data-presence]")) dot.hidden = !(isOnline(dot.dataset.presence) ?? !dot.hidden)
	}

	hear({
		entry: take,
		room_gone({ room }) {
			itemOf(room)?.remove()
			total()
		},
		room_unknown: refreshSoon,
		room_stale: refreshSoon,
		seen: ({ room }) => markRead(room),
		read({ room_id, user, seq }) {
			const item = itemOf(room_id)
			if (item && user.id === me && seq >= item.dataset.lastMessage) readTo(item, seq)
		},
		membership({ room_id, muted }) {
			itemOf(room_id)?.toggleAttribute("data-muted", muted)
			total()
		},
		presence({ changes }) {
			const news = new Map(changes.map(({ user, online }) => [user.email, online]))
			showPresence((email) => news.get(email))
		},
		// Nobody has told who came and went meanwhile.
		async caught_up() {
			const { users } = await request("get_online_users").catch(() => ({}))
			if (users) showPresence((email) => users.includes(email))
		},
		visited,
		renamed: takeTitle,
		met({ room }) {
			const item = itemOf(room)
			if (item) write(item, { sender: nameOf(item.dataset.sender, field(item, "sender").textContent) })
		},
	})
	listen(part("filter"), "input", ({ target }) => {
		for (const item of items()) item.hidden = !isCalled(item, target.value)
		part("none").hidden = items().some((item) => !item.hidden)
	})
	part("filter").hidden = false
	items().forEach(adopt)
	visited()
})
