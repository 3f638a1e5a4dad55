// Who is calling: the token's signature, its end, and then one query, as in the service.

import { createHmac, timingSafeEqual } from "node:crypto"
import { ObjectId } from "mongodb"

const ID = /^[0-9a-f]{24}$/

/** The ids that a live access token of the service names; null for anything else. */
export function claimsOf(token, secret) {
  const parts = typeof token === "string" && token.length < 4_096 ? token.split(".") : []
  if (parts.length !== 3) return null
  const signature = Buffer.from(parts[2], "base64url")
  const expected = createHmac("sha256", secret).update(`${parts[0]}.${parts[1]}`).digest()
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null
  try {
    const { alg } = JSON.parse(Buffer.from(parts[0], "base64url"))
    const claims = JSON.parse(Buffer.from(parts[1], "base64url"))
    if (alg !== "HS256" || claims.token_type !== "access") return null
    if (!(claims.exp > Date.now() / 1_000) || !ID.test(claims.uid) || !ID.test(claims.sid)) return null
    return { userId: new ObjectId(claims.uid), sessionId: new ObjectId(claims.sid) }
  } catch {
    return null
  }
}

/** The active person of a session that has not ended, in one round trip; null if there is none. */
export async function activeUser(db, { userId, sessionId }) {
  const [user] = await db
    .collection("accounts_session")
    .aggregate([
      { $match: { _id: sessionId, user_id: userId, ended_at: null } },
      {
        $lookup: {
          from: "accounts_user",
          localField: "user_id",
          foreignField: "_id",
          as: "user",
          pipeline: [{ $match: { is_active: true } }, { $project: { email: 1 } }],
        },
      },
      { $unwind: "$user" },
      { $replaceRoot: { newRoot: "$user" } },
    ])
    .toArray()
  return user ?? null
}
