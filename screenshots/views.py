"""The pages and the states of them that are worth a look, and how a browser gets there.

They show what `manage.py seed_demo` has made.
"""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState

LANGUAGES = {"en": "en-GB", "fa": "fa-IR"}
"""The language of the pages, and the locale of a browser that asks for it."""

THEMES = ("light", "dark")
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
SIZES = {"wide": WIDE, "narrow": NARROW}
PATIENCE = 120_000  # milliseconds


@dataclass(frozen=True)
class View:
    """A page in one state. `path` may name a room of the demo: `/rooms/{Lunch}`."""

    name: str
    path: str
    person: str | None = "alice"
    prepare: Callable[[Page], None] = lambda page: None


def refused(page: Page) -> None:
    page.locator("main .button--primary").click()
    page.locator(".field__error").first.wait_for()


def wrong_password(page: Page) -> None:
    page.locator("[name=username]").fill("alice@example.com")
    page.locator("[name=password]").fill("not hers")
    page.locator("main .button--primary").click()
    page.locator(".notice--error").wait_for()


def switcher(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#switcher [role=option]").first.wait_for()


def switcher_none(page: Page) -> None:
    switcher(page)
    page.keyboard.type("nowhere")
    page.locator("#switcher [role=status] span").wait_for()


def muted_rooms(page: Page) -> None:
    """As the server would say it."""
    page.evaluate(
        """for (const { dataset } of document.querySelectorAll(".room")) {
            const detail = { room_id: dataset.room, muted: true }
            document.dispatchEvent(new CustomEvent("chat:membership", { detail }))
        }"""
    )


def keys(page: Page) -> None:
    page.locator("message-list").focus()
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()


def roles(page: Page) -> None:
    page.locator(".more-settings:has(.role) > summary").click()
    page.locator(".role select").last.scroll_into_view_if_needed()


def offered(row: Locator) -> Locator:
    """A message's row that shows what can be done with it: with a mouse, and with a finger."""
    row.hover()
    more = row.locator("summary")
    if more.is_visible():
        more.click()
    return row


def own_message(page: Page) -> None:
    offered(page.locator(".message--mine").last)


def emoji(page: Page) -> None:
    page.locator("[data-act=choose-emoji]").click()
    page.locator(".picker__emoji").first.wait_for()


def answer_with_a_mention(page: Page) -> None:
    offered(page.locator(".message[data-seq]").last).locator("[data-act=reply]").click()
    page.locator(".composer__text").press_sequentially("@b")
    page.locator("word-completion [role=option]").first.wait_for()


def deletion(page: Page) -> None:
    offered(page.locator(".message--mine").last).locator("[data-act=delete]").click()
    page.locator("#confirm-delete[open]").wait_for()


def edit_message(page: Page) -> None:
    page.goto(page.locator(".message--mine [data-act=edit]").last.get_attribute("href") or "")


def failed_message(page: Page) -> None:
    page.locator(".composer__text").fill("A text that is far too long. " * 300)
    page.locator(".composer__text").press("Enter")
    page.locator(".message--failed").wait_for()


def attached_file(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "minutes of the meeting.txt", "mimeType": "text/plain", "buffer": b"Minutes"}
    )
    page.locator(".upload[data-url]").wait_for()
    page.locator(".composer__text").fill("Here are the minutes.")


def failed_upload(page: Page) -> None:
    page.route("**/upload_media/", lambda route: route.abort())
    page.locator("input[type=file]").set_input_files(
        {"name": "minutes of the meeting.txt", "mimeType": "text/plain", "buffer": b"Minutes"}
    )
    page.locator(".upload [data-field=retry]").wait_for()


def new_room_refused(page: Page) -> None:
    page.locator("#new_room_members").fill("nobody")
    page.locator("form[action='/rooms/new'] .button").click()
    page.locator(".field__error").first.wait_for()


def upload_on_its_way(page: Page) -> None:
    page.route("**/upload_media/", lambda route: None)
    page.locator("input[type=file]").set_input_files(
        {"name": "minutes of the meeting.txt", "mimeType": "text/plain", "buffer": b"Minutes"}
    )
    page.locator(".upload").wait_for()


def reconnecting(page: Page) -> None:
    page.route("**/socket.io/**", lambda route: route.abort())
    page.reload()
    page.locator("connection-state [data-when=offline]").wait_for()
    page.locator(".composer__text").fill("Does this arrive?")
    page.locator(".composer__text").press("Enter")
    page.locator(".message--pending").wait_for()


def taken_away(page: Page) -> None:
    """As the server would say it."""
    page.evaluate(
        """document.dispatchEvent(new CustomEvent("chat:room_gone", {
            detail: { room: document.querySelector("message-list").getAttribute("room") },
        }))"""
    )
    page.locator(".composer__text:disabled").wait_for()


def others_writing(page: Page) -> None:
    """As the server would say it."""
    page.evaluate(
        """for (const { dataset } of document.querySelectorAll("[data-person]")) {
            const detail = { user: { id: dataset.person } }
            document.dispatchEvent(new CustomEvent("chat:typing", { detail }))
        }"""
    )


