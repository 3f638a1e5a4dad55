"""What the pages cost a browser: `make bench-pages`, or `python -m benchmarks.pages`.

Opens them in the system's Chromium, each in a profile without a cache, and prints a table: requests
and bytes on the wire, elements in the document, and the milliseconds that the browser itself notes
for scripts, for style and layout, and for the longest task. The first three are the same on every
machine; compare the times with those of another run on the same one.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from screenshots import chromium

from . import workspace
from .processes import Service, python

WIDE = {"width": 1280, "height": 800}
PATIENCE = 300_000  # milliseconds
QUIET = 1_000  # milliseconds after which a page has nothing left to do
UNREAD = 3  # messages in each of the many rooms
NOTE_LONG_TASKS = """
window.tasks = []
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({ type: "longtask", buffered: true })
"""


@dataclass(frozen=True)
class Cost:
    """Of a page, or of what somebody does in one. Times are milliseconds."""

    what: str
    requests: int
    kilobytes: float
    elements: int
    script: float
    layout: float
    longest_task: float
    """0 where none took 50 ms or more."""


class Meter:
    """A window of somebody who is logged in, and what the browser does in it."""

    def __init__(self, browser: Browser, url: str, cookie: str) -> None:
        self._context = browser.new_context(base_url=url, viewport=WIDE, locale="en-GB")  # type: ignore[arg-type]
        self._context.set_default_timeout(PATIENCE)
        self._context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        self.page = self._context.new_page()
        self.page.add_init_script(NOTE_LONG_TASKS)
        self._protocol = self._context.new_cdp_session(self.page)
        self._protocol.on("Network.loadingFinished", self._note)
        self._protocol.send("Network.enable")
        self._protocol.send("Performance.enable")
        self._sizes: list[float] = []

    def close(self) -> None:
        self._context.close()

    def cost(self, what: str, act: Callable[[Page], object]) -> Cost:
        """What `act` costs, until nothing happens any more."""
        before = self._times()
        self._sizes.clear()
        act(self.page)
        self.page.wait_for_function("document.querySelector('local-time').title")
        self.page.wait_for_timeout(QUIET)
        after = self._times()
        script, layout = (now - then for now, then in zip(after, before, strict=True))
        return Cost(
            what,
            len(self._sizes),
            sum(self._sizes) / 1000,
            self.page.evaluate("document.querySelectorAll('*').length"),
            script,
            layout,
            self.page.evaluate("Math.max(0, ...window.tasks.splice(0))"),
        )

    def _note(self, request: dict[str, float]) -> None:
        self._sizes.append(request["encodedDataLength"])

    def _times(self) -> tuple[float, float]:
        """Milliseconds that scripts, and style and layout, have taken since the window opened."""
        answer = self._protocol.send("Performance.getMetrics")
        seconds = {metric["name"]: metric["value"] for metric in answer["metrics"]}
        layout = seconds["LayoutDuration"] + seconds["RecalcStyleDuration"]
        return seconds["ScriptDuration"] * 1000, layout * 1000


@dataclass(frozen=True)
class Seeded:
    """What there is to look at: pages of rooms by their length, and a long list of rooms.

    Of both readers, the cookie; of who writes into the rooms of the list, the token.
    """

    paths: dict[int, str]
    cookie: str
    rooms: list[str]
    cookie_of_many: str
    token: str


def seed(*, rooms: int, messages: int) -> Seeded:
    from django.core.management import call_command

    from chatservice.mongo.client import database

    from .seed import Seeding

    call_command("migrate", verbosity=0, interactive=False)
    seeding = Seeding(database())
    people = seeding.people(20)
    (reader, _), writer = seeding.people(2)
    return Seeded(
        {
            length: f"/rooms/{seeding.room(f'{length:,}', people, messages=length)}"
            for length in (10, messages)
        },
        seeding.web_session(people[0][0]),
        [
            seeding.room(f"Room {number}", [writer, (reader, "")], messages=UNREAD)
            for number in range(rooms)
        ],
        seeding.web_session(reader),
        writer[1],
    )


def measure(browser: Browser, url: str, seeded: Seeded) -> Iterator[Cost]:
    """All rows of the table."""
    for length, path in seeded.paths.items():
        with meter(browser, url, seeded.cookie) as window:
            yield window.cost(f"a room of {length:,} messages", going_to(path))
    with meter(browser, url, seeded.cookie_of_many) as window:
        yield window.cost(f"the list of {len(seeded.rooms):,} unread rooms", going_to("/"))
        search = window.page.locator("room-list input")
        yield window.cost("a letter in its filter", lambda page: search.press_sequentially("9"))
        yield window.cost("the filter empty again", lambda page: search.press("Backspace"))

        def say(page: Page) -> None:
            answer = httpx.post(
                f"{url}/chat/chat_rooms/{seeded.rooms[0]}/messages",
                headers={"Authorization": f"Bearer {seeded.token}"},
                json={"content": "*News*"},
            )
            answer.raise_for_status()
            page.locator(f".room[data-unread='{UNREAD + 1}']").wait_for()

        yield window.cost("a message in the last of them", say)
        yield window.cost("opening that room", lambda page: page.locator(".room a").first.click())


def going_to(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


@contextmanager
def meter(browser: Browser, url: str, cookie: str) -> Iterator[Meter]:
    window = Meter(browser, url, cookie)
    try:
        yield window
    finally:
        window.close()


def line(cost: Cost) -> str:
    times = " | ".join(f"{each:.0f}" for each in (cost.script, cost.layout, cost.longest_task))
    return (
        f"| {cost.what} | {cost.requests} | {cost.kilobytes:,.0f} | {cost.elements:,} | {times} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--rooms", type=int, default=1_000, help="in the long list")
    parser.add_argument("--messages", type=int, default=1_000_000, help="in the long room")
    options = parser.parse_args(arguments)
    path = chromium.find()
    if not path:
        sys.exit("There is no Chromium on the PATH.")
    with tempfile.TemporaryDirectory(prefix="chat-pages-") as name:
        directory = Path(name)
        workspace.set_up_django(DATA_DIR=name)
        from chatservice.mongo import embedded

        try:
            # First: Django's questions cannot be asked beside Playwright's event loop.
            seeded = seed(rooms=options.rooms, messages=options.messages)
            environment = workspace.environment(DATA_DIR=name)
            with (
                Service(python("manage.py", "serve"), environment, workspace.CHECKOUT) as service,
                sync_playwright() as playwright,
            ):
                browser = chromium.launch(playwright, path)
                print("| | requests | KB | elements | script | style, layout | longest task |")
                print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
                for cost in measure(browser, f"http://127.0.0.1:{service.port}", seeded):
                    print(line(cost), flush=True)
                browser.close()
        finally:
            embedded.release(directory / "mongodb")


if __name__ == "__main__":
    main()
