import { rewind } from "#live"
import { discard, retry, unsent } from "#outbox"
import { all, clone, count, define, field, keepFocus, one, say, tell, write } from "#page"
import { learn, me, meet, senderOf } from "#people"
import * as rows from "#rows"
import { call, fetchPage, request } from "#server"

const MOST_ROWS = 300 // in the document
const NEAR = 600 // pixels from an end
const AT_END = 48 // pixels that count as there
const ANNOUNCEMENTS = 5

/**
 * A window on a room's history, whose end follows what happens. A row's `rev` is the last entry that
 * it shows: what arrives twice changes nothing.
 */
define("message-list", (element, { room, hear, listen, soon, acts, part }) => {
	const list = one(".messages", element)
	const jump = one("[data-jump]")
	const latestText = field(jump, "text").textContent
	const stored = () => all("[data-seq]", list)
	const rowAt = (seq) => one(`[data-seq="${seq}"]`, list)
	const pendingRow = (id) => all(".message--pending", list).find((row) => row.dataset.clientId === id)
	const top = (part) => part?.getBoundingClientRect().top
	const rowsRead = () => stored().filter((row) => row.getBoundingClientRect().bottom > top(element))
	const seqRead = () => Number(rowsRead()[0]?.dataset.seq ?? 0)
	const nameAll = () => all(".message", list).forEach((row) => rows.name(row))
	const isLatest = () => !element.hasAttribute("newer")
	const isAtEnd = () => isLatest() && -element.scrollTop < AT_END
	/** Fetch what is no message: notices, the room's name, its details. */
	const refreshSoon = soon(() => show(isAtEnd() ? 0 : seqRead()))
	const complain = (error) => tell("complaint", error)
	let moving // to other rows, while they are fetched
	let around // the number the window was moved to
	let missed = 0 // came while the reader was further up
	let firstNew = one(".new-line + .message", list)?.dataset.seq // has the line above it

	/** At the end one stays at the end, elsewhere at what one reads. */
	function keepPlace(change, heir) {
		const [first, anchor = first] = isAtEnd() ? [] : rowsRead()
		const before = top(anchor)
		keepFocus(change, heir)
		if (anchor?.isConnected) element.scrollTop += top(anchor) - before
	}

	function take(entry) {
		if (entry.kind === "message") takeMessage(entry)
		else if (entry.target) change(entry)
		else refreshSoon()
	}

	function takeMessage(message) {
		const isNews = message.sender_id !== me
		const pending = !isNews && pendingRow(message.client_id)
		if (!rowAt(message.seq)) {
			if (isNews) {
				readOut(message)
				missed++
				if (document.hidden || !isAtEnd()) firstNew ??= message.seq
			}
			if (isLatest()) insert(message)
			showJump()
		}
		if (!pending) return
		keepFocus(() => pending.remove())
		element.scrollTop = 0
	}

	function made(message) {
		const row = rows.messageRow(message)
		learn(room, message.sender_id, ...(message.mentions ?? [])).then((isNew) => isNew && rows.fill(row, message))
		if (message.reply_to) quote(row)
		return row
	}

	function insert(message) {
		const { seq } = message
		const row = made(message)
		keepPlace(() => {
			const before = stored().findLast((other) => other.dataset.seq < seq)
			if (before) before.after(row)
			else list.prepend(row)
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
		keepPlace(() => {
			rows.fill(row, { content: "", ...entry, edited_at: entry.created_at, deleted: entry.kind === "delete" })
			all(`[data-reply-to="${entry.target}"]`, list).forEach(quote)
		}, row)
	}

	async function quote(row) {
		const { replyTo } = row.dataset
		const quoted = rowAt(replyTo)
		if (quoted) return rows.quote(row, field(quoted, "name").textContent, rows.wordsIn(quoted))
		const path = `${room}/events?after=${replyTo - 1}&limit=1`
		const { entries: [message] = [] } = await call("GET", path).catch(() => ({}))
		if (message) keepPlace(() => rows.quote(row, senderOf(message), rows.wordsOf(message)))
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
		const row = made({ ...item, sender: document.body.dataset.myName, uploads: rows.anyUpload })
		row.classList.add("message--pending")
		list.append(row)
		dress()
		showState(item)
	}

	function showState({ client_id, failed }) {
		const row = pendingRow(client_id)
		if (!row) return
		row.classList.toggle("message--failed", !!failed)
		write(row, { state: failed ?? say("sending") })
	}

	function showReaction({ target, emoji, on }, person) {
		const row = rowAt(target)
		if (!row || row.matches(".message--deleted")) return
		learn(room, person)
		keepPlace(() => rows.react(row, emoji, person, on), field(row, "react-link"))
	}

	function toggleReaction(row, emoji) {
		const on = rows.chipOf(row, emoji)?.ariaPressed !== "true"
		const reaction = { room, target: Number(row.dataset.seq), emoji, on }
		showReaction(reaction, me)
		request("react", reaction).catch((error) => {
			showReaction({ ...reaction, on: !on }, me)
			complain(error)
		})
	}

	function confirmDelete({ row }) {
		const dialog = one("#confirm-delete")
		dialog.returnValue = ""
		dialog.showModal()
		dialog.onclose = () => dialog.returnValue && call("DELETE", `${room}/messages/${row.dataset.id}`).catch(complain)
	}

	function dress() {
		for (const line of all(".day, .new-line", list)) line.remove()
		for (const row of all("[data-at]", list)) rows.follow(row, row.previousElementSibling)
		const first = rowAt(firstNew)
		first?.before(clone("new-line"))
		first?.classList.remove("message--continued")
	}

	/** Move the window to the rows around `seq`, or with 0 to the end. */
	async function show(seq) {
		const mine = (moving = {})
		const { response: page } = await fetchPage(`/rooms/${room}/${seq || ""}`)
		const fetched = page && one("message-list", page)
		if (mine !== moving) return
		moving = null
		if (!fetched || !element.isConnected) return
		around = seq
		meet(page)
		nameAll()
		keepPlace(() => {
			list.replaceChildren(...all("[data-seq]", fetched).map((row) => rowAt(row.dataset.seq) ?? row))
			for (const name of ["older", "newer", "moderates"]) {
				element.toggleAttribute(name, fetched.hasAttribute(name))
				part(name)?.replaceWith(one(`[data-part=${name}]`, fetched))
			}
			dress()
			unsent(room).forEach(showUnsent)
		})
		for (const fresh of all("[data-live]", page)) {
			const known = one(`#${fresh.id}`)
			if (!known.isEqualNode(fresh)) keepFocus(() => known.replaceWith(fresh))
		}
		document.title = page.title
		tell("visited")
		rewind(room, Number(fetched.getAttribute("last-seq")))
		scrolled()
	}

	async function toLatest() {
		history.replaceState(null, "", `/rooms/${room}`)
		if (!isLatest()) await show(0)
		element.scrollTop = 0
		showJump()
	}

	function scrolled() {
		const fromStart = element.scrollHeight - element.clientHeight + element.scrollTop
		const isNearEnd = (fromStart < NEAR && element.hasAttribute("older")) || (-element.scrollTop < NEAR && !isLatest())
		const seq = isNearEnd && !moving && seqRead()
		if (seq && seq !== around) show(seq)
		showJump()
		seen()
	}

	function showJump() {
		if (isAtEnd()) missed = 0
		keepFocus(() => (jump.hidden = isAtEnd() || (isLatest() && -element.scrollTop < element.clientHeight / 2 && !missed)))
		jump.classList.toggle("button--primary", missed > 0)
		write(jump, { text: missed ? count("new_below", missed) : latestText })
	}

	function seen() {
		if (!document.hidden && isAtEnd()) tell("seen", { room })
	}

	hear({
		entry: take,
		async pending(item) {
			firstNew = null
			await toLatest()
			if (!pendingRow(item.client_id)) showUnsent(item)
			element.scrollTop = 0
		},
		progress: showState,
		delete: confirmDelete,
		met: nameAll,
		room_stale: refreshSoon,
		caught_up: seen,
		room_gone: () => keepFocus(() => all(".message__aside, .details .pane-body").forEach((each) => (each.hidden = true))),
	})
	acts({
		latest: toLatest,
		retry: (row) => keepFocus(() => retry(row.dataset.clientId)),
		discard(row) {
			discard(row.dataset.clientId)
			keepFocus(() => row.remove())
		},
		edit: (row) => tell("edit", { room, row }),
		reply: (row) => tell("reply", { room, row }),
		delete: (row) => confirmDelete({ row }),
		react: (row, chip) => toggleReaction(row, chip.value),
		"choose-reaction": (row, button) => tell("choose_emoji", { button, choose: (emoji) => toggleReaction(row, emoji) }),
	})
	listen(document, "click", ({ target }) => {
		for (const menu of all("details[open]", list)) menu.open = menu.contains(target) && !target.closest("a:not([data-act=choose-reaction])")
	})
	listen(element, "scroll", scrolled)
	listen(document, "visibilitychange", seen)
	listen(jump, "click", toLatest)
	// What is called an image and is none is shown as a file.
	listen(list, "error", ({ target }) => target.closest(".file").classList.remove("file--image"), { capture: true })
	meet(document)
	dress()
	unsent(room).forEach(showUnsent)
	one("[autofocus]", list)?.scrollIntoView()
	rewind(room, Number(element.getAttribute("last-seq")))
	scrolled()
})
