"""Addresses under `/media/`. The upload itself is under `/chat/`, where clients know it."""

from django.urls import re_path

from .api import MediaView

urlpatterns = [
    re_path(r"^(?P<upload_id>[0-9a-f]{24})/(?P<name>[^/]+)/?$", MediaView.as_view(), name="media"),
]
