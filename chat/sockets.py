"""The Socket.IO door: turns client events into actions and their outcome into answers.

It decides nothing. Each event is answered by an acknowledgement, `{"ok": true, ...}` or
`{"ok": false, "code", "message"[, "retry_after"]}`, and a failure by an `error` event as well, for
clients that ask for no acknowledgement. docs/protocol.md describes the events.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

import socketio
from bson import ObjectId
from django.conf import settings
from django.http.cookie import parse_cookie
from django.utils import translation
from django.utils.translation import gettext as _
from pymongo.errors import PyMongoError
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from socketio.exceptions import ConnectionRefusedError

from accounts import hot_path as accounts_hot_path
from accounts import presence
from accounts.hot_path import Caller
from accounts.models import User
from accounts.session_watch import SessionWatch
from chatservice import limits, metrics, realtime
from chatservice.errors import Answer, answer_for
from chatservice.languages import language_for
from chatservice.realtime.lifecycle import in_background, on_shutdown, on_startup
from chatservice.realtime.server import is_same_origin
from chatservice.timestamps import to_wire

from . import actions, policies, reading
from .models import Entry

logger = logging.getLogger(__name__)

EXPIRY_WARNING = 60
"""Seconds before its token expires that a socket is told to `authenticate` again; half of what is
left, where that is less. Otherwise tokens of a minute would be warned of again and again."""

TOO_MANY_DEVICES_WAIT = 10
"""Seconds after which who has too many sockets open may try again."""

EXPIRY_GRACE = 10
"""Seconds after that moment until the socket is cut."""

MAX_RESUMED_ROOMS = 5_000
"""Rooms that one `resume` may name."""

RESYNC_GROUP = 20
RESYNC_PAUSE = 0.1
"""After an outage, so many clients are asked to `resume` every so many seconds."""

PROCESS_ID = str(ObjectId())
"""What this process signs its presence leases with."""

INVALID_DATA = "Invalid data"
WRONG_TOKEN = "Could not validate credentials"
"""The contract's own words, which clients compare: never translated."""

CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    422: "invalid",
    429: "throttled",
    503: "unavailable",
}

Reply = dict[str, Any]


class InvalidData(Exception):
    """What came is not what the event takes: another type, or something is missing."""


@dataclass(slots=True)
class Connection:
    """One device's socket in this process and who is behind it."""

    sid: str
    user: User
    session_id: ObjectId
    protocol: int
    exp: int
    language: str = settings.LANGUAGE_CODE
    timers: tuple[asyncio.TimerHandle, ...] = ()


class PresenceFeed:
    """Gathers who comes and goes for a moment, so that a crowd that reconnects is told of once.

    Who goes and comes back within that moment has not been away.
    """

    INTERVAL = 1.0  # seconds

    def __init__(self) -> None:
        self._changes: dict[ObjectId, bool] = {}
        self._telling: asyncio.Task[None] | None = None

    def note(self, user_id: ObjectId, *, online: bool) -> None:
        if self._telling is None or self._telling.done():
            self._telling = in_background(self._announce_soon())
        if self._changes.get(user_id) is (not online):
            del self._changes[user_id]
        else:
            self._changes[user_id] = online

    async def _announce_soon(self) -> None:
        while self._changes:
            await asyncio.sleep(self.INTERVAL)
            changes, self._changes = self._changes, {}
            try:
                await self._announce(changes)
            except PyMongoError as error:
                logger.warning("Presence could not be told yet: %s", type(error).__name__)
                self._changes = changes | self._changes

    async def _announce(self, changes: dict[ObjectId, bool]) -> None:
        # Two processes may have noted the opposite in the same moment, and nobody knows whose news
        # arrives last: what is not (or no more) so is not told.
        online = await presence.online(changes)
        changes = {user_id: now for user_id, now in changes.items() if now == (user_id in online)}
        if changes:
            metrics.presence_changes.inc(len(changes))
            await actions.announce_presence(changes=changes)


class ChatNamespace(socketio.AsyncNamespace):
    """The events of the namespace `/`."""

    def __init__(self) -> None:
        super().__init__(realtime.NAMESPACE)
        self.connections: dict[str, Connection] = {}
        self._devices: dict[ObjectId, set[str]] = {}
        self._feed = PresenceFeed()
        self._is_stopping = False
        self._presence_locks: WeakValueDictionary[ObjectId, asyncio.Lock] = WeakValueDictionary()
        self.session_watch = SessionWatch(
            sessions=lambda: {each.session_id for each in self.connections.values()},
            is_cut_off=realtime.is_cut_off,
            on_ended=self._cut_sessions,
        )

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """Handle an event; answer what goes wrong in it, too, and never raise."""
        if event == "connect":
            return await self._connect(*args)
        if event == "disconnect":
            return await self._disconnect(*args)
        sid, *payload = args
        connection = self.connections.get(sid)
        if connection is None:
            return None
        self.session_watch.note_use(connection.session_id)
        if connection.language == settings.LANGUAGE_CODE:
            return await self._handle(connection, event, payload)
        with translation.override(connection.language):
            return await self._handle(connection, event, payload)

    async def _handle(self, connection: Connection, event: str, payload: Sequence[Any]) -> Any:
        handler = getattr(self, f"on_{event}", None)
        try:
            limits.take(limits.SOCKET_EVENTS, connection.user.pk)
            if handler is None:
                raise InvalidData
            return await handler(connection, payload[0] if payload else None)
        except Exception as error:
            return await self._answer(connection, error)

    async def _answer(self, connection: Connection, error: Exception) -> Reply:
        if isinstance(error, InvalidData):
            answer: Answer | None = Answer(HTTPStatus.BAD_REQUEST, INVALID_DATA)
        else:
            answer = answer_for(error)
        if answer is None:
            logger.exception("A socket event failed.", exc_info=error)
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong here."))
        code = answer.code or CODES.get(answer.status, "error")
        reply: Reply = {"ok": False, "code": code, "message": answer.detail}
        if answer.retry_after is not None:
            reply["retry_after"] = answer.retry_after
        complaint: Reply = {"message": answer.detail}
        if connection.protocol > 1:
            complaint = {name: value for name, value in reply.items() if name != "ok"}
        await self.emit("error", complaint, to=connection.sid)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            await self._count_refusal(connection)
        return reply

    async def _count_refusal(self, connection: Connection) -> None:
        """Cut off who goes on asking: the refusals cost something, too."""
        try:
            limits.take(limits.REFUSALS, connection.sid)
        except limits.TooMany as error:
            complaint = {"message": str(error.detail), "code": "throttled"}
            await self._cut_off(connection, complaint)

    # Connecting

    async def _connect(self, sid: str, environ: dict, auth: object = None) -> None:
        try:
            caller = await self._authenticate(environ, auth)
        except Exception as error:
            answer = answer_for(error)
            if answer is None:
                logger.exception("A socket's handshake failed.")
                answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong here."))
            code = answer.code or CODES.get(answer.status, "error")
            data: Reply = {"code": code}
            if answer.retry_after is not None:
                data["retry_after"] = answer.retry_after
            raise ConnectionRefusedError(answer.detail, data) from error
        connection = Connection(
            sid=sid,
            user=caller.user,
            session_id=caller.session_id,
            protocol=2 if isinstance(auth, dict) and auth.get("protocol") == 2 else 1,
            exp=caller.exp,
            language=language_for(
                caller.user.language,
                environ.get("HTTP_ACCEPT_LANGUAGE", ""),
                by_token=self._token_in(environ, auth) is not None,
            ),
        )
        # Nothing is awaited between looking and noting: many may connect at once.
        devices = self._devices.setdefault(connection.user.pk, set())
        if settings.THROTTLE and len(devices) >= limits.SOCKETS_PER_PERSON:
            metrics.refusals.labels("sockets_per_person").inc()
            refusal = limits.TooMany(TOO_MANY_DEVICES_WAIT)
            data = {"code": "throttled", "retry_after": TOO_MANY_DEVICES_WAIT}
            raise ConnectionRefusedError(str(refusal.detail), data)
        devices.add(sid)
        self.connections[sid] = connection
        self._listen(connection)
        # It may have ended after it was found and before this socket listened to the news of it.
        self.session_watch.note_use(connection.session_id)
        self._watch_expiry(connection, caller.exp)
        try:
            await self._settle_presence(connection.user.pk)
        except PyMongoError as error:  # the next renewal takes the lease
            logger.warning("A lease could not be taken: %s", type(error).__name__)
        if connection.protocol == 2 and isinstance(auth, dict) and "rooms" in auth:
            in_background(self._resume_at_connect(connection, auth))

    async def _authenticate(self, environ: dict, auth: object) -> Caller:
        """Who connects: by the token in `auth`, the header, or the pages' cookie, in this order."""
        token = self._token_in(environ, auth)
        if token is not None:
            caller = await accounts_hot_path.authenticate_async(token)
            if caller is None:
                raise AuthenticationFailed(WRONG_TOKEN)
            return caller
        # A foreign page can make the browser send our cookie along (cross-site WebSocket
        # hijacking): it counts only for our own pages, also where CORS lets others in.
        cookies = parse_cookie(environ.get("HTTP_COOKIE", "")) if is_same_origin(environ) else {}
        session_key = cookies.get(settings.SESSION_COOKIE_NAME)
        caller = await accounts_hot_path.user_for_web_session(session_key)
        if caller is None:
            raise NotAuthenticated("Not authenticated")
        return caller

    @staticmethod
    def _token_in(environ: dict, auth: object) -> object:
        token = auth.get("token") if isinstance(auth, dict) else None
        if token is None:
            scheme, _space, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
            token = credentials.strip() if scheme.lower() == "bearer" else None
        return token

    def _listen(self, connection: Connection) -> None:
        realtime.listen(
            connection.sid,
            user_id=connection.user.pk,
            protocol=connection.protocol,
            session_id=connection.session_id,
        )

    async def _resume_at_connect(self, connection: Connection, auth: dict) -> None:
        """Answer `auth.rooms` with an event, after the client has heard that it is connected."""
        try:
            reply = await self.on_resume(connection, auth)
        except Exception as error:
            await self._answer(connection, error)
        else:
            await self.emit("resumed", reply, to=connection.sid)

    async def _disconnect(self, sid: str, reason: str | None = None) -> None:
        connection = self.connections.pop(sid, None)
        if connection is None:
            return
        for timer in connection.timers:
            timer.cancel()
        devices = self._devices[connection.user.pk]
        devices.discard(sid)
        if not devices:
            del self._devices[connection.user.pk]
            await self._settle_presence(connection.user.pk)

    async def _settle_presence(self, user_id: ObjectId) -> None:
        """Take or give back a person's lease, whichever is right when it is this call's turn.

        One at a time for each person: a lease given back for the last device must not arrive after
        the one taken for the next.
        """
        if self._is_stopping:  # everybody's lease has been handed over
            return
        lock = self._presence_locks.setdefault(user_id, asyncio.Lock())
        async with lock:
            if user_id in self._devices:
                was_online = await presence.arrive(PROCESS_ID, user_id)
                if not was_online:
                    self._feed.note(user_id, online=True)
            else:
                is_online = await presence.leave(PROCESS_ID, user_id)
                if not is_online:
                    self._feed.note(user_id, online=False)

    async def keep_presence(self) -> None:
        """Renew the leases of the people connected here, for as long as this process lives, and
        tell of those that have run out, whosever they were."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(presence.COLLECT_INTERVAL.total_seconds())
            try:
                if time.monotonic() - renewed >= presence.RENEW_INTERVAL.total_seconds():
                    for user_id in await presence.renew(PROCESS_ID, list(self._devices)):
                        self._feed.note(user_id, online=True)
                    renewed = time.monotonic()
                for user_id in await presence.collect_expired():
                    self._feed.note(user_id, online=False)
                metrics.people_online.set(await presence.count_online())
            except PyMongoError as error:  # a lease outlives two failed renewals
                logger.warning("Presence could not be renewed: %s", type(error).__name__)

    async def hand_over_presence(self) -> None:
        """Leave the people connected here to the process that they come back to."""
        self._is_stopping = True
        if self._devices:
            await presence.hand_over(PROCESS_ID)

    def look_at_sockets(self) -> None:
        """Set the metrics of who is connected."""
        sockets = Counter(
            (str(each.protocol), realtime.transport_of(each.sid))
            for each in list(self.connections.values())
        )
        for protocol in ("1", "2"):
            for transport in ("polling", "websocket"):
                metrics.sockets.labels(protocol, transport).set(sockets[protocol, transport])
        metrics.people_connected.set(len(self._devices))
        metrics.presence_leases.set(len(self._devices))

    async def ask_to_resume(self) -> None:
        listening = [sid for sid, each in self.connections.items() if each.protocol > 1]
        for position, sid in enumerate(listening):
            if position % RESYNC_GROUP == RESYNC_GROUP - 1:
                await asyncio.sleep(RESYNC_PAUSE)
            await self.emit("resync", {}, to=sid)

    # A token's life

    def _watch_expiry(self, connection: Connection, exp: int) -> None:
        for timer in connection.timers:
            timer.cancel()
        connection.exp = exp
        loop = asyncio.get_running_loop()
        left = exp - time.time()
        connection.timers = (
            loop.call_later(max(left - EXPIRY_WARNING, left / 2), self._warn, connection),
            loop.call_later(left + EXPIRY_GRACE, self._cut, connection),
        )

    def _warn(self, connection: Connection) -> None:
        left = max(0, round(connection.exp - time.time()))
        in_background(self.emit("auth_expiring", {"expires_in": left}, to=connection.sid))

    def _cut(self, connection: Connection) -> None:
        complaint = {"message": _("Your token has expired."), "code": "token_expired"}
        in_background(self._cut_off(connection, complaint))

    def _cut_sessions(self, session_ids: set[ObjectId]) -> None:
        complaint = realtime.session_ended()
        for connection in self.connections.values():
            if connection.session_id in session_ids:
                in_background(self._cut_off(connection, complaint))

    async def _cut_off(self, connection: Connection, complaint: dict[str, str]) -> None:
        await self.emit("error", complaint, to=connection.sid)
        await self.disconnect(connection.sid)

    async def on_authenticate(self, connection: Connection, data: object) -> Reply:
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str):
            raise InvalidData
        caller = await accounts_hot_path.authenticate_async(token)
        if caller is None or caller.user.pk != connection.user.pk:
            raise AuthenticationFailed(WRONG_TOKEN)
        if caller.session_id != connection.session_id:
            connection.session_id = caller.session_id
            self._listen(connection)
            self.session_watch.note_use(connection.session_id)
        connection.user = caller.user
        self._watch_expiry(connection, caller.exp)
        return {"ok": True, "expires_in": round(caller.exp - time.time())}

    # Messages

    async def on_chat_message(self, connection: Connection, data: object) -> Reply:
        """Nothing is awaited before the action: its place in the log is that of its arrival."""
        if not isinstance(data, dict):
            raise InvalidData
        room, text = data.get("room"), data.get("message")
        if not isinstance(room, str) or not isinstance(text, str) or not text.strip():
            raise InvalidData
        stored = await actions.post_message(
            actor=connection.user,
            room_id=policies.room_id_from(room),
            content=text,
            via=Entry.Via.SOCKET,
            client_id=data.get("client_id"),
            reply_to=data.get("reply_to"),
            uploads=data.get("uploads"),
        )
        if connection.protocol == 1:
            received = {"status": "received", "message": text}
            await self.emit("chat_response", received, to=connection.sid)
        entry = stored.entry
        return {
            "ok": True,
            "id": str(entry["_id"]),
            "seq": entry["seq"],
            "timestamp": to_wire(entry["created_at"]),
            "duplicate": stored.duplicate,
        }

    async def on_resume(self, connection: Connection, data: object) -> Reply:
        known = data.get("rooms") if isinstance(data, dict) else None
        if not isinstance(known, dict) or len(known) > MAX_RESUMED_ROOMS:
            raise InvalidData
        if not all(type(seq) is int and seq >= 0 for seq in known.values()):
            raise InvalidData
        limits.take(limits.LOOK_UPS, connection.user.pk)
        return {"ok": True, "rooms": await reading.missed(connection.user, known)}

    async def on_read(self, connection: Connection, data: object) -> Reply:
        room_id, seq = self._room_of(data), data.get("seq") if isinstance(data, dict) else None
        if type(seq) is not int or seq < 0:
            raise InvalidData
        await actions.mark_read(actor=connection.user, room_id=room_id, seq=seq)
        return {"ok": True}

    async def on_react(self, connection: Connection, data: object) -> Reply:
        room_id = self._room_of(data)
        assert isinstance(data, dict)
        target, emoji, on = data.get("target"), data.get("emoji"), data.get("on")
        if type(target) is not int or not isinstance(emoji, str) or type(on) is not bool:
            raise InvalidData
        seq = await actions.react(
            actor=connection.user, room_id=room_id, target=target, emoji=emoji, on=on
        )
        return {"ok": True, "seq": seq}

    # People

    async def on_typing(self, connection: Connection, data: object) -> Reply:
        await actions.announce_typing(actor=connection.user, room_id=self._room_of(data))
        return {"ok": True}

    def _room_of(self, data: object) -> ObjectId:
        room = data.get("room") if isinstance(data, dict) else None
        if not isinstance(room, str):
            raise InvalidData
        return policies.room_id_from(room)

    async def on_get_online_users(self, connection: Connection, data: object) -> Reply:
        limits.take(limits.LOOK_UPS, connection.user.pk)
        people = await reading.acquaintances_online(connection.user)
        emails = [person.email for person in people]
        await self.emit("online_users", emails, to=connection.sid)
        return {"ok": True, "users": emails}


namespace = ChatNamespace()
metrics.on_scrape(namespace.look_at_sockets)


@realtime.on_missed
async def ask_to_resume() -> None:
    """Let clients look for what they may have missed, some at a time: each costs some queries."""
    await namespace.ask_to_resume()


@realtime.on_missed
async def look_at_all_sessions() -> None:
    """A cut may be among what was missed."""
    namespace.session_watch.hurry()


@on_startup
async def keep_presence() -> None:
    in_background(namespace.keep_presence())
    in_background(namespace.session_watch.run())


@on_shutdown
async def hand_over_presence() -> None:
    await namespace.hand_over_presence()
