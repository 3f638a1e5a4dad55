"""One question to the database for many who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_KEYS = 100
"""Keys in one question, where there is no reason for another number; who comes after them waits for
the next."""


class SharedQuestion(Generic[K, V]):
    """Answers keys by asking for all that have come while the last question was under way.

    Nothing is kept: whoever asks is answered by a question that was put afterwards. Alone, one
    waits for nobody; a hundred who come at once cost two questions. `ask` is given the keys and
    answers those that there is something to say of; what it raises, all who wait get. Who asks the
    same at the same time gets the same object, and does not change it. On one event loop.
    """

    def __init__(
        self, ask: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, max_keys: int = MAX_KEYS
    ) -> None:
        self._ask = ask
        self._max_keys = max_keys
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def answer(self, key: K) -> V | None:
        """What there is to say of `key` now; None if nothing."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask_for_all())
        return await asyncio.shield(future)  # one who gives up must not take it from the others

    def forget(self, key: K) -> None:
        """Do not ask for a key that has not been asked for yet, and that nobody else waits for."""
        self._waiting.pop(key, None)

    async def _ask_for_all(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[: self._max_keys]
            asked = {key: self._waiting.pop(key) for key in keys}
            try:
                answers = await self._ask(keys)
            except asyncio.CancelledError:
                for future in (*asked.values(), *self._waiting.values()):
                    future.cancel()
                self._waiting.clear()
                raise
            except Exception as error:
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # that nobody waits any more is no reason to complain
            else:
                for key, future in asked.items():
                    future.set_result(answers.get(key))
