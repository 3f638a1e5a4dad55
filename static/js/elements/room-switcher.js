import { field } from "chat/models/rows"
import { visit } from "chat/visit"

const MOST_SHOWN = 50

/** Goes to a room by some letters of its name. */
class RoomSwitcher extends HTMLElement {
  connectedCallback() {
    this.#input.addEventListener("input", () => this.#list())
    this.#input.addEventListener("keydown", (event) => this.#pressed(event))
    this.#options.addEventListener("click", (event) => this.#go(event.target.closest("[role=option]")))
  }

  open() {
    if (this.#dialog.open) return
    this.#input.value = ""
    this.#list()
    this.#dialog.showModal()
    this.#input.focus()
  }

  get #dialog() {
    return this.closest("dialog")
  }

  get #input() {
    return this.querySelector("input")
  }

  get #options() {
    return this.querySelector("[role=listbox]")
  }

  #list() {
    const wanted = this.#input.value.trim().toLocaleLowerCase()
    const rooms = [...document.querySelectorAll(".room-items > [data-room]")]
      .filter((item) => field(item, "name").textContent.toLocaleLowerCase().includes(wanted))
      .slice(0, MOST_SHOWN)
    this.#options.replaceChildren(...rooms.map((item, index) => this.#option(item, index)))
    this.#select(this.#options.firstElementChild)
  }

  #option(item, index) {
    const option = document.createElement("li")
    option.role = "option"
    option.id = `switcher-${index}`
    option.className = "switcher__room"
    option.dataset.url = item.querySelector("a").href
    const name = document.createElement("bdi")
    name.textContent = field(item, "name").textContent
    option.append(item.querySelector(".avatar").cloneNode(true), name)
    return option
  }

  #select(option) {
    for (const each of this.#options.children) each.ariaSelected = String(each === option)
    this.#input.setAttribute("aria-activedescendant", option?.id ?? "")
    option?.scrollIntoView({ block: "nearest" })
  }

  #pressed(event) {
    const selected = this.#options.querySelector("[aria-selected=true]")
    if (event.key === "Enter") this.#go(selected)
    else if (event.key === "ArrowDown") this.#select(selected?.nextElementSibling ?? this.#options.firstElementChild)
    else if (event.key === "ArrowUp") this.#select(selected?.previousElementSibling ?? this.#options.lastElementChild)
    else return
    event.preventDefault()
  }

  #go(option) {
    if (!option) return
    this.#dialog.close()
    visit(option.dataset.url)
  }
}

customElements.define("room-switcher", RoomSwitcher)
