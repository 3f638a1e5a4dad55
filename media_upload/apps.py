from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MediaUploadConfig(AppConfig):
    name = "media_upload"
    verbose_name = _("Files")
