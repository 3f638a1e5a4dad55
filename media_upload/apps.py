from django.apps import AppConfig


class MediaUploadConfig(AppConfig):
    name = "media_upload"
