"""Everything under `/auth/`, with and without the final slash."""

from django.urls import re_path

from .api import AccountViewSet, AvatarView, EntranceViewSet, OwnAvatarView, SessionViewSet

urlpatterns = [
    re_path(r"^signup/?$", EntranceViewSet.as_view({"post": "sign_up"}), name="signup"),
    re_path(r"^login/?$", EntranceViewSet.as_view({"post": "log_in"}), name="login"),
    re_path(r"^token/?$", EntranceViewSet.as_view({"post": "token"}), name="token"),
    re_path(r"^refresh/?$", EntranceViewSet.as_view({"post": "refresh"}), name="refresh"),
    re_path(
        r"^users/me/?$",
        AccountViewSet.as_view({"get": "me", "patch": "change_profile"}),
        name="me",
    ),
    re_path(r"^users/me/avatar/?$", OwnAvatarView.as_view(), name="own-avatar"),
    re_path(r"^users/(?P<id>[0-9a-fA-F]{24})/avatar/?$", AvatarView.as_view(), name="avatar"),
    re_path(
        r"^change_password/?$",
        AccountViewSet.as_view({"post": "change_password"}),
        name="change_password",
    ),
    re_path(r"^logout/?$", AccountViewSet.as_view({"post": "log_out"}), name="logout"),
    re_path(
        r"^logout_all/?$",
        AccountViewSet.as_view({"post": "log_out_everywhere"}),
        name="logout_all",
    ),
    re_path(
        r"^sessions/?$",
        SessionViewSet.as_view({"get": "list", "delete": "destroy_others"}),
        name="sessions",
    ),
    re_path(
        r"^sessions/(?P<id>[0-9a-fA-F]{24})/?$",
        SessionViewSet.as_view({"delete": "destroy"}),
        name="session",
    ),
]
