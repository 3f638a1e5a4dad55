"""The system's Chromium, driven by Playwright."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first takes half of the processor's time: it has no windows, buttons and menus of its own."""

WITHOUT_GPU = ["--disable-gpu", "--disable-software-rasterizer", "--use-angle=none"]
"""Pages are drawn on the processor. Otherwise Chromium does so by way of a GPU that it emulates,
which takes a third more of the processor's time for all that it does."""


def find() -> str | None:
    """The path of the browser, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright, path: str) -> Browser:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*WITHOUT_GPU, *as_root])
