"""Where the benchmarks keep what they make, and the environment that their services run in."""

import os
import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
WORKSPACE = Path(os.environ.get("BENCH_DIR") or CHECKOUT / ".bench").resolve()
DATA_DIR = WORKSPACE / "data"
PEER_DIR = CHECKOUT / "benchmarks" / "peer"

PRODUCT_DATABASE = "bench_product"
PEER_DATABASE = "bench_peer"

TOKEN_MINUTES = 60 * 24 * 30
"""Tokens are made when people are, and used by later runs, too."""


def environment(**changes: str) -> dict[str, str]:
    """For a service under test: our settings, whatever the shell or `.env` say, and `changes`."""
    names = re.findall(r"^([A-Z0-9_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    ours = dict.fromkeys(names, "") | {
        "DATA_DIR": str(DATA_DIR),
        "DATABASE_NAME": PRODUCT_DATABASE,
        "ACCESS_TOKEN_EXPIRE_MINUTES": str(TOKEN_MINUTES),
        "THROTTLE": "off",
        "DJANGO_SETTINGS_MODULE": "chatservice.settings",
        "PATH": f"{os.environ['PATH']}{os.pathsep}{sys.prefix}/bin",  # node may be there
    }
    return {**os.environ, **ours, **changes}


def set_up_django(**changes: str) -> None:
    """Make models and settings usable in this process, with those of a service under test."""
    os.environ.update(environment(**changes))
    import django

    django.setup()
