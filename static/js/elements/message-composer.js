import { discard, keep, post, recall } from "#outbox"
import { all, clone, define, field, keepFocus, one, say, tell, write } from "#page"
import { anyUpload, split, wordsIn } from "#rows"
import { call, request, upload } from "#server"

const TYPING_INTERVAL = 3_000 // milliseconds

const joined = (...parts) => parts.filter((part) => part?.trim()).join("\n")
const filesOf = (row) => all("a", field(row, "files")).map((link) => link.getAttribute("href"))
const quoteIn = (part) => ["quote-name", "quote-text"].map((name) => field(part, name).textContent)
const entersSend = document.body.dataset.enterSends !== "false"

/** Where a person writes, answers, edits and uploads. */
define("message-composer", (composer, { room, hear, listen, acts, part }) => {
	const form = one("form", composer)
	const text = form.content
	const picker = form.file
	const about = part("about")
	const draft = `draft:${room}`
	const files = part("files")
	const urls = () => [...files.children].map((item) => item.dataset.url)
	const complain = (words) => (part("complaint").textContent = words)
	let editing = null // a message's row
	let toldAt = 0

	function pressed(event) {
		const { key, shiftKey, altKey, ctrlKey, metaKey } = event
		if (event.isComposing || text.ariaAutoComplete) return // it is for what is proposed
		const mine = all(".message--mine[data-seq]:not(.message--deleted)")
		if (key === "Enter" && !altKey && (ctrlKey || metaKey || shiftKey !== entersSend)) form.requestSubmit()
		else if (key === "ArrowUp" && !text.value && !altKey && !editing && mine[0]) edit({ row: mine.at(-1) })
		else if (key === "Escape" && !about.hidden) cancel()
		else return
		event.preventDefault()
	}

	function submitted(event) {
		event.preventDefault()
		if (editing) return saveEdit()
		const content = joined(text.value, ...urls())
		if (!content || urls().includes(undefined)) return // still on its way
		const replyTo = Number(form.reply_to.value) || undefined
		files.replaceChildren()
		text.value = ""
		explain()
		post(room, content, replyTo)
	}

	function typed() {
		keepDraft()
		if (editing || !text.value || Date.now() - toldAt < TYPING_INTERVAL) return
		toldAt = Date.now()
		request("typing", { room }).catch(() => {}) // nobody misses it
	}

	function keepDraft() {
		if (editing) return
		const written = [joined(text.value, ...urls()), form.reply_to.value, ...quoteIn(about)]
		keep(draft, joined(...written) && written)
	}

	/** Say above the text what becomes of it: an edit, or a reply. */
	function explain(seq = "", name, words) {
		const becomes = editing ? "edit" : seq && "reply"
		complain("")
		about.hidden = !becomes
		for (const each of all("[data-when]", about)) each.hidden = each.dataset.when !== becomes
		write(about, { "quote-name": name, "quote-text": words })
		form.reply_to.value = seq
		keepDraft()
	}

	/** Go on with a text, and the files that it links to. */
	function resume(content, seq, ...quoted) {
		const written = split(content, anyUpload)
		text.value = written.text
		for (const { name, url } of written.files) attach(name).dataset.url = url
		explain(seq, ...quoted)
	}

	function edit({ row }) {
		const { seq, clientId, replyTo, text: words } = row.dataset
		if (seq) {
			keepDraft()
			editing = row
			text.value = words
			explain()
		} else {
			if (editing) cancel()
			discard(clientId)
			resume(joined(text.value, words, ...filesOf(row)), replyTo, ...quoteIn(row))
			row.remove()
		}
		text.focus()
	}

	function cancel() {
		const [content, seq, ...quoted] = editing ? (recall(draft) ?? [""]) : [text.value]
		editing = null
		text.value = split(content, anyUpload).text
		explain(seq, ...quoted)
		text.focus()
	}

	function saveEdit() {
		const row = editing
		const content = joined(text.value, ...filesOf(row))
		if (content) return call("PATCH", `${room}/messages/${row.dataset.id}`, { content }).then(cancel, ({ message }) => complain(message))
		cancel()
		tell("delete", { room, row })
	}

	function attach(name, list = "files") {
		const item = clone(list)
		write(item, { name })
		part(list).append(item)
		return item
	}

	function addFiles(chosen, event) {
		if (!chosen.length) return
		event.preventDefault()
		if (!editing) [...chosen].forEach(send)
	}

	async function send(file) {
		const { name } = file
		const item = attach(name)
		complain("")
		try {
			const { file_url } = await upload(file, (share, request) => (files.contains(item) ? (one("progress", item).value = share) : request.abort()))
			item.dataset.url = file_url
			keepDraft()
		} catch ({ message: reason, status }) {
			if (!files.contains(item)) return
			item.remove()
			complain(say("file_failed", { name, reason }))
			if (status >= 400 && status < 429) return // it would be refused again
			// The same click takes it from its list.
			field(attach(name, "failed"), "retry").onclick = () => send(file)
		}
	}

	function insert(emoji) {
		text.setRangeText(emoji, text.selectionStart, text.selectionEnd, "end")
		typed()
		text.focus()
	}

	acts({
		cancel,
		"remove-file"(item) {
			item.remove()
			keepDraft()
			text.focus()
		},
		"choose-emoji": (item, button) => tell("choose_emoji", { button, choose: insert }),
	})
	hear({
		room_gone({ isClosed }) {
			complain(say(isClosed ? "room_closed" : "removed_from_room"))
			keepFocus(() => (part("line").disabled = true))
		},
		edit,
		reply({ row }) {
			if (editing) cancel()
			explain(row.dataset.seq, field(row, "name").textContent, wordsIn(row))
			text.focus()
		},
		complaint: ({ message }) => complain(message),
		connected: () => part("complaint").textContent === say("no_answer") && complain(""),
	})
	listen(form, "submit", submitted)
	listen(text, "keydown", pressed)
	listen(text, "input", typed)
	listen(text, "paste", (event) => addFiles(event.clipboardData.files, event))
	listen(picker, "change", (event) => {
		addFiles(picker.files, event)
		picker.value = ""
	})
	listen(document, "dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault())
	listen(document, "drop", (event) => addFiles(event.dataTransfer.files, event))
	picker.multiple = true
	if (!text.value && about.hidden) resume(...(recall(draft) ?? [""]))
})
