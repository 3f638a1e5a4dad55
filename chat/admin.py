"""Moderating rooms. Every change here is an action, so that the browsers of those in the room hear
of it at once, and every permission is asked where the other doors ask it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from chatservice.errors import answer_for
from chatservice.languages import digits
from chatservice.realtime.loop import run

from . import actions
from .models import Membership, Message, Room


class ActionAdmin(admin.ModelAdmin):
    """Writes by actions only. What an action refuses is said above the form, nothing is lost."""

    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._explaining(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._explaining(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._explaining(request, super().changelist_view, *args, **kwargs)

    def _explaining(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            answer = answer_for(error)
            if answer is None or request.method != "POST":
                raise
            self.message_user(request, answer.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_queryset(request, [obj])

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        """The objects alone. Django would collect all that refers to a room: its whole log."""
        chosen = list(objs)
        count: Mapping[str, int] = {str(self.opts.verbose_name_plural): len(chosen)}
        return [str(obj) for obj in chosen], count, set(), []


class GoneFilter(admin.SimpleListFilter):
    """Keeps to what is there unless asked for the rest. `field` says when something went."""

    field = "deleted_at"
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list:
        return [("gone", _("deleted")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Iterable[dict]:
        there, *others = super().choices(changelist)
        return [{**there, "display": _("there")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() != "gone"})


class LeftFilter(GoneFilter):
    field = "left_at"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list:
        return [("gone", _("left")), ("all", _("all"))]


@admin.register(Room)
class RoomAdmin(ActionAdmin):
    list_display = [
        *("name", "is_group_chat", "is_public"),
        *("messages", "last_activity_at", "created_by"),
    ]
    list_select_related = ["created_by"]
    list_filter = [GoneFilter, "is_group_chat", "is_public"]
    search_fields = ["name", "description"]
    fields = ["name", "description", "is_public", "created_by", "created_at", "deleted_at"]
    readonly_fields = ["created_by", "created_at", "deleted_at"]

    @admin.display(description=_("messages"), ordering="message_count")
    def messages(self, room: Room) -> str:
        return digits(room.message_count)

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None) -> list[str]:
        if obj is not None and (obj.deleted_at or not obj.is_group_chat):
            return ["name", "description", "is_public", *self.readonly_fields]
        return self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Room, form: ModelForm, change: bool) -> None:
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            if changed:
                run(actions.change_room(actor=request.user, room_id=obj.pk, **changed))
            return
        opened = run(actions.create_room(actor=request.user, **form.cleaned_data))
        obj.pk = opened.room_id

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Room]) -> None:
        for room in queryset:
            run(actions.delete_room(actor=request.user, room_id=room.pk))

    def has_delete_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        gone = obj is not None and obj.deleted_at is not None
        return super().has_delete_permission(request, obj) and not gone


@admin.register(Membership)
class MembershipAdmin(ActionAdmin):
    list_display = ["user", "room", "role", "joined_at", "left_at"]
    list_select_related = ["user", "room"]
    list_filter = [LeftFilter, "role"]
    search_fields = ["user__email_key", "user__username_key", "room__name"]
    fields = ["room", "user", "role", "joined_at", "left_at"]
    readonly_fields = ["joined_at", "left_at"]
    raw_id_fields = ["room", "user"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        if obj is None:
            return ["role", *self.readonly_fields]
        fixed = ["room", "user", *self.readonly_fields]
        return fixed if obj.left_at is None else ["role", *fixed]

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm, change: bool
    ) -> None:
        if not change:
            run(
                actions.add_members(
                    actor=request.user, room_id=obj.room_id, people=[obj.user.email]
                )
            )
            obj.pk = Membership.objects.get(room=obj.room_id, user=obj.user_id).pk
        elif form.changed_data:
            run(
                actions.change_role(
                    actor=request.user,
                    room_id=obj.room_id,
                    member_id=obj.user_id,
                    role=form.cleaned_data["role"],
                )
            )

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Membership]) -> None:
        for membership in queryset:
            run(
                actions.remove_member(
                    actor=request.user, room_id=membership.room_id, member_id=membership.user_id
                )
            )

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        gone = obj is not None and obj.left_at is not None
        return super().has_delete_permission(request, obj) and not gone


@admin.register(Message)
class MessageAdmin(ActionAdmin):
    """Moderators read and take away; what somebody said is never changed by somebody else."""

    list_display = ["text", "sender", "room", "created_at", "edited_at"]
    list_select_related = ["room"]
    list_filter = [GoneFilter, "via"]
    search_fields = ["content", "sender"]
    ordering = ["-id"]
    readonly_fields = fields = [
        "room",
        "seq",
        "sender",
        "content",
        "created_at",
        "edited_at",
        "deleted_at",
        "client_id",
        "via",
        "reply_to",
    ]

    @admin.display(description=_("content"), empty_value="—")
    def text(self, message: Message) -> str | None:
        return Truncator(message.content).chars(80) if message.content else None

    def delete_queryset(self, request: HttpRequest, queryset: Iterable[Message]) -> None:
        for message in queryset:
            run(
                actions.delete_message(
                    actor=request.user, room_id=message.room_id, message_id=message.pk
                )
            )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        gone = obj is not None and obj.deleted_at is not None
        return super().has_delete_permission(request, obj) and not gone
