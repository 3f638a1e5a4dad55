"""The addresses that the fast lane answers. `urls.py` has them, too, for everybody."""

import re

from accounts import endpoints as accounts
from chat import endpoints as chat

from .fast_lane import Route

ROOMS = r"/chat/chat_rooms"
ROOM = ROOMS + r"/(?P<pk>[0-9a-f]{24})"

ROUTES = [
    Route("POST", re.compile(ROOM + r"/messages/?"), chat.post_message),
    Route("GET", re.compile(ROOM + r"/messages/?"), chat.list_messages),
    Route("GET", re.compile(ROOM + r"/events/?"), chat.read_log),
    Route("GET", re.compile(ROOMS + r"/?"), chat.list_rooms),
    Route("GET", re.compile(r"/auth/users/me/?"), accounts.show_me),
]
