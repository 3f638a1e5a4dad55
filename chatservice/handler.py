"""How Django runs inside an ASGI server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse


class ThreadHandler(ASGIHandler):
    """Runs a request's whole middleware chain and view in one thread.

    Django's own handler keeps to the event loop wherever it can, and goes to a thread and back
    twice for each of its own middlewares and once for the view. All our views are synchronous.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponse:
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)

    async def listen_for_disconnect(self, receive: Callable[[], Awaitable[Any]]) -> None:
        """As Django's, which nobody asks for its outcome if the server ends this very moment."""
        this = asyncio.current_task()
        assert this is not None
        this.add_done_callback(lambda task: task.cancelled() or task.exception())
        await super().listen_for_disconnect(receive)
