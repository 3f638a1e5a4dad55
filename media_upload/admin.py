"""Uploads, for moderators: what there is, whose it is, and the way to remove it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from chatservice.languages import digits

from . import actions, policies
from .models import Upload


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    """A list to read and to delete from. An upload is never changed, and added by uploading."""

    list_display = ["name", "owner", "content_type", "file_size", "created_at"]
    list_select_related = ["owner"]
    list_filter = ["content_type", "created_at"]
    search_fields = ["name", "owner__email", "owner__username", "sha256"]
    search_help_text = _("Part of the file's name, or of its owner's e-mail or user name.")
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = [
        "name",
        "owner",
        "content_type",
        "file_size",
        "width",
        "height",
        "sha256",
        "storage_name",
        "created_at",
    ]
    readonly_fields = fields

    @admin.display(description=_("size"), ordering="size")
    def file_size(self, upload: Upload) -> str:
        return digits(filesizeformat(upload.size))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        if obj is None:
            return super().has_delete_permission(request)
        return policies.can_delete_upload(request.user, obj)

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        actions.delete_upload(actor=request.user, upload=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        for upload in queryset:
            self.delete_model(request, upload)
