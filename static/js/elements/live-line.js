import { all } from "chat/dom"
import { define } from "chat/element"
import { learn, me, namesOf } from "chat/people"
import { say } from "chat/texts"

const LASTS = 5_000 // milliseconds

/** Says who is writing, and who has read the last message if it is the reader's own. */
define("live-line", (line, { room, hear, part }) => {
	const typing = new Map()
	const read = new Map(all("[data-read]").map(({ dataset }) => [dataset.person, Number(dataset.read)]))

	function show() {
		const writers = [...typing.keys()]
		part("typing").textContent = writers.length ? say(writers.length > 1 ? "typing_some" : "typing_one", { people: namesOf(writers) }) : ""
		const last = all("message-list:not([newer]) .message[data-seq]").at(-1)
		const readers = [...read.keys()].filter((id) => id !== me && read.get(id) >= last?.dataset.seq)
		part("seen").textContent = readers.length && last.matches(".message--mine") ? say("seen_by", { people: namesOf(readers) }) : ""
	}

	function stop(id) {
		clearTimeout(typing.get(id))
		typing.delete(id)
		show()
	}

	hear({
		typing({ user: { id } }) {
			if (id === me) return
			stop(id)
			typing.set(id, setTimeout(stop, LASTS, id))
			learn(room, id)
			show()
		},
		read({ user, seq }) {
			read.set(user.id, seq)
			learn(room, user.id)
			show()
		},
		entry: (entry) => (entry.kind === "message" ? stop(entry.sender_id) : show()),
		met: show,
		visited: show,
	})
	show()
})
