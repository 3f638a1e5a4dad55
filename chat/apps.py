from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("Chat")

    def ready(self) -> None:
        from accounts import acquaintances
        from media_upload import visibility

        from . import hot_path

        acquaintances.register(hot_path.user_ids_sharing_a_room_with)
        visibility.register(hot_path.uploads_visible_to)
