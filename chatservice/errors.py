"""What a client gets to see when something is refused or fails.

The domain speaks Django: `ValidationError`, `PermissionDenied`, `DoesNotExist`, and, where an exact
status is part of the contract, DRF's `APIException`. `answer_for` turns each into an `Answer`; the
doors (REST here, Socket.IO in its own module) write it in their own way. An exception that has no
answer is a bug and must surface as one.
"""

import logging
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core import exceptions
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.exceptions import ValidationError as DRFValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from .languages import digits
from .outages import DATABASE_DOWN, RETRY_AFTER_SECONDS

logger = logging.getLogger(__name__)

BOUNDS = {"min_value", "max_value"}
"""The complaints that name a number, and nothing that was sent."""

API_PREFIXES = ("/auth/", "/chat/", "/media/", "/openapi.json", "/health", "/metrics")


@dataclass(frozen=True)
class Answer:
    """A refusal or a failure, in words that a client may see.

    `detail` is one sentence. `errors` has a list of sentences for each field of an invalid input.
    `code` is a word for programs, where the status alone says too little. `retry_after` is in
    seconds.
    """

    status: int
    detail: str
    errors: dict[str, list[str]] = field(default_factory=dict)
    code: str | None = None
    retry_after: int | None = None
    challenge: str | None = None  # the WWW-Authenticate header of a 401

    def body(self) -> dict[str, Any]:
        """The JSON object that stands for it."""
        body: dict[str, Any] = {"detail": self.detail}
        if self.errors:
            body["errors"] = self.errors
        if self.code:
            body["code"] = self.code
        return body

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.challenge:
            headers["WWW-Authenticate"] = self.challenge
        return headers


def answer_for(exc: Exception) -> Answer | None:
    """What a client gets to see of `exc`, or None for an exception that is a bug."""
    match exc:
        case DRFValidationError():
            return invalid(fields_of(exc.detail))
        case APIException():
            return answer_for_api_exception(exc)
        case exceptions.ValidationError():
            if hasattr(exc, "error_dict"):
                return invalid(
                    {name_of(name): messages for name, messages in exc.message_dict.items()}
                )
            return invalid({api_settings.NON_FIELD_ERRORS_KEY: exc.messages})
        case Http404() | exceptions.ObjectDoesNotExist():
            return Answer(status.HTTP_404_NOT_FOUND, spoken(exc, Http404) or _("Not found."))
        case exceptions.PermissionDenied():
            detail = spoken(exc, exceptions.PermissionDenied)
            return Answer(status.HTTP_403_FORBIDDEN, detail or _("You may not do this."))
        case exceptions.RequestDataTooBig():
            return Answer(
                status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, _("The request's body is too large.")
            )
        case MultiPartParserError():
            return Answer(
                status.HTTP_400_BAD_REQUEST,
                _(
                    "The form cannot be read. Send it as multipart/form-data, with the boundary "
                    "that its Content-Type names."
                ),
            )
        case exceptions.BadRequest() | exceptions.SuspiciousOperation():
            return Answer(status.HTTP_400_BAD_REQUEST, _("Bad request."))
        case _ if isinstance(exc, DATABASE_DOWN):
            return Answer(
                status.HTTP_503_SERVICE_UNAVAILABLE,
                _("The database does not answer. Please try again in a moment."),
                retry_after=RETRY_AFTER_SECONDS,
            )
    return None


def answer_for_api_exception(exc: APIException) -> Answer:
    """`exc` as it is, with its code where it was raised with one of its own."""
    detail: Any = exc.detail
    code = getattr(detail, "code", None)
    if isinstance(detail, dict):  # SimpleJWT: {"detail": ..., "code": ...}
        code = detail.get("code", code)
        detail = detail.get("detail", exc.default_detail)
    elif isinstance(detail, list):
        detail = detail[0] if detail else exc.default_detail
    if isinstance(exc, NotAuthenticated):
        detail = "Not authenticated"  # the contract's own words
    wait = getattr(exc, "wait", None)
    return Answer(
        exc.status_code,
        str(detail),
        code=str(code) if code and code != exc.default_code else None,
        retry_after=None if wait is None else math.ceil(wait),
        challenge=getattr(exc, "auth_header", None),
    )


