import Combobox from "@github/combobox-nav"
import { follow } from "#live"
import { all, count, define, digits, field, isCalled, one, say, tell, write } from "#page"
import { learn, me, nameOf, senderOf } from "#people"
import { wordsOf } from "#rows"
import { fetchPage, request } from "#server"

const MOST_SHOWN = 50

/** The person's rooms, the last active first, and what is unread in each. */
define("room-list", (element, { hear, listen, soon, part }) => {
	const list = one(".room-items", element)
	const items = () => [...list.children]
	const itemOf = (room) => one(`[data-room="${room}"]`, list)
	const refreshSoon = soon(refresh)
	const totalSoon = soon(total)
	const untold = new Map() // how far rooms are read, until it is told
	const reportSoon = soon(report)
	let title

	function take(entry) {
		const { room_id, kind, seq, target, name, sender_id } = entry
		const item = itemOf(room_id)
		if (!item) return
		const { dataset } = item
		const isPrivate = "private" in dataset
		dataset.seq = Math.max(dataset.seq, seq)
		if (kind === "room" && name != null && !isPrivate) write(item, { name })
		if (kind !== "reaction" && target === Number(dataset.lastMessage)) write(item, { preview: wordsOf(entry) })
		if (kind !== "message" || seq <= dataset.lastMessage) return
		const isMine = sender_id === me
		const isCall = !isMine && (entry.mentions_all || entry.mentions?.includes(me))
		dataset.lastMessage = seq
		one("local-time", item).setAttribute("datetime", entry.timestamp)
		write(item, { preview: wordsOf(entry) })
		if (!isPrivate) {
			dataset.sender = sender_id
			write(item, { sender: senderOf(entry) })
			learn(room_id, sender_id)
		}
		if (isMine) markRead(room_id)
		else {
			show(item, Number(dataset.unread) + 1, Number(dataset.mentions) + (isCall ? 1 : 0))
			tell("news", { entry, isCall, item })
		}
		// Moved, it would lose the focus.
		if (!item.matches(":focus-within")) list.prepend(item)
	}

	function markRead(room) {
		const item = itemOf(room)
		if (!item || item.dataset.readSeq >= Number(item.dataset.seq)) return
		readTo(item, item.dataset.seq)
		untold.set(room, Number(item.dataset.seq))
		reportSoon()
	}

	function report() {
		// Should it get lost, the next message seen says it again.
		for (const [room, seq] of untold) request("read", { room, seq }).catch(() => {})
		untold.clear()
	}

	function readTo(item, seq) {
		item.dataset.readSeq = seq
		show(item, 0, 0)
	}

	function show(item, unread, mentions) {
		Object.assign(item.dataset, { unread, mentions })
		one(".room__unread", item).hidden = !unread
		write(item, {
			unread: digits(unread),
			"unread-text": count("unread", unread) + (mentions ? say("comma") + say("called") : ""),
		})
		totalSoon()
	}

	/** In the title and icon; of muted rooms, only what calls the person counts. */
	function total() {
		const loud = items().filter(({ dataset }) => !("muted" in dataset) || dataset.mentions > 0)
		const unread = loud.reduce((sum, { dataset }) => sum + Number(dataset.unread), 0)
		const { favicon, faviconUnread } = document.body.dataset
		document.title = unread ? say("title_unread", { count: digits(unread), title }) : title
		one("link[rel=icon]").href = unread ? faviconUnread : favicon
	}

	/** Read the list anew, for unknown rooms. */
	async function refresh() {
		const { response: page } = await fetchPage("/", { part: "rooms" })
		for (const fresh of page ? all(".room-items > .room", page).reverse() : []) {
			const { room, seq } = fresh.dataset
			const known = itemOf(room)
			if (known?.dataset.seq >= Number(seq)) continue
			known?.remove()
			list.prepend(fresh)
			follow(room, Number(seq))
		}
		visited()
	}

	function visited() {
		title = document.title
		total()
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
		met({ room }) {
			const item = itemOf(room)
			if (item) write(item, { sender: nameOf(item.dataset.sender, field(item, "sender").textContent) })
		},
	})
	listen(part("filter"), "input", ({ target }) => {
		for (const item of items()) item.hidden = !isCalled(item, target.value)
		part("none").hidden = items().some((item) => !item.hidden)
	})
	for (const { dataset } of items()) follow(dataset.room, Number(dataset.seq))
	visited()
})

/** Proposes rooms by name. An option is the room's own link. */
define("room-switcher", (switcher, { hear, listen }) => {
	const dialog = switcher.closest("dialog")
	const input = one("input", switcher)
	const list = one("[role=listbox]", switcher)
	const combobox = new Combobox(input, list, { firstOptionSelectionMode: "selected" })

	function propose() {
		const named = all(".room-items > .room").filter((item) => isCalled(item, input.value))
		list.replaceChildren(...named.slice(0, MOST_SHOWN).map((item) => Object.assign(one("a", item).cloneNode(true), { role: "option" })))
		combobox.resetSelection()
	}

	combobox.start()
	listen(input, "input", propose)
	listen(list, "combobox-commit", () => dialog.close())
	hear({
		switch_rooms() {
			input.value = ""
			dialog.showModal()
			propose()
		},
	})
})
