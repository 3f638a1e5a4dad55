// Walk the Socket.IO part of the contract with the official JavaScript client, and say what held.
//
//     node acceptance/contract_walk.mjs http://127.0.0.1:8000
//
// Prints a line for each check and at the end `N passed, M failed`; exits with 1 when any failed.
// The client comes from the checkout's node_modules, REST is Node's own fetch.

import { randomBytes } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { io } from "socket.io-client"

const PATIENCE = 30_000 // ms; only tells "alive" from "stuck", so it is generous on purpose
const AT_ONCE = 15_000 // ms; less than a ping interval of 25 s, which is when a silent refusal ends
const TRANSPORTS = {
  "polling and upgrade": undefined,
  "websocket only": ["websocket"],
  "polling only": ["polling"],
}
const INVALID_DATA = "Invalid data"
const NO_ROOM = "0123456789abcdef01234567"

// ---- the tally

let section = ""
let passed = 0
let failed = 0

function check(name, got, expected) {
  const holds = typeof expected === "function" ? Boolean(expected(got)) : isDeepStrictEqual(got, expected)
  if (holds) {
    passed += 1
    console.log(`ok    ${section}: ${name}`)
  } else {
    failed += 1
    console.log(`FAIL  ${section}: ${name} | expected ${shown(expected)} | got ${shown(got)}`)
  }
}

function shown(value) {
  const text = typeof value === "function" ? (value.says ?? value.name) : JSON.stringify(value) ?? "undefined"
  return text.length <= 400 ? text : `${text.slice(0, 400)}… (${text.length} characters)`
}

// An object with at least these fields: the contract welcomes more.
function atLeast(fields) {
  const holds = (got) =>
    Object.entries(fields).every(([name, value]) =>
      typeof value === "function" ? value(got?.[name]) : isDeepStrictEqual(got?.[name], value),
    )
  holds.says = JSON.stringify(fields).replace(/}$/, ", …}")
  return holds
}

function someText(got) {
  return typeof got === "string" && got.trim() !== ""
}

function anError(got) {
  return someText(got?.message)
}
anError.says = "{message: some text, …}"

function aRefusal(ack) {
  return ack?.ok === false && someText(ack.message)
}
aRefusal.says = "{ok: false, message: some text, …}"

// ---- people and their devices

class Person {
  #url
  #devices = []

  constructor(url, name) {
    const suffix = randomBytes(4).toString("hex")
    this.#url = url
    this.username = `${name}_${suffix}`
    this.email = `${name}.${suffix}@example.com`
    this.password = randomBytes(12).toString("base64url")
  }

  async join() {
    const { username, email, password } = this
    await this.request("POST", "/auth/signup", { username, email, password })
    const form = new URLSearchParams({ username: email, password })
    const response = await fetch(`${this.#url}/auth/login`, { method: "POST", body: form })
    this.token = (await response.json()).access_token
    return this
  }

  // Make a REST request with JSON and return the answer's; an error status throws.
  async request(method, path, body) {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        ...(this.token && { Authorization: `Bearer ${this.token}` }),
        ...(body && { "Content-Type": "application/json" }),
      },
      body: body && JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  makeRoom(members, fields = {}) {
    const emails = members.map((person) => person.email)
    return this.request("POST", "/chat/chat_rooms/", { name: "A room", members: emails, ...fields })
  }

  post(room, content) {
    return this.request("POST", `/chat/chat_rooms/${room.id}/messages`, { content })
  }

  messages(room) {
    return this.request("GET", `/chat/chat_rooms/${room.id}/messages`)
  }

