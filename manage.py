#!/usr/bin/env python3
"""Django's command line for this project: `python manage.py help` lists the commands."""

import gc
import os
import sys

if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)  # imports make many objects, and all of them stay

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatservice.settings")

    from chatservice.event_loop import prefer_uvloop

    prefer_uvloop()

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
