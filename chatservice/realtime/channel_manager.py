"""The Socket.IO client manager whose transport between processes is Channels' channel layer."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from socketio.async_pubsub_manager import AsyncPubSubManager

from .fanout import FanoutManager

logger = logging.getLogger(__name__)

GROUP = "socketio"

REJOIN_INTERVAL = 300
"""Seconds between renewals of the group membership, which some layers forget after a day."""

MAX_RETRY_DELAY = 5
"""Seconds between attempts to reach a layer that is down; starts at a tenth and doubles."""


class ChannelLayerManager(AsyncPubSubManager, FanoutManager):
    """Delivers to the sockets of this process first, then publishes to the other processes.

    Local delivery is `FanoutManager`'s, which comes after the publishing in the order of bases.

    The layer is at most once by its own specification. A message that it loses is found by the
    clients themselves, from the numbers of the room log.
    """

    name = "channel_layer"

    def __init__(self, *, is_direct: bool) -> None:
        """`is_direct`: whether broadcasts take the short way; see `fanout`."""
        super().__init__(channel=GROUP, json=json)
        self.is_direct = is_direct

    async def disconnect_addresses(self, addresses: Sequence[str], namespace: str) -> None:
        """Disconnect every socket, in every process, that listens to one of the addresses."""
        message = {
            "method": "disconnect",
            "room": list(addresses),
            "namespace": namespace,
            "host_id": self.host_id,
        }
        await self._handle_disconnect(message)
        await self._publish(message)

    async def _handle_disconnect(self, message: dict[str, Any]) -> None:
        if "room" not in message:
            return await super()._handle_disconnect(message)
        namespace = message["namespace"]
        sids = [sid for sid, _ in self.get_participants(namespace, message["room"])]
        await asyncio.gather(
            *(self.server.disconnect(sid, namespace=namespace, ignore_queue=True) for sid in sids)
        )

    async def _publish(self, data: dict[str, Any]) -> None:
        layer = get_channel_layer()
        if isinstance(layer, InMemoryChannelLayer):
            return  # one process: the sockets here have been served already
        message = {"type": "socketio.message", "text": json.dumps(data)}
        try:
            await layer.group_send(GROUP, message)
        except Exception:
            # What was to be announced is stored. Failing the caller would make the sender repeat
            # an accepted message; the other processes' clients find it by its number instead.
            logger.exception("The channel layer did not take a message for the other processes.")

    async def _listen(self) -> AsyncIterator[str]:
        layer = get_channel_layer()
        if isinstance(layer, InMemoryChannelLayer):
            await asyncio.Event().wait()
        delay = 0.1
        while True:
            try:
                channel = await layer.new_channel(GROUP)
                await layer.group_add(GROUP, channel)
                renewal = asyncio.ensure_future(self._stay_in_group(layer, channel))
                try:
                    while True:
                        message = await layer.receive(channel)
                        delay = 0.1
                        yield message["text"]
                finally:
                    renewal.cancel()
            except Exception:
                logger.exception("The channel layer cannot be read; next attempt in %s s.", delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, MAX_RETRY_DELAY)

    async def _stay_in_group(self, layer: Any, channel: str) -> None:
        while True:
            await asyncio.sleep(REJOIN_INTERVAL)
            with suppress(Exception):  # a layer that is down is reported by the reader
                await layer.group_add(GROUP, channel)