  async connect(options = {}) {
    const device = new Device(this.#url, { auth: { token: this.token }, ...options })
    this.#devices.push(device)
    await device.opened
    return device
  }

  disconnect() {
    for (const device of this.#devices.splice(0)) device.close()
  }
}

// One connection of socket.io-client, which remembers all that came, in order.
class Device {
  received = [] // [event, first argument, all arguments]
  #waiting = new Set()

  constructor(url, options) {
    this.socket = io(url, { forceNew: true, reconnection: false, ...options })
    this.socket.onAny((event, ...args) => {
      this.received.push([event, args[0], args])
      for (const look of this.#waiting) look()
    })
    this.opened = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("neither let in nor refused")), AT_ONCE)
      this.socket.once("connect", () => {
        clearTimeout(timer)
        resolve()
      })
      this.socket.once("connect_error", (error) => {
        clearTimeout(timer)
        reject(error)
      })
    })
    this.opened.catch(() => {}) // whoever awaits it still hears of it
  }

  get transport() {
    return this.socket.io.engine.transport.name
  }

  close() {
    this.socket.disconnect()
  }

  // Resolve with the first payload of an event, also an earlier one, for which `where` holds.
  waitFor(event, where = () => true, within = PATIENCE) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.received.find(([name, payload]) => name === event && where(payload))
        if (!found) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(found[1])
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        const came = shown(this.received.map(([name, payload]) => [name, payload]))
        reject(new Error(`no such ${event} within ${within} ms; came: ${came}`))
      }, within)
      this.#waiting.add(look)
      look()
    })
  }

  all(event, where = () => true) {
    return this.received.filter(([name, payload]) => name === event && where(payload)).map(([, payload]) => payload)
  }

  // Emit and resolve with the acknowledgement.
  call(event, ...args) {
    return this.socket.timeout(PATIENCE).emitWithAck(event, ...args)
  }

  async online() {
    this.received = []
    this.socket.emit("get_online_users")
    return this.waitFor("online_users")
  }

  async lives() {
    try {
      await this.online()
    } catch {
      return false
    }
    return this.socket.connected
  }
}

// Try to connect; give the Error of `connect_error`, or undefined when let in.
async function refusalOf(url, options) {
  const device = new Device(url, options)
  try {
    await device.opened
    return undefined
  } catch (error) {
    return error
  } finally {
    device.close()
  }
}

async function eventually(condition, what) {
  const deadline = Date.now() + PATIENCE
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function unique(text) {
  return `${text} ${randomBytes(4).toString("hex")}`
}

// A test for any event that carries this text as its message or content.
function about(text) {
  return (payload) => [payload?.content, payload?.message, payload?.message?.content].includes(text)
}

// All that a device heard about a message, its receipt included.
function newsOf(device, text) {
  return device.received.filter(([, payload]) => about(text)(payload)).map(([event, payload]) => [event, payload])
}

// Wait until a message sent now has reached every device: what has not come by then was not sent.
async function fence(sender, room, ...devices) {
  const text = unique("fence")
  await sender.post(room, text)
  await Promise.all(devices.map((device) => device.waitFor("chat_response", about(text))))
}

// ---- the steps

async function beingLetIn({ alice }) {
  const ways = {
    "auth {token}": { auth: { token: alice.token } },
    "auth as a function": { auth: (give) => give({ token: alice.token }) },
  }
  for (const scheme of ["Bearer", "bearer", "BEARER"]) {
    const extraHeaders = { Authorization: `${scheme} ${alice.token}` }
    ways[`extraHeaders ${scheme}`] = { auth: undefined, extraHeaders }
  }
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    for (const [name, options] of Object.entries(ways)) {
      const device = await alice.connect({ transports, ...options })
      const expected = transport === "polling only" ? "polling" : "websocket"
      await eventually(() => device.transport === expected, `transport ${expected}`)
      check(`${transport}, ${name}: let in`, await device.lives(), true)
      device.close()
    }
  }
}

