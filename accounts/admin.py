"""People and their log-ins in the admin. Every change goes through the actions."""

import copy
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from chatservice.complaints import Complaints
from chatservice.languages import digits

from . import actions, policies
from .back_off import account_of
from .models import LoginFailure, Session, User
from .names import key_of
from .passwords import validate_new_password


class UserAddForm(forms.ModelForm):
    """A new person, with a password that they are told and can then change."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["email", "username", "full_name"]

    def clean(self) -> dict[str, Any]:
        fields = self.cleaned_data
        person = User(**{name: fields[name] for name in self.Meta.fields if name in fields})
        complaints = Complaints()
        with complaints.gathered():
            if "password" in fields:
                validate_new_password(fields["password"], person)
        with complaints.gathered():
            User.objects.check_free(email=person.email, username=person.username)
        complaints.raise_all()
        return fields


class UserChangeForm(auth_forms.UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_username(self) -> str:
        username = self.cleaned_data["username"]
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(username_key=key_of(username)).exists():
            raise ValidationError(_("This user name is taken."), code="taken")
        return username


class PasswordChangeForm(auth_forms.AdminPasswordChangeForm):
    """Django's form, with our rules for passwords, saved by the action."""

    def __init__(self, user: User, *args: Any, actor: User, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(user, *args, **kwargs)

    def validate_password_for_user(
        self, user: User, password_field_name: str = "password2"
    ) -> None:
        if password := self.cleaned_data.get(password_field_name):
            try:
                validate_new_password(password, user, field=password_field_name)
            except ValidationError as error:
                self.add_error(None, error)

    def save(self, commit: bool = True) -> User:
        is_usable = self.cleaned_data["set_usable_password"]
        password = self.cleaned_data["password1"] if is_usable else None
        actions.reset_password(actor=self.actor, user=self.user, password=password)
        return self.user


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin):
    """People. Nobody is deleted, for what they wrote keeps its sender: they are deactivated."""

    add_form = UserAddForm
    add_form_template = None
    form = UserChangeForm
    list_display = (
        "email",
        "username",
        "full_name",
        "is_active",
        "is_staff",
        "last_login",
        "created_at",
    )
    list_filter = ("is_active", "is_staff", "is_superuser", "language")
    search_fields = ("email", "username", "full_name")
    ordering = ("email_key",)
    actions = ("deactivate", "reactivate")
    fieldsets = (
        (None, {"fields": ("email", "username", "password", "full_name", "language")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "username", "full_name", "password")}),
    )

    @admin.action(description=_("Deactivate selected people"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [user for user in queryset if policies.can_deactivate_user(request.user, user)]
        for user in people:
            actions.deactivate_user(actor=request.user, user=user)
        self._report(
            request,
            ngettext("%d person is deactivated.", "%d people are deactivated.", len(people)),
            len(people),
        )

    @admin.action(description=_("Reactivate selected people"), permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [user for user in queryset if policies.can_manage_user(request.user, user)]
        for user in people:
            actions.reactivate_user(actor=request.user, user=user)
        self._report(
            request,
            ngettext("%d person is active again.", "%d people are active again.", len(people)),
            len(people),
        )

    def _report(self, request: HttpRequest, text: str, count: int) -> None:
        self.message_user(request, text % count, messages.SUCCESS if count else messages.WARNING)

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        try:
            if change:
                self._change(request, user, form)
            else:
                user.pk = actions.sign_up(**form.cleaned_data).pk
        except actions.AlreadyRegistered as error:  # since the form looked
            raise BadRequest(str(error.detail)) from error

    def _change(self, request: HttpRequest, user: User, form: Any) -> None:
        changes = {
            name: form.cleaned_data[name]
            for name in policies.MANAGED_FIELDS.intersection(form.changed_data)
        }
        if changes:
            actions.change_user(actor=request.user, user=user, **changes)
        if "is_active" in form.changed_data:
            switch = actions.reactivate_user if user.is_active else actions.deactivate_user
            switch(actor=request.user, user=user)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        # Django makes the form from the user alone, and the action wants to know who acts. This
        # object serves all requests at once, hence the copy.
        desk = copy.copy(self)
        desk.change_password_form = partial(PasswordChangeForm, actor=request.user)
        return auth_admin.UserAdmin.user_change_password(desk, request, id, form_url)

    def get_readonly_fields(self, request: HttpRequest, user: User | None = None) -> list[str]:
        if user is None:
            return []
        fields = ["email", "last_login", "created_at"]
        if not policies.can_grant_privileges(request.user):
            fields += ["is_staff", "is_superuser", "groups", "user_permissions"]
        if user == request.user:
            fields += ["is_active", "is_staff", "is_superuser"]
        return fields

    def has_change_permission(self, request: HttpRequest, user: User | None = None) -> bool:
        return super().has_change_permission(request, user) and (
            user is None or policies.can_manage_user(request.user, user)
        )

    def has_delete_permission(self, request: HttpRequest, user: User | None = None) -> bool:
        return False

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        text = gettext("People are not deleted: what they wrote keeps its sender. Deactivate them.")
        self.message_user(request, text, messages.ERROR)
        return redirect("admin:accounts_user_change", object_id)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Documents that only the service itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, document: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, document: Any = None) -> bool:
        return False


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Who is logged in, where, and on what."""

    list_display = ("user", "created_at", "last_used_at", "address", "user_agent", "ended_at")
    readonly_fields = (*list_display, "expires_at")
    list_select_related = ("user",)
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "last_used_at")
    search_fields = ("user__email", "address")
    actions = ("end",)

    @admin.action(description=_("End selected log-ins"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        sessions = list(queryset.filter(ended_at=None))
        for session in sessions:
            actions.end_session(actor=request.user, session=session)
        text = ngettext("%d log-in has ended.", "%d log-ins have ended.", len(sessions))
        self.message_user(request, text % len(sessions), messages.SUCCESS)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return policies.can_end_sessions(request.user)


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    """Who fails to log in, and has to wait."""

    list_display = (
        *("kind", "user", "short_account", "address"),
        *("count", "blocked_until", "expires_at"),
    )
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("user__email", "user__username", "address")
    search_help_text = _("A person, an address, or the name in full that somebody tried.")
    actions = ("unlock",)

    @admin.display(description=_("account"))
    def short_account(self, failure: LoginFailure) -> str:
        """Enough of the hash to see what is counted for one name."""
        return failure.account[:8]

    @admin.display(description=_("failures"), ordering="failures")
    def count(self, failure: LoginFailure) -> str:
        return digits(failure.failures)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LoginFailure], search_term: str
    ) -> tuple[QuerySet[LoginFailure], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            found |= queryset.filter(account=account_of(search_term))
        return found, may_repeat

    @admin.action(description=_("Forget the failures of selected subjects"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[LoginFailure]) -> None:
        count = actions.forget_failures(
            actor=request.user, failures=list(queryset.select_related("user"))
        )
        text = ngettext("%d subject may log in again.", "%d subjects may log in again.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return policies.can_unlock(request.user)
