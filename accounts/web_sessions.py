"""Log-ins of browsers: Django's cookie session, tied to a `Session` as a token is.

Django's `login()` and `logout()` are called in many places (the admin, the pages, the test client).
Their signals are the one seam that none of these can forget.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bson import ObjectId
from django.contrib.auth import middleware
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_only_middleware
from django.utils.functional import SimpleLazyObject

from chatservice.languages import speak

from . import actions
from .addresses import client_address, user_agent
from .hot_path import WEB_SESSION_KEY, caller_of_web_session
from .models import User

View = Callable[[HttpRequest], HttpResponse]


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """`request.user` is who the cookie names, for as long as the session of that log-in lives."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]


@sync_only_middleware
def staff_language(get_response: View) -> View:
    """The administration speaks the language that its reader has chosen for the pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/") and request.user.is_authenticated:
            speak(request, request.user.language)
        return get_response(request)

    return middleware


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Who the request's cookie session belongs to; `AnonymousUser` if to nobody (any more)."""
    caller = caller_of_web_session(request.session)
    if caller is None:
        return AnonymousUser()
    actions.note_use(session_id=caller.session_id)
    return caller.user


def open_with_login(*, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Receives `user_logged_in`. Raises PermissionDenied if the account changed meanwhile."""
    end_with_logout(request=request, user=user)  # of the same browser, which logs in again
    try:
        session = actions.open_session(
            user=user,
            address=client_address(request),
            user_agent=user_agent(request),
            lifetime=timedelta(seconds=request.session.get_expiry_age()),
        )
    except actions.IncorrectCredentials as error:
        raise PermissionDenied(str(error)) from error
    request.session[WEB_SESSION_KEY] = str(session.pk)


def end_with_logout(*, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Receives `user_logged_out`."""
    session_id = request.session.pop(WEB_SESSION_KEY, None)
    if user is not None and session_id:
        actions.log_out(actor=user, session_id=ObjectId(session_id))
