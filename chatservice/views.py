"""The pages and answers that belong to no app."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.exceptions import NotAuthenticated

from chatservice.metrics import exposition
from chatservice.mongo.client import database
from chatservice.realtime import worker_number


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon on pages that name none: the administration's, for one."""
    return redirect(static("favicon.svg"))


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers; otherwise the middleware makes it a 503."""
    database().command("ping")
    return JsonResponse({"status": "ok"})


class NeedsToken(NotAuthenticated):
    auth_header = "Bearer"


@never_cache
@require_safe
def metrics(request: HttpRequest, worker: str | None = None) -> HttpResponse:
    """The numbers of this process, or of the worker with this number, for who has the token.

    What asks for another worker never gets here: its connection is passed on
    (`realtime.handover`), unless there is no such worker.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        raise NeedsToken
    if worker is not None and int(worker) != worker_number():
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
