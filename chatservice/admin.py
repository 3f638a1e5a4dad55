"""The administration, under a name of its own. What is in it, each app says in its `admin.py`."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class AdministrationSite(admin.AdminSite):
    site_title = _("Chat administration")
    site_header = _("Chat administration")
