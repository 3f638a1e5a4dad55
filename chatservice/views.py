"""The pages and answers that belong to no app."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatservice.mongo.client import database


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The front page: what this is, and where to go."""
    return render(request, "index.html")


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 while the database answers; otherwise the middleware makes it a 503."""
    database().command("ping")
    return JsonResponse({"status": "ok"})
