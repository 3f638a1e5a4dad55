"""The network between the clients and a process of the service: it can go silent, and it can break.

What a proxy stops forwarding is not lost but waits, as on a real network; only a cut loses it.
"""

import asyncio
import contextlib
import random

CHUNK = 65_536


class Connection:
    """One client's TCP connection. Both directions flow until they are told not to."""

    def __init__(self) -> None:
        self.to_service, self.to_client = asyncio.Event(), asyncio.Event()
        self.go_on()
        self._writers: list[asyncio.StreamWriter] = []

    def go_on(self) -> None:
        self.to_service.set()
        self.to_client.set()

    def cut(self) -> bool:
        """Break it: both ends see a reset, and what was under way is lost.

        Returns whether there was something to break.
        """
        is_open = any(not writer.is_closing() for writer in self._writers)
        for writer in self._writers:
            writer.transport.abort()
        return is_open

    async def pump(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        service: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._writers = [client[1], service[1]]
        directions = [
            asyncio.ensure_future(_forward(client[0], service[1], self.to_service)),
            asyncio.ensure_future(_forward(service[0], client[1], self.to_client)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            for writer in self._writers:
                writer.close()


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            await flowing.wait()
            writer.write(data)
            await writer.drain()


class Proxy:
    """Listens on a port of its own and forwards to `port`, where nothing may listen at times."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._connections: dict[Connection, None] = {}  # in the order of their coming
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_used(self) -> bool:
        return bool(self._connections)

    def some(self, chance: random.Random, share: float) -> list[Connection]:
        """About this share of the connections, at least one if there is any."""
        present = list(self._connections)
        return chance.sample(present, min(len(present), max(1, round(share * len(present)))))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            service = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection()
        self._connections[connection] = None
        try:
            await connection.pump((reader, writer), service)
        finally:
            del self._connections[connection]
