// The peer: what the service does for a message, written for Node.js by the book.
//
//   DATABASE_URL=... DATABASE_NAME=... SECRET_KEY=... PORT=... node server.mjs
//
// It works on the service's own collections, so the documents, the indexes and the write concern
// are the same, and `manage.py check_rooms` can judge the logs that it writes.

import { createServer } from "node:http"
import { MongoClient, ObjectId } from "mongodb"
import { Server } from "socket.io"
import { activeUser, claimsOf } from "./people.mjs"
import { RoomLogs } from "./logs.mjs"
import { messagePayload, roomEvent } from "./payloads.mjs"

const MAX_BODY_BYTES = 1024 * 1024
const MAX_MESSAGE_LENGTH = 8_000
const ROOM_PATH = /^\/chat\/chat_rooms\/([0-9a-f]{24})\/messages\/?$/

class Refusal extends Error {
  constructor(status, detail) {
    super(detail)
    this.status = status
  }
}

const client = new MongoClient(process.env.DATABASE_URL, {
  w: "majority",
  journal: true,
  wtimeoutMS: 10_000,
})
await client.connect()
const db = client.db(process.env.DATABASE_NAME)
const secret = process.env.SECRET_KEY
const logs = new RoomLogs(db, announce)

const http = createServer((request, response) => {
  answer(request).then(
    ([status, payload]) => send(response, status, payload),
    (error) => {
      if (!(error instanceof Refusal)) console.error(error)
      send(response, error.status ?? 500, { detail: error.status ? error.message : "Failed" })
    },
  )
})
const io = new Server(http, { maxHttpBufferSize: 2 * 1024 * 1024, serveClient: false })

function announce(roomId, entries) {
  for (const entry of entries) io.to(roomId).emit("room_event", roomEvent(entry))
}

// REST

function send(response, status, payload) {
  const body = Buffer.from(JSON.stringify(payload))
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length })
  response.end(body)
}

async function answer(request) {
  const [path, query] = request.url.split("?", 2)
  const roomId = ROOM_PATH.exec(path)?.[1]
  if (!roomId) throw new Refusal(404, "Not found")
  const user = await authenticate(/^bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1])
  switch (request.method) {
    case "GET":
      return [200, await readMessages(user, roomId, new URLSearchParams(query).get("limit"))]
    case "POST": {
      const { content, client_id: clientId } = parse(await bodyOf(request))
      return [201, messagePayload(await post(user, roomId, content, clientId, "rest"))]
    }
    default:
      throw new Refusal(405, "Method not allowed")
  }
}

async function authenticate(token) {
  const claims = claimsOf(token, secret)
  const user = claims && (await activeUser(db, claims))
  if (!user) throw new Refusal(401, "Could not validate credentials")
  return user
}

async function bodyOf(request) {
  const parts = []
  let length = 0
  for await (const part of request) {
    length += part.length
    if (length > MAX_BODY_BYTES) throw new Refusal(413, "Too large")
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function parse(body) {
  try {
    return JSON.parse(body)
  } catch {
    throw new Refusal(400, "Not JSON")
  }
}

async function readMessages(user, roomId, limitText) {
  const limit = Number(limitText ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) throw new Refusal(400, "Bad limit")
  const room = new ObjectId(roomId)
  if (!(await logs.isMember(user._id, room))) throw new Refusal(404, "Chat room not found")
  const page = await db
    .collection("chat_entry")
    .find({ room_id: room, kind: "message" })
    .sort({ seq: -1 })
    .limit(limit)
    .toArray()
  return page.reverse().map(messagePayload)
}

async function post(user, roomId, content, clientId, via) {
  if (typeof content !== "string" || !content.trim() || content.length > MAX_MESSAGE_LENGTH) {
    throw new Refusal(400, "Invalid data")
  }
  if (clientId != null && typeof clientId !== "string") throw new Refusal(400, "Invalid data")
  const entry = await logs.append(roomId, user, { content, clientId, via })
  if (!entry) throw new Refusal(404, "Chat room not found")
  return entry
}

// Socket.IO

io.use(async (socket, next) => {
  try {
    socket.data.user = await authenticate(socket.handshake.auth.token)
    socket.join(await logs.roomIdsOf(socket.data.user._id))
    next()
  } catch (error) {
    next(new Error(error.message))
  }
})

io.on("connection", (socket) => {
  socket.on("chat_message", async (data, acknowledge) => {
    const reply = typeof acknowledge === "function" ? acknowledge : () => {}
    try {
      const { room, message, client_id: clientId } = data ?? {}
      if (!/^[0-9a-f]{24}$/.test(room)) throw new Refusal(400, "Invalid data")
      const entry = await post(socket.data.user, room, message, clientId, "socket")
      reply({ ok: true, id: entry._id.toHexString(), seq: entry.seq, timestamp: entry.created_at })
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error)
      reply({ ok: false, code: "refused", message: error.message })
    }
  })
})

http.keepAliveTimeout = 60_000
http.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 1024 }, () => {
  console.log(`The peer is on http://127.0.0.1:${http.address().port}`)
})

process.on("SIGTERM", async () => {
  io.close()
  await logs.drain()
  await client.close()
  process.exit(0)
})
