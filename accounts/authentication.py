"""How a request to the API shows who sends it: a bearer token, or the built-in pages' cookie."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from chatservice.languages import speak

from . import hot_path
from .hot_path import Caller
from .models import User

SCHEME = "Bearer"


def token_in(header: str) -> str | None:
    """The token in an `Authorization` header, maybe empty; None if it is of another scheme."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == SCHEME.lower() else None


def rejected() -> AuthenticationFailed:
    """What is raised for a token that does not count (any more)."""
    error = AuthenticationFailed("Could not validate credentials")
    error.auth_header = SCHEME  # type: ignore[attr-defined]  # REST framework sets it, too
    return error


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>`, the scheme in any case.

    `request.auth` is the `hot_path.Caller`, whose `session_id` names the log-in.
    """

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        token = token_in(request.META.get("HTTP_AUTHORIZATION", ""))
        if token is None:
            return None
        if not token:
            raise NotAuthenticated("Not authenticated")  # the contract's own words, as below
        caller = hot_path.authenticate(token)
        if caller is None:
            raise rejected()
        speak(request._request, caller.user.language, by_token=True)
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class WebSessionAuthentication(authentication.SessionAuthentication):
    """The cookie of a browser that has logged in to the built-in pages, with the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        caller = hot_path.caller_of_web_session(request._request.session)
        if caller is None:
            return None
        speak(request._request, caller.user.language)
        self.enforce_csrf(request)
        return caller.user, caller


class BearerScheme(OpenApiAuthenticationExtension):
    """`TokenAuthentication` in the OpenAPI document."""

    target_class = TokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class WebSessionScheme(OpenApiAuthenticationExtension):
    """`WebSessionAuthentication` in the OpenAPI document."""

    target_class = WebSessionAuthentication
    name = "cookie"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
