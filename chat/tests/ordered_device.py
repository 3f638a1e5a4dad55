"""A device that remembers events in the order in which they came.

python-socketio's threaded client handles each event in a thread of its own, so its order of
handling says nothing. Its asynchronous client keeps the order; here it runs in one thread.
"""

import asyncio
import threading

import socketio

from acceptance.waiting import PATIENCE


class OrderedDevice:
    """A connected device of a person, in protocol 2; `events` are the entries of all rooms."""

    def __init__(self, url, person, transports):
        self.events = []
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._do(self._connect(url, {"token": person.token, "protocol": 2}, transports))

    async def _connect(self, url, auth, transports):
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("room_event", self._remember)
        await self.client.connect(url, auth=auth, transports=transports, wait_timeout=PATIENCE)

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _remember(self, event):
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    @property
    def transport(self):
        return self.client.transport()

    def emit(self, event, data):
        """Send an event without waiting for its acknowledgement."""
        self._do(self.client.emit(event, data))

    def wait_for(self, condition):
        """Wait until `condition(events)` is true."""
        with self._news:
            if not self._news.wait_for(lambda: condition(self.events), timeout=PATIENCE):
                raise TimeoutError(f"{len(self.events)} events came: {self.events[-3:]}")

    def close(self):
        self._do(self.client.disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
