from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("people")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from . import web_sessions

        user_logged_in.connect(web_sessions.open_with_login)
        user_logged_out.connect(web_sessions.end_with_logout)
