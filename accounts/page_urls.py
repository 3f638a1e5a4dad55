"""The addresses of the account pages, with and without the final slash."""

from django.urls import re_path
from django.views.generic import RedirectView

from . import views

app_name = "account"

urlpatterns = [
    re_path(r"^signup/?$", views.sign_up, name="sign-up"),
    re_path(r"^login/?$", views.log_in, name="log-in"),
    re_path(r"^logout/?$", views.log_out, name="log-out"),
    # Where password managers lead people to: https://www.w3.org/TR/change-password-url/
    re_path(
        r"^\.well-known/change-password$",
        RedirectView.as_view(url="/settings#password-title"),
    ),
    re_path(r"^settings/?$", views.edit_settings, name="settings"),
    re_path(r"^settings/avatar/?$", views.edit_avatar, name="avatar"),
    re_path(r"^settings/preferences/?$", views.edit_preferences, name="preferences"),
    re_path(r"^settings/password/?$", views.change_password, name="change-password"),
    re_path(
        r"^settings/sessions/(?P<session_id>[0-9a-f]{24})/end/?$",
        views.end_session,
        name="end-session",
    ),
    re_path(r"^settings/sessions/end_others/?$", views.log_out_elsewhere, name="log-out-elsewhere"),
    re_path(r"^settings/sessions/end/?$", views.log_out_everywhere, name="log-out-everywhere"),
]
