"""The proxy: what it forwards, holds back and cuts."""

import asyncio
import random

from chaos.proxy import Proxy


async def echo(reader, writer):
    while data := await reader.read(100):
        writer.write(data.upper())
    writer.close()


async def with_proxy(play):
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    await proxy.start()
    port = int(proxy.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.read(100), 30) == b"HELLO"
        [connection] = proxy.some(random.Random(1), 0.1)
        await play(reader, writer, connection)
    finally:
        writer.close()
        await proxy.stop()
        server.close()


def test_what_is_held_back_comes_later():
    async def play(reader, writer, connection):
        connection.to_client.clear()
        writer.write(b"still there?")
        reading = asyncio.ensure_future(reader.read(100))
        done, _ = await asyncio.wait([reading], timeout=0.2)
        assert not done
        connection.go_on()
        assert await asyncio.wait_for(reading, 30) == b"STILL THERE?"

    asyncio.run(with_proxy(play))


def test_what_is_cut_never_comes():
    async def play(reader, writer, connection):
        connection.to_client.clear()
        writer.write(b"still there?")
        connection.cut()
        try:
            rest = await asyncio.wait_for(reader.read(100), 30)
        except ConnectionResetError:
            rest = b""
        assert rest == b""

    asyncio.run(with_proxy(play))


def test_where_nothing_listens_the_connection_ends():
    async def play():
        with_nobody = Proxy(1)
        await with_nobody.start()
        port = int(with_nobody.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            rest = await asyncio.wait_for(reader.read(100), 30)
        except ConnectionResetError:
            rest = b""
        writer.close()
        await with_nobody.stop()
        assert rest == b""

    asyncio.run(play())
