"""The backplane: what the processes of one service tell each other, over Channels' channel layer.

A layer is at most once by its own specification: Redis restarts, connections break, and whatever
was under way is gone, without anybody being told. Here each process numbers what it publishes, so
that the others notice: what skips was lost, and `on_missed` is called; what repeats is dropped. An
idle process repeats its last number every `HEARTBEAT_INTERVAL`, so that a loss is noticed although
nothing follows it, and a process that does not hear itself knows that it is cut off.

Nobody waits for the layer. What is published goes into a bounded queue, from which one task sends
it in order; while the layer is away the oldest is dropped, and the numbers tell the others.
"""

import asyncio
import json
import logging
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from chatservice import metrics

from .lifecycle import in_background

logger = logging.getLogger(__name__)

GROUP = "backplane"

HEARTBEAT_INTERVAL = 1.0
"""Seconds after which a process that has nothing to say says so."""

SILENCE = 3.0
"""Seconds without hearing itself after which a process takes the layer for away."""

SEND_TIMEOUT = 2.0
"""Seconds that the layer may take for one message before it is tried again."""

RETRY_DELAY = 0.25
"""Seconds between attempts while the layer is away."""

FLUSH_TIMEOUT = 3.0
"""Seconds that a process that stops waits for the layer to take what is left."""

REJOIN_INTERVAL = 300.0
"""Seconds between renewals of the group membership, which some layers forget after a day."""

MAX_BATCH_BYTES = 256 * 1024
"""Of messages that are sent as one; a single larger one is sent as it is."""

MAX_QUEUE_BYTES = 16 * 1024 * 1024
"""Of messages that wait for the layer. The oldest are dropped beyond it."""

MAX_PEERS = 1_000
"""Processes whose last number is remembered."""

Message = dict[str, Any]


class Outbox:
    """What waits to be sent, oldest first, each message under its number."""

    def __init__(self) -> None:
        self.first = 0
        """The number of the oldest message that waits, or of the next one if none does."""
        self.dropped = 0
        self._texts: deque[str] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def size(self) -> int:
        """Bytes of what waits."""
        return self._bytes

    def put(self, message: Message) -> None:
        text = json.dumps(message)
        self._texts.append(text)
        self._bytes += len(text)
        while self._bytes > MAX_QUEUE_BYTES and len(self._texts) > 1:
            self._drop_first()
            self.dropped += 1
            metrics.backplane_dropped.inc()

    def batch(self) -> list[str]:
        """The oldest messages, as many as are sent as one."""
        texts: list[str] = []
        size = 0
        for text in self._texts:
            size += len(text)
            if texts and size > MAX_BATCH_BYTES:
                break
            texts.append(text)
        return texts

    def sent(self, up_to: int) -> None:
        """Forget the messages with numbers below `up_to`; some may have been dropped meanwhile."""
        while self.first < up_to:
            self._drop_first()

    def _drop_first(self) -> None:
        self._bytes -= len(self._texts.popleft())
        self.first += 1


