"""What every request and response goes through, beyond Django's own middleware."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.decorators import sync_only_middleware
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from .errors import Answer, answer_for, respond

View = Callable[[HttpRequest], HttpResponse]


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, which hands each file over whole.

    Django cannot send WhiteNoise's file objects piece by piece under ASGI: it warns, and reads them
    into memory in the end.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file:
                content = answer.file.read()
        return HttpResponse(content, status=int(answer.status), headers=dict(answer.headers))


class CompressedPages(GZipMiddleware):
    """Pages go over the wire as a tenth of what they are; what the API answers, as it is.

    The length tells nobody what is in a page (BREACH): Django adds random bytes to each, and the
    form token in it is another one every time.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        return response


class Refusals:
    """What is refused with an exact status is answered so on pages, too, and in words.

    In the API that is REST framework's business. Elsewhere Django would take what an action raises
    for a bug, and show an empty page to who types the address that a form is sent to.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and "GET" not in response["Allow"]:
            answer = Answer(405, _("There is nothing to read here: only forms are sent to it."))
            allowed, response = response["Allow"], respond(request, answer)
            response["Allow"] = allowed
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, APIException) and (answer := answer_for(exception)) is not None:
            return respond(request, answer)
        return None


@sync_only_middleware
def content_security_policy(get_response: View) -> View:
    """Let pages load only what this service serves, unless a response brings a policy of its own.

    Inline styles are allowed for the admin and the browsable API; inline scripts are not.
    """
    files = " ".join(["'self'", "data:", "blob:", *settings.MEDIA_ORIGINS])
    policy = "; ".join(
        [
            "default-src 'self'",
            f"img-src {files}",
            f"media-src {files}",
            "style-src 'self' 'unsafe-inline'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware
