"""The one application that an ASGI server runs, and the only file that knows all its parts."""

import asyncio
import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatservice.settings")

import django

django.setup()  # first: the imports below need the models loaded

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from chat import sockets
from chatservice import limit_sharing  # noqa: F401  (it registers what runs at the start)
from chatservice.address_limits import AddressLimits
from chatservice.checks import require_sound_configuration
from chatservice.fast_lane import FastLane
from chatservice.fast_routes import ROUTES
from chatservice.handler import ThreadHandler
from chatservice.metrics import MeasureRequests
from chatservice.realtime import daphne_sockets, engine, lifecycle, server
from media_upload import daphne_request
from media_upload.body_limit import BodyLimit

server.sio.register_namespace(sockets.namespace)
require_sound_configuration()  # `daphne` and `uvicorn` run no system checks


async def refuse_websocket(scope, receive, send):
    """403 for a WebSocket to an address that has none."""
    await receive()
    await send({"type": "websocket.close"})


async def lifespan(scope, receive, send):
    """Starting and stopping under uvicorn and the like."""
    while True:
        event = (await receive())["type"]
        if event == "lifespan.startup":
            await lifecycle.startup()
        else:
            await lifecycle.shutdown()
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def hook_daphne():
    """Starting and stopping under Daphne, which knows no lifespan.

    Another server may run although Daphne is imported: its reactor then never starts.
    """
    if "daphne.server" not in sys.modules:
        return
    from twisted.internet import defer, reactor

    daphne_request.install()
    daphne_sockets.install()
    reactor.callWhenRunning(lambda: asyncio.ensure_future(lifecycle.startup()))
    reactor.addSystemEventTrigger(
        "before",
        "shutdown",
        lambda: defer.Deferred.fromFuture(asyncio.ensure_future(lifecycle.shutdown())),
    )


django_app = FastLane(ThreadHandler(), ROUTES if settings.FAST_LANE else [])
routes = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [re_path(r"^socket\.io/", server.asgi_app), re_path(r"", BodyLimit(django_app))]
        ),
        "websocket": URLRouter(
            [re_path(r"^socket\.io/", server.asgi_app), re_path(r"", refuse_websocket)]
        ),
        "lifespan": lifespan,
    }
)
application = engine.serving_websockets(MeasureRequests(AddressLimits(routes)))
hook_daphne()

# What is loaded by now stays: it is left out of every collection from here on. What comes is looked
# through in small pieces, of 4 ms where one of 50,000 objects takes 40, and all of it hardly ever.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 500, 50)