async function beingRefused({ url, alice }) {
  const cases = {
    nothing: {},
    "an empty token": { auth: { token: "" } },
    "a bad token": { auth: { token: "garbage" } },
    "a token cut off": { auth: { token: alice.token.slice(0, -4) } },
    "a token of null": { auth: { token: null } },
    "a token that is an object": { auth: { token: { $ne: "" } } },
    "auth that is a list": { auth: [alice.token] },
    "a bad token in the header": { extraHeaders: { Authorization: "Bearer garbage" } },
    "a header of another scheme": { extraHeaders: { Authorization: `Token ${alice.token}` } },
  }
  const refused = (error) => error instanceof Error && someText(error.message)
  refused.says = "connect_error with a message"
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    for (const [name, options] of Object.entries(cases)) {
      const error = await refusalOf(url, { transports, ...options })
      const byService = (got) => refused(got) && !/neither|xhr|websocket error|timeout/.test(got.message)
      byService.says = "connect_error with the service's own message"
      check(`${transport}, ${name}: refused at once`, error, byService)
    }
    const error = await refusalOf(`${url}/no_such_namespace`, { transports, auth: { token: alice.token } })
    check(`${transport}, a namespace that is not there: refused`, error instanceof Error, true)
  }
}

async function aMessageBySocket({ alice, bob, carol }) {
  const room = await alice.makeRoom([bob])
  const theirs = await carol.makeRoom([])
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    const sender = await alice.connect({ transports })
    const phone = await alice.connect()
    const stranger = await carol.connect()
    const devices = { "sender's phone": phone }
    for (const [name, ways] of Object.entries(TRANSPORTS)) {
      devices[`a member, ${name}`] = await bob.connect({ transports: ways })
    }
    const text = unique("hello سلام 👩‍👩‍👧")

    const ack = await sender.call("chat_message", { room: room.id, message: text })
    check(`${transport}: who asks gets an acknowledgement`, ack, atLeast({ ok: true }))
    await sender.waitFor("chat_response", about(text))
    const everybody = [sender, ...Object.values(devices)]
    await Promise.all(everybody.map((device) => device.waitFor("broadcast_message", about(text))))
    await fence(alice, room, ...everybody)
    await fence(carol, theirs, stranger)

    const [stored] = (await bob.messages(room)).filter((message) => message.content === text)
    const broadcast = {
      id: stored.id,
      room_id: room.id,
      sender: alice.email,
      content: text,
      timestamp: stored.timestamp,
    }
    const of = (device, event) => newsOf(device, text).filter(([name]) => name === event).map(([, payload]) => payload)
    check(`${transport}: the sender gets one receipt of exactly two keys`, of(sender, "chat_response"), [
      { status: "received", message: text },
    ])
    check(`${transport}: the sender gets nothing else but one broadcast`, newsOf(sender, text).length, 2)
    check(`${transport}: as it is stored`, of(sender, "broadcast_message")[0], atLeast(broadcast))
    for (const [name, device] of Object.entries(devices)) {
      check(`${transport}: ${name} hears of it once`, newsOf(device, text).length, 1)
      check(`${transport}: ${name}: by broadcast_message, as it is stored`, of(device, "broadcast_message")[0], atLeast(broadcast))
    }
    check(`${transport}: a stranger hears nothing`, newsOf(stranger, text), [])
    for (const person of [alice, bob, carol]) person.disconnect()
  }
}

async function aMessageByRest({ alice, bob, carol }) {
  const room = await alice.makeRoom([bob])
  const theirs = await carol.makeRoom([])
  const stranger = await carol.connect()
  const devices = { "the sender's device": await alice.connect() }
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    devices[`a member, ${name}`] = await bob.connect({ transports })
  }
  const text = unique("by REST")
  const posted = await alice.post(room, text)
  await fence(alice, room, ...Object.values(devices))
  await fence(carol, theirs, stranger)
  const { id, sender, content, timestamp } = posted
  for (const [name, device] of Object.entries(devices)) {
    const news = newsOf(device, text)
    check(`${name} hears of it once`, news.map(([event]) => event), ["chat_response"])
    check(`${name} is told the room`, news[0]?.[1], atLeast({ room_id: room.id }))
    check(`${name} gets the message as stored`, news[0]?.[1]?.message, atLeast({ id, sender, content, timestamp }))
  }
  check("a stranger hears nothing", newsOf(stranger, text), [])
}

