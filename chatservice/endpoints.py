"""Hot addresses of the API: coroutines that answer a request, whichever door it came through.

REST framework's viewsets serve them to everybody (`answer`), `fast_lane` serves them to plain
requests without Django (docs/decisions/0019). Both doors have found out who asks, have counted the
request and have read its body; parameters, rules and answers are the endpoint's.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.http import QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.models import User

from .realtime.loop import run
from .renderers import JSONRenderer

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to an endpoint. `data` is its body, parsed and not checked; of a GET, nothing."""

    user: User
    address: str
    """Absolute, without the query."""
    path: Mapping[str, str] = field(default_factory=dict)
    """The named parts of the address."""
    query: Mapping[str, Any] = field(default_factory=QueryDict)
    data: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, in one piece or in many.

    `more` are further items of the list that `payload` is, or that is its last field: what would be
    too much to have in memory, or to encode while everybody waits. The list then has one already.
    """

    payload: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    more: AsyncIterator[list[Any]] | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The JSON of it all, as REST framework writes it, piece by piece."""
        beginning = render(self.payload)
        if self.more is None:
            yield beginning
            return
        end = b"]" if isinstance(self.payload, list) else b"]}"
        yield beginning.removesuffix(end)
        async for items in self.more:
            yield b"," + render(items)[1:-1]
        yield end

    async def whole(self) -> Any:
        """The payload with everything in it."""
        if self.more is not None:
            listed = self.payload
            if not isinstance(listed, list):
                listed = listed[next(reversed(listed))]
            async for items in self.more:
                listed += items
        return self.payload


_renderer = JSONRenderer()


def render(payload: Any) -> bytes:
    """The JSON of a payload."""
    return _renderer.render(payload)


Endpoint = Callable[[Call], Coroutine[Any, Any, Reply]]
"""On the home loop. Raises what `errors.answer_for` knows."""


def answer(endpoint: Endpoint, request: Request, **path: str) -> HttpResponseBase:
    """What a viewset, of people who are logged in, answers with: an endpoint's reply."""
    assert isinstance(request.user, User)
    call = Call(
        user=request.user,
        address=request.build_absolute_uri(request.path),
        path=path,
        query=request.query_params,
        data=request.data if request.method == "POST" else None,
    )
    return respond(request, run(endpoint(call)))


def respond(request: Request, reply: Reply) -> HttpResponseBase:
    """A reply as a viewset returns it."""
    headers = dict(reply.headers)
    if reply.more is not None and request.accepted_media_type == JSON:
        return StreamingHttpResponse(
            reply.pieces(), status=reply.status, headers=headers, content_type=JSON
        )
    return Response(run(reply.whole()), status=reply.status, headers=headers)


def checked(shape: type[Serializer], data: object) -> dict[str, Any]:
    """The fields of a request as a serializer has them; ValidationError naming what is wrong."""
    with suppress(ValidationError):
        return dict(_prepared(shape).run_validation(data))
    # A field keeps the first wording of its bounds, in that reader's language, and `is_valid` words
    # some errors in another way: what is told comes of a new one.
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@cache
def _prepared(shape: type[Serializer]) -> Serializer:
    """A serializer whose fields are made: making them costs ten times as much as checking."""
    serializer = shape(data=None)
    assert serializer.fields
    return serializer
