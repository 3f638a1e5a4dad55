import { call, upload } from "#api"
import { all, announce, clone, field, keepFocus, one, write } from "#dom"
import { define } from "#element"
import { keep, recall } from "#kept"
import { wordsIn } from "#rows"
import { post } from "#outbox"
import { request } from "#socket"
import { say } from "#texts"

const TYPING_INTERVAL = 3_000 // milliseconds

const joined = (...parts) => parts.filter((each) => each?.trim()).join("\n")
const entersSend = document.body.dataset.enterSends !== "false"

/** Where a person writes, answers, edits and uploads. */
define("message-composer", (composer, { room, signal, hear, listen, soon, acts, part }) => {
	const form = one("form", composer)
	const text = form.content
	const picker = form.file
	const about = part("about")
	const draft = `draft:${room}`
	const files = part("files")
	const keepDraftSoon = soon(keepDraft)
	let editing = null // a message's row
	let toldAt = 0

	function pressed(event) {
		const { key, shiftKey, altKey, ctrlKey, metaKey } = event
		if (event.isComposing || text.ariaAutoComplete) return // it is for what is proposed
		if (key === "Enter" && !altKey && (ctrlKey || metaKey || shiftKey !== entersSend)) {
			form.requestSubmit()
		} else if (key === "ArrowUp" && !text.value && !altKey && !editing) {
			const last = all(".message--mine[data-seq]:not(.message--deleted)").at(-1)
			if (!last) return
			edit(last)
		} else if (key === "Escape" && !about.hidden) {
			cancel()
		} else return
		event.preventDefault()
	}

	function submitted(event) {
		event.preventDefault()
		if (editing) return saveEdit()
		const urls = [...files.children].map((item) => item.dataset.url)
		const content = joined(text.value, ...urls)
		if (!content || urls.includes(undefined)) return // still on its way
		files.replaceChildren()
		const replyTo = Number(form.reply_to.value) || undefined
		explain("")
		setText("")
		post(room, content, replyTo)
	}

	function typed() {
		keepDraftSoon()
		if (editing || !text.value || Date.now() - toldAt < TYPING_INTERVAL) return
		toldAt = Date.now()
		request("typing", { room }).catch(() => {}) // nobody misses it
	}

	function setText(value) {
		text.value = value
		keepDraft()
	}

	function keepDraft() {
		if (!editing) keep(draft, text.value)
	}

	function complain(words) {
		part("complaint").textContent = words
	}

	/** Say above the text what becomes of it: a `reply` to a row's message, an `edit`. */
	function explain(becomes, row) {
		complain("")
		about.hidden = !becomes
		for (const each of all("[data-when]", about)) each.hidden = each.dataset.when !== becomes
		if (row) write(about, { "quote-name": field(row, "name").textContent, "quote-text": wordsIn(row) })
		form.reply_to.value = row?.dataset.seq ?? ""
		text.focus()
	}

	function edit(row) {
		keepDraft()
		editing = row
		text.value = row.dataset.text
		explain("edit")
	}

	function cancel() {
		if (editing) {
			editing = null
			setText(recall(draft) ?? "")
		}
		explain("")
	}

	function saveEdit() {
		const urls = all("a", field(editing, "files")).map((link) => link.getAttribute("href"))
		const content = joined(text.value, ...urls)
		if (content) call("PATCH", `${room}/messages/${editing.dataset.id}`, { content }).then(cancel, ({ message }) => complain(message))
	}

	function addFiles(chosen, event) {
		if (!chosen.length || editing) return
		event.preventDefault()
		complain("")
		for (const file of chosen) send(file)
	}

	async function send(file) {
		const item = clone("upload")
		const { name } = file
		write(item, { name })
		files.append(item)
		try {
			const answer = await upload(file, (share, request) => (item.isConnected ? (one("progress", item).value = share) : request.abort()))
			item.dataset.url = answer.file_url
			item.classList.add("upload--done")
		} catch (error) {
			if (!item.isConnected) return
			item.remove()
			complain(say("file_failed", { name, reason: error.message }))
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
			text.focus()
		},
		"choose-emoji": (item, button) => announce("choose_emoji", { button, choose: insert }),
	})
	hear({
		room_gone({ isClosed }) {
			complain(say(isClosed ? "room_closed" : "removed_from_room"))
			keepFocus(() => [...form.elements].forEach((control) => (control.disabled = true)))
		},
		edit: ({ row }) => edit(row),
		reply({ row }) {
			if (editing) cancel()
			explain("reply", row)
		},
		complaint: ({ message }) => complain(message),
	})
	listen(form, "submit", submitted)
	listen(text, "keydown", pressed)
	listen(text, "input", typed)
	listen(text, "paste", (event) => addFiles(event.clipboardData.files, event))
	listen(picker, "change", (event) => {
		addFiles(picker.files, event)
		picker.value = ""
	})
	const pane = composer.closest(".conversation")
	listen(pane, "dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault())
	listen(pane, "drop", (event) => addFiles(event.dataTransfer.files, event))
	signal.onabort = keepDraft
	picker.multiple = true
	picker.removeAttribute("name") // sent when chosen, not with the form
	text.value ||= recall(draft) ?? ""
})
