import { locale } from "#page"

const DAY = 86_400_000 // milliseconds

const formatter = (options) => new Intl.DateTimeFormat(locale, options).format
const time = formatter({ hour: "2-digit", minute: "2-digit" })
const weekday = formatter({ weekday: "short" })
const date = formatter({ dateStyle: "short" })
// With a weekday, browsers put Persian dates in a wrong order.
const day = formatter({ dateStyle: "long" })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" })

function daysSince(moment) {
	const midnight = (at) => new Date(at).setHours(0, 0, 0, 0)
	return Math.round((midnight(new Date()) - midnight(moment)) / DAY)
}

const forms = {
	time,
	moment: formatter({ dateStyle: "medium", timeStyle: "short" }),
	brief(moment) {
		const days = daysSince(moment)
		if (days === 1) return relative.format(-1, "day")
		return (days === 0 ? time : days > 0 && days < 7 ? weekday : date)(moment)
	},
	day(moment) {
		const days = daysSince(moment)
		const word = relative.format(-days, "day")
		return days === 0 || days === 1 ? word[0].toLocaleUpperCase(locale) + word.slice(1) : day(moment)
	},
}

/** A moment in the reader's zone, digits and calendar. */
class LocalTime extends HTMLElement {
	static observedAttributes = ["datetime"]

	attributeChangedCallback() {
		const moment = new Date(this.getAttribute("datetime"))
		if (isNaN(moment)) return
		this.textContent = forms[this.getAttribute("form")](moment)
		this.title = forms.moment(moment)
	}
}

customElements.define("local-time", LocalTime)
