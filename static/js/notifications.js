// The browser's notices of what is said where the reader does not look.

import { field, hear, one } from "#page"
import { senderOf } from "#people"
import { wordsOf } from "#rows"
import { visit } from "#visit"

const button = one("[data-notify]")
const wanted = document.body.dataset.notifications

const offer = () => (button.hidden = Notification.permission !== "default")

if (window.Notification && wanted !== "off") {
	button.addEventListener("click", () => Notification.requestPermission().then(offer))
	offer()
	hear({ news })
}

function news({ entry, isCall, item }) {
	const isSeen = !document.hidden && one("[aria-current]", item)
	const isWanted = isCall || (wanted !== "mentions" && !("muted" in item.dataset))
	if (isSeen || !isWanted || Notification.permission !== "granted") return
	const title = [...new Set([senderOf(entry), field(item, "name").textContent])].join(" · ")
	// One tag, so that a person's windows show one notice.
	const notice = new Notification(title, { body: wordsOf(entry), tag: `${entry.room_id}:${entry.seq}` })
	notice.onclick = () => {
		focus()
		visit(one("a", item).href)
		notice.close()
	}
}
