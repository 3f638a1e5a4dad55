import { all, define, digits, field, one, say, write } from "#page"
import { me, namesOf } from "#people"

const LASTS = 5_000 // milliseconds
const MOST_FACES = 4

const words = (text, ids) => (ids.length ? say(text, { people: namesOf(ids) }) : "")

/** Says who is writing, and who has read how far. */
define("live-line", (line, { hear, soon, part }) => {
	const typing = new Map()
	const showReadSoon = soon(showRead)
	let read

	function showTyping() {
		part("typing").textContent = words(typing.size > 1 ? "typing_some" : "typing_one", [...typing.keys()])
	}

	function stop(id) {
		clearTimeout(typing.get(id))
		typing.delete(id)
		showTyping()
	}

	function takeRead() {
		read = new Map(all("[data-read]").map(({ dataset }) => [dataset.person, Number(dataset.read)]))
		showRead()
	}

	function showRead() {
		read.delete(me)
		const rows = all("message-list:not([newer]) .message[data-seq]").reverse()
		const faceless = new Set(read.keys())
		const wrote = new Set() // and so has read what came before
		for (const row of rows) {
			const { seq, sender } = row.dataset
			wrote.add(sender)
			const readers = [...read.keys()].filter((id) => wrote.has(id) || read.get(id) >= seq)
			const seen = words("seen_by", readers)
			if (row.matches(".message--mine")) write(row, { seen })
			showFaces(field(row, "faces"), readers.filter((id) => faceless.delete(id) && id !== sender), seen)
		}
		part("seen").textContent = rows[0] ? field(rows[0], "seen").textContent : ""
	}

	function showFaces(slot, ids, label) {
		slot.hidden = !ids.length
		slot.title = slot.ariaLabel = label
		if (slot.dataset.people === ids.join()) return
		slot.dataset.people = ids.join()
		const faces = ids.flatMap((id) => all(`#person-${id} .avatar`)).slice(0, MOST_FACES)
		const others = ids.length - faces.length
		slot.replaceChildren(...faces.map((face) => face.cloneNode(true)), others ? `+${digits(others)}` : "")
	}

	hear({
		typing({ user: { id } }) {
			if (id === me) return
			stop(id)
			typing.set(id, setTimeout(stop, LASTS, id))
			showTyping()
		},
		read({ user: { id }, seq }) {
			read.set(id, seq)
			showReadSoon()
		},
		entry({ kind, sender_id }) {
			if (kind === "message") stop(sender_id)
			showReadSoon()
		},
		met() {
			showTyping()
			showReadSoon()
		},
		visited: takeRead,
	})
	takeRead()
})