async function roomsMadeWhileConnected({ alice, bob }) {
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    const writer = await alice.connect({ transports })
    const reader = await bob.connect({ transports })
    for (const [kind, fields] of [["room", {}], ["private chat", { is_group_chat: false }]]) {
      const room = await alice.makeRoom([bob], fields)
      const spoken = unique("welcome")
      writer.socket.emit("chat_message", { room: room.id, message: spoken })
      const heard = await reader.waitFor("broadcast_message", about(spoken))
      check(`${transport}: who was connected before a ${kind} was made hears it`, heard, atLeast({ room_id: room.id }))
      const written = unique("by REST")
      await alice.post(room, written)
      const read = await reader.waitFor("chat_response", about(written))
      check(`${transport}: in a ${kind} by REST too`, read, atLeast({ room_id: room.id }))
    }
    for (const person of [alice, bob]) person.disconnect()
  }
}

async function orderOfOneSender({ alice, bob }) {
  const texts = Array.from({ length: 60 }, (_, number) => `number ${number}`)
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    const room = await alice.makeRoom([bob])
    const writer = await alice.connect({ transports })
    const reader = await bob.connect({ transports })
    const acks = await Promise.all(
      texts.map((message) => writer.call("chat_message", { room: room.id, message })),
    )
    check(`${transport}: 60 acknowledgements, all ok`, acks.every((ack) => ack?.ok === true), true)
    await fence(alice, room, reader, writer)
    const heard = reader.all("broadcast_message").map((payload) => payload.content)
    check(`${transport}: 60 messages in a row are heard in order, once`, heard, texts)
    const stored = (await alice.messages(room)).map((message) => message.content)
    check(`${transport}: and stored in order, once`, stored.slice(0, texts.length), texts)
    for (const person of [alice, bob]) person.disconnect()
  }
}

async function whoIsOnline({ newcomer, carol }) {
  const [ann, ben] = [await newcomer("ann"), await newcomer("ben")]
  await ann.makeRoom([ben])
  await ann.makeRoom([ben])
  const chat = await ann.makeRoom([ben], { is_group_chat: false })
  const isOnline = async () => {
    const chats = await ann.request("GET", "/chat/private_chats/")
    return chats.find(({ id }) => id === chat.id).is_online
  }
  const asker = await ann.connect()
  const stranger = await carol.connect()
  // The contract leaves open whether the asker is in the list.
  const others = async () => (await asker.online()).filter((email) => email !== ann.email)
  check("nobody else at first", await others(), [])
  const phone = await ben.connect({ transports: ["websocket"] })
  const tablet = await ben.connect({ transports: ["polling"] })
  await eventually(async () => (await others()).length === 1, "one person online")
  check("once, however many devices and rooms", await others(), [ben.email])
  check("is_online says the same", await isOnline(), true)
  for (const payload of [null, {}, [], "x", 7, Buffer.from([0, 1])]) {
    asker.received = []
    asker.socket.emit("get_online_users", payload)
    const emails = await asker.waitFor("online_users")
    check(`asked with ${shown(payload)}`, emails.filter((email) => email !== ann.email), [ben.email])
  }
  check("a stranger is told of nobody", (await stranger.online()).filter((email) => email !== carol.email), [])
  phone.close()
  check("one device of two gone: online", await others(), [ben.email])
  tablet.close()
  await eventually(async () => (await others()).length === 0, "nobody online")
  check("the last one gone: offline", await isOnline(), false)
  for (const person of [ann, ben]) person.disconnect()
}

