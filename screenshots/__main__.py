"""Make pictures of every page: `make screenshots`.

Starts the service with the demo on a directory of its own. Writes into `test-output/screenshots`
a PNG of each view in each language, theme and size, and into `docs/images` the two that the README
shows. Names on the command line choose among the views: `python -m screenshots room settings`.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from acceptance.service import CHECKOUT, Service

from . import chromium
from .views import LANGUAGES, SIZES, THEMES, VIEWS, View, Visitors

OUTPUT = CHECKOUT / "test-output" / "screenshots"
IMAGES = CHECKOUT / "docs" / "images"
IN_README = {"room-en-light-wide": "room.png", "room-persian-fa-dark-narrow": "room-persian.png"}
PASSWORD = "only for these pictures"
ONLINE = ("bob", "sara")
DEVICES = {"wide": {}, "narrow": {"is_mobile": True, "has_touch": True}}


def main(names: list[str]) -> None:
    """Take the named views, or all of them."""
    if unknown := set(names) - {view.name for view in VIEWS}:
        sys.exit(f"There is no view {', '.join(sorted(unknown))}.")
    path = chromium.find()
    if not path:
        sys.exit("There is no Chromium on the PATH.")
    views = [view for view in VIEWS if view.name in names or not names]
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="chat-screenshots-") as directory,
        Service(directory) as service,
        sync_playwright() as playwright,
    ):
        service.start()
        service.manage("seed_demo", "--password", PASSWORD)
        browser = chromium.launch(playwright, path)
        for language in LANGUAGES:
            take(browser, service.url, language, views)
        browser.close()
    for name, image in IN_README.items():
        if (picture := OUTPUT / f"{name}.png").exists():
            shrink(picture, IMAGES / image)


def take(browser: Browser, url: str, language: str, views: list[View]) -> None:
    """Take pictures of the views in one language, while some people are online."""
    visitors = Visitors(browser, url, language, PASSWORD)
    with contextlib.ExitStack() as windows:
        for person in ONLINE:
            page = visitors.open(View("online", "/", person))
            windows.callback(page.context.close)
        for view in views:
            for size, viewport in SIZES.items():
                page = visitors.open(view, viewport=viewport, **DEVICES[size])
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    name = f"{view.name}-{language}-{theme}-{size}"
                    page.screenshot(
                        path=OUTPUT / f"{name}.png", animations="disabled", full_page=True
                    )
                    print(name, flush=True)
                page.context.close()


def shrink(picture: Path, to: Path) -> None:
    """Keep a picture in fewer colours, which nobody sees, and a third of the bytes."""
    to.parent.mkdir(exist_ok=True)
    with Image.open(picture) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(to, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
