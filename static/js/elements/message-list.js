import { announce } from "chat/announce"
import { call } from "chat/api"
import { all, clone, field, keepInPlace, one, rowsRead, write } from "chat/dom"
import { define } from "chat/element"
import { rewind } from "chat/live"
import { discard, retry, unsent } from "chat/outbox"
import { learn, me, meet, senderOf } from "chat/people"
import * as rows from "chat/rows"
import { request } from "chat/socket"
import { count, say } from "chat/texts"
import { fetchPage } from "chat/visit"

const MOST_ROWS = 300 // rows kept in the document
const NEAR = 600 // pixels from an end
const AT_END = 48 // pixels that still count as being there
const ANNOUNCEMENTS = 5

const seqOf = (row) => Number(row.dataset.seq)
const rowOf = (part) => part.closest(".message")

/**
 * A window on a room's history, whose end follows what happens. Rows know in `rev` the last entry
 * that they show: what arrives twice changes nothing the second time.
 */
define("message-list", (element, { room, hear, listen, soon, acts, part }) => {
	const list = one(".messages", element)
	const jump = one("[data-jump]")
	const latestText = field(jump, "text").textContent
	const stored = (kind = "") => all(`${kind}[data-seq]`, list)
	const rowAt = (seq) => one(`[data-seq="${seq}"]`, list)
	const pendingRow = (id) => all(".message--pending", list).find((row) => row.dataset.clientId === id)
	const seqRead = () => Number(rowsRead(element)[0]?.dataset.seq ?? 0)
	const nameAll = () => stored(".message").forEach((row) => rows.name(row))
	const isLatest = () => !element.hasAttribute("newer")
	const isAtEnd = () => isLatest() && -element.scrollTop < AT_END
	/** Fetch what is not a message: the notice of what happened, the room's name, its details. */
	const refreshSoon = soon(() => show(isAtEnd() ? 0 : seqRead()))
	const complain = (error) => announce("complaint", { room, words: error.message })
	/** At the end one stays at the end, elsewhere at what one reads. */
	const keepingPlace = (action) => (isAtEnd() ? action() : keepInPlace(element, action))
	let turn = 0
	let isMoving = false
	let around // the number that the window was moved to
	let missed = 0 // messages that came while the reader was further up
	let firstNew // the number of the message that the line is above

	function take(entry) {
		if (entry.kind === "message") return takeMessage(entry)
		if (entry.target) return change(entry)
		refreshSoon()
	}

	function takeMessage(message) {
		const isNews = message.sender_id !== me
		const pending = !isNews && pendingRow(message.client_id)
		if (!rowAt(message.seq)) {
			if (isNews) readOut(message)
			if (isNews && !isAtEnd()) showJump(missed + 1)
			if (isLatest()) insert(message, isNews)
		}
		if (!pending) return
		pending.remove()
		element.scrollTop = 0
	}

	function made(message) {
		const row = rows.messageRow(message)
		learn(room, message.sender_id, ...(message.mentions ?? [])).then((isNew) => isNew && rows.fill(row, message))
		if (message.reply_to) quote(row)
		return row
	}

	function insert(message, isNews) {
		const { seq } = message
		const row = made(message)
		keepingPlace(() => {
			const before = stored().findLast((other) => seqOf(other) < seq)
			if (before) before.after(row)
			else list.prepend(row)
			if (isNews && (document.hidden || !isAtEnd())) firstNew ??= seq
			dress()
		})
		if (stored().length > MOST_ROWS) refreshSoon()
		seen()
	}

	function change(entry) {
		const row = rowAt(entry.target)
		if (!row || row.dataset.rev >= entry.seq || row.matches(".message--deleted")) return
		row.dataset.rev = entry.seq
		if (entry.kind === "reaction") return showReaction(entry, entry.actor.id)
		keepingPlace(() => {
			rows.fill(row, { content: "", ...entry, edited_at: entry.created_at, deleted: entry.kind === "delete" })
			all(`[data-reply-to="${entry.target}"]`, list).forEach(quote)
		})
	}

	async function quote(row) {
		const { replyTo } = row.dataset
		const quoted = rowAt(replyTo)
		if (quoted) return rows.quote(row, field(quoted, "name").textContent, rows.wordsIn(quoted))
		const path = `${room}/events?after=${replyTo - 1}&limit=1`
		for (const message of (await call("GET", path).catch(() => null))?.entries ?? []) {
			const words = message.deleted ? say("deleted") : rows.wordsOf(message)
			keepingPlace(() => rows.quote(row, senderOf(message), words))
		}
	}

	/** For screen readers, which are never read the history by itself. */
	function readOut(message) {
		const log = one("#announcements")
		const textContent = say("announcement", { actor: senderOf(message), text: rows.wordsOf(message) })
		log.append(Object.assign(document.createElement("p"), { textContent }))
		while (log.children.length > ANNOUNCEMENTS) log.firstChild.remove()
	}

	function showUnsent(item) {
		if (stored().some((row) => row.dataset.clientId === item.client_id)) return discard(item.client_id)
		if (!isLatest()) return
		const uploads = { includes: () => true } // the server will say which
		const row = made({ ...item, sender_id: me, sender: document.body.dataset.myName, timestamp: item.at, uploads })
		row.classList.add("message--pending")
		list.append(row)
		dress()
		showState(item)
	}

	function showState({ client_id, failed }) {
		const row = pendingRow(client_id)
		if (!row) return
		const state = field(row, "state")
		row.classList.toggle("message--failed", Boolean(failed))
		write(row, { "state-text": failed ?? say("sending") })
		state.hidden = false
		for (const button of all("button", state)) button.hidden = !failed
	}

	function showReaction({ target, emoji, on }, person) {
		const row = rowAt(target)
		if (!row || row.matches(".message--deleted")) return
		learn(room, person)
		keepingPlace(() => rows.react(row, emoji, person, on))
	}

	function toggleReaction(row, emoji) {
		const on = rows.chipOf(row, emoji)?.ariaPressed !== "true"
		const reaction = { room, target: seqOf(row), emoji, on }
		showReaction(reaction, me)
		request("react", reaction).catch((error) => {
			showReaction({ ...reaction, on: !on }, me)
			complain(error)
		})
	}

	function confirmDelete(row) {
		const dialog = one("#confirm-delete")
		dialog.returnValue = ""
		dialog.showModal()
		dialog.onclose = () => {
			if (dialog.returnValue !== "delete") return
			call("DELETE", `${room}/messages/${row.dataset.id}`).catch(complain)
		}
	}

	function dress() {
		for (const line of all(".day, .new-line", list)) line.remove()
		for (const row of all("[data-at]", list)) rows.follow(row, row.previousElementSibling)
		rowAt(firstNew)?.before(clone("new-line"))
	}

	/** Move the window to the rows around `seq`, or with 0 to the end. */
	async function show(seq) {
		const mine = ++turn
		isMoving = true
		around = seq
		const { response: page } = await fetchPage(`/rooms/${room}/${seq || ""}`)
		const fetched = page && one("message-list", page)
		if (mine !== turn) return
		isMoving = false
		if (!fetched || !element.isConnected) return
		meet(page)
		nameAll()
		keepingPlace(() => {
			list.replaceChildren(...all("[data-seq]", fetched).map((row) => rowAt(row.dataset.seq) ?? row))
			for (const name of ["older", "newer"]) {
				element.toggleAttribute(name, fetched.hasAttribute(name))
				part(name).replaceWith(one(`[data-part=${name}]`, fetched))
			}
			dress()
			unsent(room).forEach(showUnsent)
		})
		for (const fresh of all("[data-live]", page)) {
			const known = one(`#${fresh.id}`)
			if (!known.isEqualNode(fresh)) known.replaceWith(fresh)
		}
		document.title = page.title
		announce("renamed")
		rewind(room, Number(fetched.getAttribute("last-seq")))
		scrolled()
	}

	async function toLatest() {
		if (!isLatest()) await show(0)
		element.scrollTop = 0
		showJump(0)
	}

	function scrolled() {
		const fromStart = element.scrollHeight - element.clientHeight + element.scrollTop
		const isNearEnd = (fromStart < NEAR && element.hasAttribute("older")) || (-element.scrollTop < NEAR && !isLatest())
		const seq = isNearEnd && !isMoving && seqRead()
		if (seq && seq !== around) show(seq)
		showJump(isAtEnd() ? 0 : missed)
		seen()
	}

	function showJump(number) {
		missed = number
		jump.hidden = isAtEnd() || (isLatest() && -element.scrollTop < element.clientHeight / 2 && !missed)
		jump.classList.toggle("button--primary", missed > 0)
		write(jump, { text: missed ? count("new_below", missed) : latestText })
	}

	function seen() {
		if (!document.hidden && isAtEnd()) announce("seen", { room })
	}

	hear({
		entry: take,
		async pending(item) {
			await toLatest()
			if (!pendingRow(item.client_id)) showUnsent(item)
			element.scrollTop = 0
		},
		progress: showState,
		met: nameAll,
		room_stale: refreshSoon,
		caught_up: seen,
	})
	acts({
		latest: toLatest,
		retry: (button) => retry(rowOf(button).dataset.clientId),
		discard(button) {
			discard(rowOf(button).dataset.clientId)
			rowOf(button).remove()
		},
		edit: (button) => announce("edit", { room, row: rowOf(button) }),
		reply: (button) => announce("reply", { room, row: rowOf(button) }),
		delete: (button) => confirmDelete(rowOf(button)),
		react: (chip) => toggleReaction(rowOf(chip), chip.value),
		"choose-reaction": (button) => announce("choose_emoji", { button, choose: (emoji) => toggleReaction(rowOf(button), emoji) }),
	})
	listen(element, "scroll", scrolled, { passive: true })
	listen(document, "visibilitychange", seen)
	listen(jump, "click", toLatest)
	meet(document)
	const unread = Number(one(`.room[data-room="${room}"]`)?.dataset.unread ?? 0)
	const messages = stored(".message")
	if (unread && isLatest() && messages.length) firstNew = seqOf(messages.at(-unread) ?? messages[0])
	all(".file--image img", list).forEach(rows.showImage)
	dress()
	unsent(room).forEach(showUnsent)
	rewind(room, Number(element.getAttribute("last-seq")))
	scrolled()
})
