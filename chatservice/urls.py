"""Every address of the service. Each answers with and without its final slash."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from chat.views import index
from media_upload.api import UploadView

from . import views

docs = SpectacularSwaggerSplitView.as_view(url_name="openapi", http_method_names=["get", "head"])

urlpatterns = [
    path("", index, name="index"),
    path("", include("accounts.page_urls")),
    path("", include("chat.page_urls")),
    re_path(r"^language/?$", set_language, name="set-language"),
    path("favicon.ico", views.favicon),
    re_path(r"^health/?$", views.health, name="health"),
    re_path(r"^metrics(?:/(?P<worker>[0-9]{1,4}))?/?$", views.metrics, name="metrics"),
    path("auth/", include("accounts.urls")),
    re_path(r"^chat/upload_media/?$", UploadView.as_view(), name="upload-media"),
    path("chat/", include("chat.urls")),
    path("media/", include("media_upload.urls")),
    re_path(r"^openapi\.json$", SpectacularJSONAPIView.as_view(), name="openapi"),
    re_path(r"^docs/?$", docs, name="docs"),
    path("admin/", admin.site.urls),
]

handler400 = "chatservice.errors.handler400"
handler403 = "chatservice.errors.handler403"
handler404 = "chatservice.errors.handler404"
handler500 = "chatservice.errors.handler500"