async function malformedEvents({ alice, bob, carol }) {
  const room = await alice.makeRoom([bob])
  const theirs = await carol.makeRoom([])
  const hello = "hello"
  const malformed = {
    nothing: [],
    null: [null],
    "a list": [[room.id, hello]],
    "a number": [7],
    "a text": [hello],
    bytes: [Buffer.from([0, 1, 2])],
    "an empty object": [{}],
    "no room": [{ message: hello }],
    "no message": [{ room: room.id }],
    "a room of null": [{ room: null, message: hello }],
    "a room that is an operator": [{ room: { $ne: "" }, message: hello }],
    "a room of bytes": [{ room: Buffer.alloc(12), message: hello }],
    "a message of null": [{ room: room.id, message: null }],
    "a message that is a number": [{ room: room.id, message: 7 }],
    "a message that is an object": [{ room: room.id, message: { $gt: "" } }],
    "a message of bytes": [{ room: room.id, message: Buffer.from(hello) }],
  }
  const refused = {
    "an empty message": { room: room.id, message: "" },
    "only white space": { room: room.id, message: " \n\t " },
    NUL: { room: room.id, message: "a\0b" },
    "half a surrogate pair": { room: room.id, message: "a\ud800b" },
    "8,001 characters": { room: room.id, message: "x".repeat(8_001) },
    "900 kB": { room: room.id, message: "x".repeat(900_000) },
    "1 MB": { room: room.id, message: "x".repeat(1_000_000) },
    "the room of others": { room: theirs.id, message: hello },
    "a room that does not exist": { room: NO_ROOM, message: hello },
    "an id too short": { room: room.id.slice(1), message: hello },
    "an id not of hex digits": { room: "z".repeat(24), message: hello },
  }
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    let device = await alice.connect({ transports })
    const cases = [
      ...Object.entries(malformed).map(([name, args]) => [name, args, atLeast({ message: INVALID_DATA })]),
      ...Object.entries(refused).map(([name, payload]) => [name, [payload], anError]),
    ]
    for (const [name, args, expected] of cases) {
      if (!device.socket.connected) device = await alice.connect({ transports })
      device.received = []
      device.socket.emit("chat_message", ...args)
      const error = await device.waitFor("error", undefined, AT_ONCE).catch((late) => late.message)
      const what = `${transport}, chat_message with ${name}`
      check(`${what}: error`, error, expected)
      check(`${what}: no receipt`, device.all("chat_response"), [])
      check(`${what}: the connection lives`, await device.lives(), true)
    }
    const ack = await device.call("chat_message", { room: theirs.id, message: hello }).catch((error) => error.message)
    check(`${transport}: who asks for an acknowledgement is refused in it`, ack, aRefusal)
    alice.disconnect()
  }
  check("nothing of that was stored", await alice.messages(room), [])
  check("nor in the room of others", await carol.messages(theirs), [])
}

async function comingBack({ alice, bob }) {
  const room = await alice.makeRoom([bob])
  const device = await bob.connect({ reconnection: true, reconnectionDelay: 10 })
  device.socket.io.engine.close() // as when a network goes
  await eventually(() => device.socket.connected, "connected again")
  const text = unique("welcome back")
  await alice.post(room, text)
  await device.waitFor("chat_response", about(text))
  await fence(alice, room, device)
  check("a client that reconnects by itself hears what follows, once", newsOf(device, text).length, 1)
}

// ---- the walk

const STEPS = [
  beingLetIn,
  beingRefused,
  aMessageBySocket,
  aMessageByRest,
  roomsMadeWhileConnected,
  orderOfOneSender,
  whoIsOnline,
  malformedEvents,
  comingBack,
]

async function walk(url) {
  const cast = []
  const newcomer = async (name) => {
    const person = await new Person(url, name).join()
    cast.push(person)
    return person
  }
  const [alice, bob, carol] = [await newcomer("alice"), await newcomer("bob"), await newcomer("carol")]
  for (const step of STEPS) {
    section = step.name
    try {
      await step({ url, alice, bob, carol, newcomer })
    } catch (error) {
      const [, line = "?"] = /contract_walk\.mjs:(\d+)/.exec(error.stack.split("\n").reverse().join("\n")) ?? []
      check("runs to its end", `${error.message} (line ${line})`, "no exception")
    } finally {
      for (const person of cast) person.disconnect()
    }
  }
}

const url = process.argv[2]?.replace(/\/+$/, "")
if (!url) {
  console.error("usage: node acceptance/contract_walk.mjs URL")
  process.exit(2)
}
await walk(url)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