def invalid(errors: dict[str, list[str]]) -> Answer:
    """422 with the fields named; `detail` says the first of the complaints."""
    complaints = [message for messages in errors.values() for message in messages]
    return Answer(
        status.HTTP_422_UNPROCESSABLE_ENTITY,
        complaints[0] if complaints else _("Invalid input."),
        errors=errors,
    )


def fields_of(detail: Any, name: str = "") -> dict[str, list[str]]:
    """DRF's nested complaints, flat: `{"members": {2: [...]}}` becomes `{"members.2": [...]}`."""
    members: Iterable[tuple[Any, Any]]
    if isinstance(detail, dict):
        members = detail.items()
    elif isinstance(detail, list) and any(isinstance(member, dict | list) for member in detail):
        members = enumerate(detail)
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return {name or api_settings.NON_FIELD_ERRORS_KEY: [worded(text) for text in messages]}
    return {
        full_name: messages
        for key, member in members
        if member
        for full_name, messages in fields_of(member, f"{name}.{key}" if name else str(key)).items()
    }


def worded(complaint: object) -> str:
    """A complaint of DRF's as it is sent, its limit in the digits of the language.

    Half of a surrogate pair becomes `?`: some complaints quote what they refuse.
    """
    text = str(complaint).encode(errors="replace").decode()
    return digits(text) if getattr(complaint, "code", None) in BOUNDS else text


def name_of(field_name: str) -> str:
    """Django's name for "the whole object" in DRF's words."""
    if field_name == exceptions.NON_FIELD_ERRORS:
        return api_settings.NON_FIELD_ERRORS_KEY
    return field_name


def spoken(exc: Exception, trusted: type[Exception]) -> str:
    """The sentence that `exc` was raised with, if it was written for people to read.

    `DoesNotExist` says "Room matching query does not exist", `get_object_or_404` much the same, and
    the Http404 of Django's resolver carries a dict; none is for clients.
    """
    if isinstance(exc.__context__, exceptions.ObjectDoesNotExist):
        return ""
    if isinstance(exc, trusted) and exc.args and isinstance(exc.args[0], str):
        return exc.args[0]
    return ""


def answer_and_log(exc: Exception) -> Answer | None:
    """As `answer_for`, for a request to the API; an outage is a line in the log."""
    answer = answer_for(exc)
    if answer is not None and isinstance(exc, DATABASE_DOWN):
        logger.error("The database does not answer: %s", type(exc).__name__)
    return answer


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's `EXCEPTION_HANDLER`."""
    answer = answer_and_log(exc)
    if answer is None:
        return None
    set_rollback()
    return Response(answer.body(), status=answer.status, headers=answer.headers())


def is_api_request(request: HttpRequest) -> bool:
    """Whether the client wants JSON: it asks for the API, or does not ask for a page."""
    return request.path_info.startswith(API_PREFIXES) or not request.accepts("text/html")


def respond(request: HttpRequest, answer: Answer) -> HttpResponse:
    """`answer` outside DRF: JSON for API clients, a small page for browsers."""
    if is_api_request(request):
        return JsonResponse(answer.body(), status=answer.status, headers=answer.headers())
    page = render(request, "error.html", {"answer": answer}, status=answer.status)
    for name, value in answer.headers().items():
        page[name] = value
    return page


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, answer_for(exception) or Answer(400, _("Bad request.")))


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, answer_for(exception) or Answer(403, _("You may not do this.")))


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return respond(request, answer_for(exception) or Answer(404, _("Not found.")))


def handler500(request: HttpRequest) -> HttpResponse:
    """For a database that is down, 503, wherever it was missed: in a view or in a middleware."""
    error = sys.exception()
    if isinstance(error, DATABASE_DOWN) and (answer := answer_for(error)):
        return respond(request, answer)
    return respond(request, Answer(500, _("Something went wrong on our side.")))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's `CSRF_FAILURE_VIEW`; the reason is for the log, not for the client."""
    return respond(
        request,
        Answer(
            403,
            _("This form is out of date or was not sent from this site. Please reload the page."),
            code="csrf_failed",
        ),
    )
