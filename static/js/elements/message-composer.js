import { call, upload } from "chat/api"
import { ListeningElement } from "chat/elements/listening"
import { keep, recall } from "chat/models/kept"
import { clone, contentOf, field } from "chat/models/rows"
import { post } from "chat/outbox"
import { request } from "chat/socket"
import { say } from "chat/texts"

const DRAFT_DELAY = 300 // milliseconds after the last key until a draft is kept
const TYPING_INTERVAL = 3_000 // milliseconds in which the others are told once that somebody types

/** Where a person writes: sends, edits, uploads, and keeps a draft for each room. */
class MessageComposer extends ListeningElement {
  #editing = null // the id of the message that is being edited
  #uploads = new Set()
  #draftTimer
  #toldAt = 0

  connected() {
    this.listen(this.#form, "submit", (event) => this.#submitted(event))
    this.listen(this.#text, "keydown", (event) => this.#pressed(event))
    this.listen(this.#text, "input", () => this.#typed())
    this.listen(this.#text, "paste", (event) => this.#addFiles(event.clipboardData.files, event))
    this.listen(this.#picker, "change", () => this.#picked())
    this.listen(this, "click", (event) => this.#clicked(event))
    this.hearOfRoom("room_gone", () => this.#close())
    this.hearOfRoom("edit", (message) => this.#edit(message))
    this.hearOfRoom("complaint", ({ text }) => this.#complain(text || say("no_answer")))
    this.#listenToDrops()
    this.#picker.multiple = true
    this.#picker.removeAttribute("name") // sent as soon as it is chosen, not with the form
    if (!this.#text.value) this.#text.value = recall(this.#draft) ?? ""
  }

  disconnected() {
    this.#keepDraft()
    for (const each of this.#uploads) each.abort.abort()
  }

  get #draft() {
    return `draft:${this.room}`
  }

  get #form() {
    return this.querySelector("form")
  }

  get #text() {
    return this.querySelector("textarea")
  }

  get #picker() {
    return this.querySelector("input[type=file]")
  }

  #pressed(event) {
    if (event.isComposing) return
    const breaks = document.body.dataset.enterSends === "false"
    if (event.key === "Enter" && !event.altKey && event.shiftKey === breaks) {
      event.preventDefault()
      this.#form.requestSubmit()
    } else if (event.key === "ArrowUp" && !this.#text.value && !event.altKey && !this.#editing) {
      const last = [...document.querySelectorAll(".message--mine[data-seq]:not(.message--deleted)")].at(-1)
      if (!last) return
      event.preventDefault()
      this.#edit({ id: last.dataset.id, content: contentOf(last) })
    } else if (event.key === "Escape" && this.#editing) {
      event.preventDefault()
      this.#stopEditing()
    }
  }

  #submitted(event) {
    event.preventDefault()
    if (this.#editing) return this.#saveEdit()
    if ([...this.#uploads].some((each) => !each.url)) return // still on its way
    const content = [this.#text.value, ...[...this.#uploads].map((each) => each.url)].filter((part) => part.trim()).join("\n")
    if (!content.trim()) return
    this.#uploads.clear()
    this.#complain("")
    this.querySelector("[data-files]").replaceChildren()
    this.#setText("")
    post(this.room, content)
    this.#text.focus()
  }

  #typed() {
    clearTimeout(this.#draftTimer)
    this.#draftTimer = setTimeout(() => this.#keepDraft(), DRAFT_DELAY)
    if (this.#editing || !this.#text.value || Date.now() - this.#toldAt < TYPING_INTERVAL) return
    this.#toldAt = Date.now()
    request("typing", { room: this.room }).catch(() => {}) // nobody misses it
  }

  #setText(text) {
    this.#text.value = text
    this.#keepDraft()
  }

  #keepDraft() {
    if (!this.#editing) keep(this.#draft, this.#text.value || null)
  }

  #complain(text) {
    const line = this.querySelector("[data-complaint]")
    line.textContent = text
    line.hidden = !text
  }

  #close() {
    this.#complain(say("removed_from_room"))
    for (const control of this.#form.elements) control.disabled = true
  }

  #edit({ id, content }) {
    this.#keepDraft()
    this.#editing = id
    this.querySelector("[data-editing]").hidden = false
    this.#text.value = content
    this.#text.focus()
  }

  #stopEditing() {
    this.#editing = null
    this.querySelector("[data-editing]").hidden = true
    this.#complain("")
    this.#setText(recall(this.#draft) ?? "")
    this.#text.focus()
  }

  async #saveEdit() {
    const content = this.#text.value
    if (!content.trim()) return
    try {
      await call("PATCH", `/chat/chat_rooms/${this.room}/messages/${this.#editing}`, { content })
      this.#stopEditing()
    } catch (error) {
      this.#complain(error.message || say("no_answer"))
    }
  }

  #picked() {
    this.#addFiles(this.#picker.files)
    this.#picker.value = ""
  }

  #addFiles(files, event) {
    if (!files?.length || this.#editing) return
    event?.preventDefault()
    this.#complain("")
    for (const file of files) this.#upload(file)
  }

  async #upload(file) {
    const item = clone("upload")
    const entry = { item, url: "", abort: new AbortController() }
    const bar = item.querySelector("progress")
    bar.setAttribute("aria-label", say("file_uploading", { name: file.name }))
    field(item, "name").textContent = file.name
    item.chatUpload = entry
    this.#uploads.add(entry)
    this.querySelector("[data-files]").append(item)
    try {
      const answer = await upload(file, { progress: (part) => (bar.value = part), signal: entry.abort.signal })
      entry.url = answer.file_url
      item.classList.add("upload--done")
    } catch (error) {
      this.#dropFile(entry)
      this.#complain(say("file_failed", { name: file.name, reason: error.message || say("no_answer") }))
    }
  }

  #dropFile(entry) {
    entry.abort.abort()
    entry.item.remove()
    this.#uploads.delete(entry)
  }

  #listenToDrops() {
    const pane = this.closest(".conversation")
    this.listen(pane, "dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault())
    this.listen(pane, "drop", (event) => this.#addFiles(event.dataTransfer.files, event))
  }

  #clicked(event) {
    const act = event.target.closest("[data-act]")?.dataset.act
    if (act === "cancel-edit") this.#stopEditing()
    if (act === "remove-file") {
      this.#dropFile(event.target.closest(".upload").chatUpload)
      this.#text.focus()
    }
  }
}

customElements.define("message-composer", MessageComposer)
