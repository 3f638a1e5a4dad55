"""An admin of Django's own models, with everything that the admin can do switched on."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.urls import path

site = admin.AdminSite()
site.register(Group, GroupAdmin)
site.register(Session)


@admin.register(ContentType, site=site)
class ContentTypeAdmin(admin.ModelAdmin):
    list_display = ["app_label", "model"]
    list_editable = ["model"]
    ordering = ["pk"]
    search_fields = ["model"]


@admin.register(LogEntry, site=site)
class LogEntryAdmin(admin.ModelAdmin):
    date_hierarchy = "action_time"
    list_display = ["action_time", "user", "content_type", "object_repr"]
    list_filter = [
        "action_flag",
        "action_time",
        "user",
        ("content_type", admin.RelatedFieldListFilter),
    ]
    list_per_page = 5
    list_select_related = ["user", "content_type"]
    ordering = ["-action_time", "pk"]
    search_fields = ["object_repr", "user__email", "=object_id", "^content_type__model"]


@admin.register(Permission, site=site)
class PermissionAdmin(admin.ModelAdmin):
    autocomplete_fields = ["content_type"]
    list_display = ["name", "content_type"]
    list_filter = ["content_type__app_label"]
    search_fields = ["name", "codename"]


urlpatterns = [path("admin/", site.urls)]
