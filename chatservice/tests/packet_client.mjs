// An official JavaScript client that writes down what it is sent: a line of JSON for each event.

import { io } from "socket.io-client"

const [url, transports] = process.argv.slice(2)
const socket = io(url, { transports: transports.split(","), reconnection: false })

const plain = (value) =>
  Buffer.isBuffer(value)
    ? { bytes: value.toString("hex") }
    : Array.isArray(value)
      ? value.map(plain)
      : value && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
        : value

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

socket.on("ask", (position, answer) => {
  tell(["ask", position])
  answer(position)
})
socket.onAny((name, ...args) => {
  if (name !== "ask") tell([name, ...args.map(plain)])
})
socket.on("disconnect", (reason) => {
  tell(["disconnect", reason])
  process.exit(0)
})
socket.on("connect_error", (error) => {
  tell(["connect_error", error.message])
  process.exit(1)
})
socket.on("connect", () => {
  const { engine } = socket.io
  const ready = () => tell(["ready", engine.transport.name])
  if (transports === "polling,websocket" && engine.transport.name === "polling") {
    engine.once("upgrade", ready)
  } else {
    ready()
  }
})