def long_names(page: Page) -> None:
    """Names of the length that is allowed, with and without a place to break, in two directions."""
    page.evaluate(
        """() => {
            const names = ["A very long name of somebody who has very many of them, and all in use",
                "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
                "نامی بسیار بلند که در هیچ فهرستی جا نمی‌شود و باید جایی بریده شود (۱۲)"]
            const places = document.querySelectorAll("[data-field=name], h1, .pane-head__about")
            places.forEach((place, number) => (place.textContent = names[number % 3]))
        }"""
    )


VIEWS = (
    View("index", "/", None),
    View("sign-up", "/signup", None),
    View("sign-up-refused", "/signup", None, refused),
    View("log-in", "/login", None),
    View("log-in-refused", "/login", None, wrong_password),
    View("not-found", "/nowhere", None),
    View("rooms", "/"),
    View("rooms-none", "/", "carol"),
    View("rooms-muted", "/", prepare=muted_rooms),
    View("room", "/rooms/{Website relaunch}"),
    View("room-short", "/rooms/{Lunch}"),
    View("room-persian", "/rooms/{جلسه‌های هفتگی}"),
    View("room-busy", "/rooms/{Build log}"),
    View("message-in-its-place", "/rooms/{Build log}/70#message-70"),
    View("private-chat", "/rooms/{Bob Okafor}"),
    View("own-message", "/rooms/{Lunch}", prepare=own_message),
    View("emoji", "/rooms/{Lunch}", prepare=emoji),
    View("answer", "/rooms/{Lunch}", prepare=answer_with_a_mention),
    View("failed-message", "/rooms/{Lunch}", prepare=failed_message),
    View("attached-file", "/rooms/{Lunch}", prepare=attached_file),
    View("deletion", "/rooms/{Lunch}", prepare=deletion),
    View("edit-message", "/rooms/{Lunch}", prepare=edit_message),
    View("upload-on-its-way", "/rooms/{Lunch}", prepare=upload_on_its_way),
    View("failed-upload", "/rooms/{Lunch}", prepare=failed_upload),
    View("reconnecting", "/rooms/{Lunch}", prepare=reconnecting),
    View("taken-away", "/rooms/{Lunch}", prepare=taken_away),
    View("others-writing", "/rooms/{Lunch}", prepare=others_writing),
    View("long-names", "/rooms/{Lunch}", prepare=long_names),
    View("details", "/rooms/{Lunch}/details"),
    View("roles", "/rooms/{Lunch}/details", prepare=roles),
    View("new-room", "/rooms/new"),
    View("new-room-refused", "/rooms/new", prepare=new_room_refused),
    View("directory", "/rooms/directory", "carol"),
    View("directory-none", "/rooms/directory?q=xyzzy", "carol"),
    View("search", "/rooms/search?q=noodles"),
    View("search-none", "/rooms/search?q=xyzzy"),
    View("search-persian", "/rooms/search?q=جلسه"),
    View("switcher", "/rooms/{Lunch}", prepare=switcher),
    View("switcher-none", "/rooms/{Lunch}", prepare=switcher_none),
    View("keys", "/rooms/{Lunch}", prepare=keys),
    View("settings", "/settings"),
)


class Visitors:
    """Browser windows of the demo's people, in one language. Logs each person in once."""

    def __init__(self, browser: Browser, url: str, language: str, password: str) -> None:
        self._browser = browser
        self._url = url
        self._locale = LANGUAGES[language]
        self._password = password
        self._logged_in: dict[str, StorageState] = {}
        self._rooms: dict[str, dict[str, str]] = {}  # of a person: their ids, by name

    def open(self, view: View, **options: object) -> Page:
        """A page that shows `view`; close its `context` afterwards."""
        context = self._context(view.person, **options)
        page = context.new_page()
        page.goto(view.path.format_map(self._rooms.get(view.person or "", {})))
        self.settle(page)
        view.prepare(page)
        self.settle(page)
        return page

    def settle(self, page: Page) -> None:
        """Wait until the scripts have shown what they show, and all pictures are there."""
        page.wait_for_function(
            """() => document.readyState === "complete"
                && [...document.querySelectorAll("local-time")].every((each) => each.title)
                && [...document.images].every((image) => image.complete)"""
        )

    def _context(self, person: str | None, **options: object) -> BrowserContext:
        if person and person not in self._logged_in:
            self._logged_in[person] = self._log_in(person)
        context = self._browser.new_context(
            base_url=self._url,
            locale=self._locale,
            storage_state=self._logged_in[person] if person else None,
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        return context

    def _log_in(self, person: str) -> StorageState:
        context = self._context(None)
        page = context.new_page()
        page.goto("/login")
        page.locator("[name=username]").fill(f"{person}@example.com")
        page.locator("[name=password]").fill(self._password)
        page.locator("main .button--primary").click()
        page.wait_for_url("**/")
        rooms = page.locator(".room").all()
        self._rooms[person] = {
            room.locator(".room__name").inner_text(): room.get_attribute("data-room") or ""
            for room in rooms
        }
        state = context.storage_state()
        context.close()
        return state
