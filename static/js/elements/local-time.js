import { locale } from "chat/texts"

const DAY = 24 * 60 * 60 * 1000 // milliseconds
const formats = {}

function format(name, options) {
  return (formats[name] ??= new Intl.DateTimeFormat(locale, options))
}

const time = (moment) => format("time", { hour: "2-digit", minute: "2-digit" }).format(moment)
const full = (moment) => format("full", { dateStyle: "full", timeStyle: "short" }).format(moment)
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" })

/** Whole days from today to a moment, by the reader's own calendar: -1 is yesterday. */
function daysFromToday(moment) {
  const midnight = (date) => new Date(date).setHours(0, 0, 0, 0)
  return Math.round((midnight(moment) - midnight(new Date())) / DAY)
}

const forms = {
  time,
  moment: (moment) => format("moment", { dateStyle: "medium", timeStyle: "short" }).format(moment),
  brief(moment) {
    const days = daysFromToday(moment)
    if (days === 0) return time(moment)
    if (days === -1) return relative.format(days, "day")
    if (days < 0 && days > -7) return format("weekday", { weekday: "short" }).format(moment)
    return format("date", { dateStyle: "short" }).format(moment)
  },
  day(moment) {
    const days = daysFromToday(moment)
    if (days === 0 || days === -1) {
      const word = relative.format(days, "day")
      return word[0].toLocaleUpperCase(locale) + word.slice(1)
    }
    return format("day", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(moment)
  },
}

/** A moment where the reader is, in the digits and the calendar of the page's language. */
class LocalTime extends HTMLElement {
  static observedAttributes = ["datetime"]

  attributeChangedCallback() {
    const moment = new Date(this.getAttribute("datetime"))
    if (isNaN(moment)) return
    this.textContent = forms[this.getAttribute("form")](moment)
    this.title = full(moment)
  }
}

customElements.define("local-time", LocalTime)
