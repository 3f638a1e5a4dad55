from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ChatServiceConfig(AppConfig):
    name = "chatservice"
    verbose_name = "Chat service"

    def ready(self):
        from . import checks, dates  # noqa: F401  (registers the system checks)

        dates.install()


class AdministrationConfig(AdminConfig):
    default_site = "chatservice.admin.AdministrationSite"
