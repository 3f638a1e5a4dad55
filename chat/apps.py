from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")

    def ready(self) -> None:
        from media_upload import visibility

        from . import hot_path

        visibility.register(hot_path.uploads_visible_to)
