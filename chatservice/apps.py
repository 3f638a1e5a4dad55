from django.apps import AppConfig


class ChatServiceConfig(AppConfig):
    name = "chatservice"
    verbose_name = "Chat service"

    def ready(self):
        from . import checks  # noqa: F401  (registers the system checks)