class Backplane:
    """This process's end of it. All of it happens on the home loop.

    `on_message` is awaited for each message of another process, in the order of that process.
    `on_missed` is called when messages of others may have been lost.
    """

    def __init__(
        self, *, on_message: Callable[[Message], Awaitable[None]], on_missed: Callable[[], None]
    ) -> None:
        self.id = uuid.uuid4().hex
        self._on_message = on_message
        self._on_missed = on_missed
        self._outbox = Outbox()
        self._news = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._listens_since: float | None = None
        self._heard_itself = 0.0
        self._is_up: bool | None = None  # not known yet
        self._following: OrderedDict[str, int] = OrderedDict()

    @property
    def is_shared(self) -> bool:
        """Whether there may be other processes: not with the layer that is in memory."""
        return not isinstance(get_channel_layer(), InMemoryChannelLayer)

    @property
    def is_up(self) -> bool:
        """Whether others hear this process and it hears them: so it was a moment ago."""
        return self._is_up is True

    @property
    def is_away(self) -> bool:
        """Whether they do not; neither this nor `is_up` right after the start."""
        return self._is_up is False

    @property
    def waiting(self) -> int:
        """Messages that wait for the layer."""
        return len(self._outbox)

    @property
    def waiting_bytes(self) -> int:
        return self._outbox.size

    def publish(self, message: Message) -> None:
        """Send a message, which must be JSON, to the other processes, in its turn."""
        if not self.is_shared:
            return
        self._outbox.put(message)
        self._all_sent.clear()
        self._news.set()
        self._start_sending()

    def listen(self) -> None:
        """Hear the other processes from now on, and let them know that this one is there."""
        if self.is_shared and self._listening is None:
            self._listening = in_background(self._listen())
            self._heard_itself = time.monotonic()
            self._start_sending()

    async def flush(self) -> None:
        """Wait until all is sent that was published, but not for long."""
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                await self._all_sent.wait()
        except TimeoutError:
            logger.warning("The other processes were not told of %d change(s).", len(self._outbox))

    # Sending

    def _start_sending(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = in_background(self._send())

    async def _send(self) -> None:
        while True:
            await self._wait_for_news()
            number, texts = self._outbox.first, self._outbox.batch()
            batch = {
                "type": "backplane.batch",
                "sender": self.id,
                "number": number,
                "texts": texts,
            }
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await get_channel_layer().group_send(GROUP, batch)
            except Exception as error:
                # It may have been sent or not: it is sent again, under the same number.
                self._note_away(type(error).__name__)
                await asyncio.sleep(RETRY_DELAY)
                continue
            self._outbox.sent(number + len(texts))
            if not self._outbox:
                self._all_sent.set()
            if self._listening is None:
                self._note_up()
            elif time.monotonic() - self._heard_itself > SILENCE:
                self._note_away("nothing is heard")

    async def _wait_for_news(self) -> None:
        if not self._outbox:
            try:
                async with asyncio.timeout(HEARTBEAT_INTERVAL if self._listening else None):
                    await self._news.wait()
            except TimeoutError:
                pass  # a batch of no messages is the heartbeat
        self._news.clear()

    # Listening

    async def _listen(self) -> None:
        while True:
            renewal = None
            try:
                layer = get_channel_layer()
                async with asyncio.timeout(SEND_TIMEOUT):
                    channel = await layer.new_channel(GROUP)
                    await layer.group_add(GROUP, channel)
                renewal = asyncio.ensure_future(self._stay_in_group(layer, channel))
                while True:
                    await self._take(await layer.receive(channel))
            except Exception as error:
                self._note_away(type(error).__name__)
                await asyncio.sleep(RETRY_DELAY)
            finally:
                if renewal is not None:
                    renewal.cancel()

    async def _stay_in_group(self, layer: Any, channel: str) -> None:
        while True:
            await asyncio.sleep(REJOIN_INTERVAL)
            try:
                await layer.group_add(GROUP, channel)
            except Exception as error:
                self._note_away(type(error).__name__)

    async def _take(self, batch: Message) -> None:
        sender, number, texts = batch["sender"], batch["number"], batch["texts"]
        if sender == self.id:
            self._heard_itself = time.monotonic()
            self._note_up()
            return
        expected = self._expected_from(sender, number)
        if number > expected:
            self._on_missed()
        self._following[sender] = max(expected, number + len(texts))
        for text in texts[max(0, expected - number) :]:
            try:
                await self._on_message(json.loads(text))
            except Exception:
                logger.exception("A message of another process could not be handled.")

    def _expected_from(self, sender: str, number: int) -> int:
        """The number that follows what was heard of a process."""
        expected = self._following.pop(sender, None)
        if len(self._following) >= MAX_PEERS:
            self._following.popitem(last=False)
        if expected is not None:
            return expected
        # Whoever was there before this process is heard within a heartbeat or two. A process that
        # is first heard of later has just begun, with number 0.
        since = self._listens_since
        is_established = since is not None and time.monotonic() - since > SILENCE
        return 0 if is_established else number

    # The state of the layer, in one line for each change

    def _note_away(self, reason: str) -> None:
        if self._is_up is not False:
            logger.warning("The channel layer is away (%s): others are not told of news.", reason)
            metrics.backplane_outages.inc()
        self._is_up = False
        self._listens_since = None

    def _note_up(self) -> None:
        if self._is_up:
            return
        if self._is_up is False:
            logger.warning(
                "The channel layer is back; %d message(s) were dropped.", self._outbox.dropped
            )
        self._outbox.dropped = 0
        self._is_up = True
        self._listens_since = time.monotonic()
        if self._listening is not None:
            self._on_missed()
