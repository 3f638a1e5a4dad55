"""The account pages: signing up, logging in and out, settings. All work without JavaScript."""

from typing import Any

from bson import ObjectId
from django.conf import settings
from django.contrib import auth, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from chatservice.pages import (
    LONGEST_WRITTEN,
    WRITTEN,
    apply_settings,
    for_people,
    keep_written,
    remember_settings,
    render_page,
)

from . import actions
from .addresses import client_address, user_agent
from .forms import AvatarForm, LogInForm, PasswordForm, PreferencesForm, ProfileForm, SignUpForm
from .hot_path import WEB_SESSION_KEY
from .models import Session, User
from .portraits import display_name, hue_of, initial_of
from .programs import program_name

BACKEND = settings.AUTHENTICATION_BACKENDS[0]
INVALID = 422


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and be logged in."""
    if request.user.is_authenticated:
        return redirect(next_page(request))
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = actions.sign_up(**form.cleaned_data, language=chosen_language(request))
        except actions.AlreadyRegistered:  # since the form looked; now it sees that, too
            form.full_clean()
        else:
            return enter(request, person)
    return entrance(request, "accounts/sign_up.html", form)


def chosen_language(request: HttpRequest) -> str:
    """The language that somebody has chosen on this device before they had an account."""
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return language if language in dict(settings.LANGUAGES) else ""


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in, and go on to `next`, where one was sent here from.

    The form of another page may come instead: it has a text in it, which is kept for that page.
    """
    if request.user.is_authenticated:
        return redirect(next_page(request))
    form = LogInForm(request.POST if "username" in request.POST else None)
    if form.is_valid():
        try:
            person = auth.authenticate(request, **form.cleaned_data)
        except ValidationError as error:  # too many failures: wait
            form.refuse(error)
        else:
            if person is not None:
                return enter(request, person)
            form.refuse(ValidationError(_("The name or the password is wrong.")))
    return entrance(request, "accounts/log_in.html", form)


def enter(request: HttpRequest, person: Any) -> HttpResponse:
    """Begin a person's web session and show them where they wanted to go."""
    try:
        auth.login(request, person, backend=BACKEND)
    except PermissionDenied:  # the account changed since the password was checked
        return redirect("account:log-in")
    keep_written(request, next_page(request))
    response = redirect(next_page(request))
    remember_settings(request, response)
    return response


def entrance(request: HttpRequest, template: str, form: Any) -> HttpResponse:
    form.lead_to_mistake()
    context = {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "written": request.POST.get(WRITTEN, "")[:LONGEST_WRITTEN],
    }
    return render_page(request, template, context, status=INVALID if form.errors else 200)


def next_page(request: HttpRequest) -> str:
    """The path to go to after logging in: never off this site, whatever a link to the log-in says.

    What has no slash in front is "/": `redirect` would take it for the name of a view.
    """
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/"


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log this browser out."""
    auth.logout(request)
    return redirect("index")


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def edit_settings(request: HttpRequest) -> HttpResponse:
    """All settings; sent as a form, what others see of one."""
    if request.method != "POST":
        return settings_page(request)
    return save(request, "profile", ProfileForm(request.POST))


@require_POST
@for_people
def edit_preferences(request: HttpRequest) -> HttpResponse:
    """How the chat looks and works for oneself, on every device."""
    return save(request, "preferences", PreferencesForm(request.POST))


@require_POST
@for_people
def edit_avatar(request: HttpRequest) -> HttpResponse:
    """Have a picture, or, with the button `remove`, none."""
    if "remove" in request.POST:
        actions.remove_avatar(actor=own_account(request))
        messages.success(request, _("Your picture is removed."))
        return redirect("account:settings")
    form = AvatarForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            actions.change_avatar(actor=own_account(request), file=form.cleaned_data["file"])
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Your picture is changed."))
            return redirect("account:settings")
    return settings_page(request, avatar=form)


def save(request: HttpRequest, name: str, form: ProfileForm | PreferencesForm) -> HttpResponse:
    """Save one form of the settings, or show it again with what is wrong."""
    if form.is_valid():
        try:
            person = actions.change_profile(actor=own_account(request), **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            request.user = person
            apply_settings(request)
            messages.success(request, _("Your settings are saved."))
            return redirect("account:settings")
    return settings_page(request, **{name: form})


@sensitive_post_parameters("old_password", "new_password")
@require_POST
@for_people
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the password: every other device is logged out, this one stays."""
    form = PasswordForm(request.POST, person=own_account(request))
    if form.is_valid():
        try:
            session = actions.change_password(
                actor=own_account(request),
                address=client_address(request),
                user_agent=user_agent(request),
                **form.cleaned_data,
            )
        except ValidationError as error:
            form.refuse(error)
        except actions.back_off.TooManyFailures as refusal:
            form.refuse(ValidationError(str(refusal.detail)))
        else:
            auth.update_session_auth_hash(request, session.user)
            request.session[WEB_SESSION_KEY] = str(session.pk)
            messages.success(request, _("Your password is changed."))
            return redirect("account:settings")
    return settings_page(request, password=form)


@require_POST
@for_people
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """Log one device out."""
    own = Session.objects.visible_to(own_account(request))
    session = get_object_or_404(own, pk=ObjectId(session_id))
    actions.end_session(actor=own_account(request), session=session)
    if session_id == request.session.get(WEB_SESSION_KEY):
        auth.logout(request)
        return redirect("account:log-in")
    messages.success(request, _("The device is logged out."))
    return redirect("account:settings")


@require_POST
@for_people
def log_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """Log every other device out."""
    actions.log_out_elsewhere(
        actor=own_account(request), session_id=ObjectId(request.session[WEB_SESSION_KEY])
    )
    messages.success(request, _("All other devices are logged out."))
    return redirect("account:settings")


@require_POST
@for_people
def log_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Log every device out, this one too."""
    actions.log_out_everywhere(actor=own_account(request))
    auth.logout(request)
    return redirect("account:log-in")


def settings_page(
    request: HttpRequest,
    avatar: AvatarForm | None = None,
    profile: ProfileForm | None = None,
    preferences: PreferencesForm | None = None,
    password: PasswordForm | None = None,
) -> HttpResponse:
    person = own_account(request)
    forms = [form for form in (avatar, profile, preferences, password) if form is not None]
    for form in forms:
        form.lead_to_mistake()
    current = request.session.get(WEB_SESSION_KEY)
    sessions = [
        {
            "session": session,
            "program": program_name(session.user_agent),
            "is_current": str(session.pk) == current,
        }
        for session in Session.objects.visible_to(person)
    ]
    initial = {
        "language": person.language,
        "theme": person.theme,
        "enter_sends": "yes" if person.enter_sends else "no",
        "notifications": person.notifications,
    }
    context = {
        "avatar": avatar or AvatarForm(),
        "profile": profile or ProfileForm(initial={"full_name": person.full_name}),
        "preferences": preferences or PreferencesForm(initial=initial),
        "password": password or PasswordForm(person=person),
        "me": {
            "name": display_name(person),
            "initial": initial_of(display_name(person)),
            "hue": hue_of(person.pk),
            "avatar_url": person.avatar_url,
        },
        "sessions": sorted(sessions, key=lambda each: not each["is_current"]),
    }
    return render_page(request, "accounts/settings.html", context, status=INVALID if forms else 200)


def own_account(request: HttpRequest) -> User:
    """The person who asks, of a page that is `for_people`."""
    assert isinstance(request.user, User)
    return request.user
