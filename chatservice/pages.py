"""What the built-in pages have in common: their policy, their modules, who looks at them."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, wraps
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS

from .errors import answer_for, respond
from .languages import speak

View = Callable[..., HttpResponse]

SCRIPTS = settings.BASE_DIR / "static" / "js"
LIBRARIES = {
    "@github/combobox-nav": "vendor/combobox-nav/index.js",
    "socket.io-client": "vendor/socket.io-client/socket.io.esm.min.js",
}
LIBRARIES_ON_DEMAND = {
    "gemoji": "vendor/gemoji/index.js",
    "markdown-it": "vendor/markdown-it/markdown-it.min.js",
}
"""Fetched when somebody first looks for an emoji, or says something, and not with the page."""

WRITTEN = "content"
"""The field with a text in the forms that are worth keeping, and where a session keeps it."""

LONGEST_WRITTEN = 16_000
"""Characters of it; no form of ours takes more."""

THEME_COOKIE = "theme"
COOKIE_AGE = 60 * 60 * 24 * 365  # seconds


class ImportMap(NamedTuple):
    """The names by which our modules import each other, and where these are."""

    text: str
    urls: list[str]
    hash: str
    """Of the text: what the policy lets run, although it stands in the page."""


@cache
def import_map() -> ImportMap:
    """Every module under `static/js` as `#<its name>`, and the libraries.

    An import map cannot be a file of its own: browsers take only one that is in the page.
    """
    imports = {name: static(path) for name, path in LIBRARIES.items()}
    for path in sorted(SCRIPTS.rglob("*.js")):
        imports[f"#{path.stem}"] = static(f"js/{path.relative_to(SCRIPTS).as_posix()}")
    on_demand = {name: static(path) for name, path in LIBRARIES_ON_DEMAND.items()}
    text = json.dumps({"imports": imports | on_demand}, separators=(",", ":"))
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return ImportMap(text, list(imports.values()), f"sha256-{digest}")


@cache
def content_security_policy() -> str:
    """Only files of our own, and the one import map; no script or style in the page.

    Trusted Types: a text that reached `innerHTML` or the like, by whatever mistake, is refused.
    """
    files = " ".join(["'self'", *settings.MEDIA_ORIGINS])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' '{import_map().hash}'",
            "style-src 'self'",
            f"img-src {files}",
            f"media-src {files}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """A page from its template, under the strict policy."""
    page = render(request, template, {**(context or {}), "import_map": import_map()}, status=status)
    page["Content-Security-Policy"] = content_security_policy()
    return page


def for_people(view: View) -> View:
    """Lets in who is logged in, in the language and the theme of their choice.

    Others are sent to the log-in, and come back afterwards. What the actions refuse, and the view
    does not show in a form, is a page that says so.
    """

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_log_in(request)
        apply_settings(request)
        try:
            response = view(request, *args, **kwargs)
        except (APIException, ValidationError) as error:
            answer = answer_for(error)
            if answer is None:
                raise
            if answer.status == HTTPStatus.NOT_FOUND:  # its own words are the API contract's
                answer = replace(answer, detail=_("There is nothing here that you may see."))
            response = respond(request, answer)
        remember_settings(request, response)
        return response

    return page


def _to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in; with what was written in a form, if there is a text in it (and no file)."""
    way = redirect_to_login(_page_of(request))
    has_text = request.POST.get(WRITTEN, "").strip() and not request.FILES
    return redirect(way.url, preserve_request=True) if has_text else way


def keep_written(request: HttpRequest, path: str) -> None:
    """Note in the session, which is a person's own, what came with the form of a log-in."""
    if text := request.POST.get(WRITTEN, "")[:LONGEST_WRITTEN]:
        request.session[WRITTEN] = {"path": path, "text": text}


def take_written(request: HttpRequest) -> str:
    """What its reader had written on this page when they had to log in; once, or nothing."""
    kept = request.session.get(WRITTEN)
    if kept is None or kept["path"] != request.path:
        return ""
    del request.session[WRITTEN]
    return kept["text"]


def _page_of(request: HttpRequest) -> str:
    """Where to come back to: of a form, the page that it is on, whose own address takes no GET."""
    if request.method in SAFE_METHODS:
        return request.get_full_path()
    return urlsplit(request.headers.get("Referer", "")).path or "/"


def apply_settings(request: HttpRequest) -> None:
    """Answer in the language and the theme of the person who is logged in, on whatever device."""
    speak(request, request.user.language)
    request.theme = request.user.theme  # for base.html


def remember_settings(request: HttpRequest, response: HttpResponse) -> None:
    """Keep a person's language and theme on their device, for pages that show before a log-in."""
    person = request.user
    if not person.is_authenticated:  # any more
        return
    theme = "" if person.theme == "system" else person.theme
    for cookie, value in ((settings.LANGUAGE_COOKIE_NAME, person.language), (THEME_COOKIE, theme)):
        if request.COOKIES.get(cookie, "") == value:
            continue
        if not value:
            response.delete_cookie(cookie, samesite="Lax")
            continue
        response.set_cookie(
            cookie,
            value,
            max_age=COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
