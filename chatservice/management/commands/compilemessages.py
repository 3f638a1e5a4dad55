"""`manage.py compilemessages`, without GNU gettext: not every machine has it."""

from pathlib import Path

import polib
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile the texts under `locale/` (.po) into what Django reads (.mo)."
    requires_system_checks = []

    def handle(self, **options):
        for directory in settings.LOCALE_PATHS:
            for source in sorted(Path(directory).rglob("*.po")):
                polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))
