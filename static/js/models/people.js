// The names of the people that the page has mentioned.

const names = new Map()

/** Remember the names in a part of the page. */
export function meet(part) {
  for (const member of part.querySelectorAll("[data-person]")) names.set(member.dataset.person, member.dataset.name)
  for (const row of part.querySelectorAll("[data-sender]")) {
    const name = row.querySelector("[data-field=name]")
    if (name && !names.has(row.dataset.sender)) names.set(row.dataset.sender, name.textContent)
  }
}

export function nameOf(id, otherwise) {
  return names.get(id) ?? otherwise
}

export function meetPerson(id, name) {
  if (!names.has(id)) names.set(id, name)
}

/** The first letter or digit of a name, for where there is no picture. */
export function initialOf(name) {
  return (name.match(/[\p{L}\p{N}]/u)?.[0] ?? "·").toUpperCase()
}

/** The colour that tells a person apart, as chat/rows.py has it. */
export function hueOf(id) {
  return String(parseInt(id.slice(-1), 16) % 8)
}
