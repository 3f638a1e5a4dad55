"""Files and the built-in pages: the cookie counts, and browsers do as they are told."""

import io
import re
import wave
from contextlib import suppress

import playwright.sync_api as playwright
import pytest

from accounts.tests.visitor import Visitor
from media_upload.models import Upload

from . import samples
from .browser import Browser

PATH = "/chat/upload_media/"


@pytest.fixture
def browser(server, moira):
    return Browser(server, moira)


def second_of_silence():
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    return file.getvalue()


def upload(person, content, name):
    return person.http.post(PATH, files={"file": (name, content)}).json()["file_url"]


def test_the_cookie_fetches_ones_own_and_nothing_else(browser, moira, alice):
    own, others = upload(moira, b"hers", "a.txt"), upload(alice, b"not hers", "a.txt")

    assert browser.get(browser.url + own).content == b"hers"
    assert browser.get(browser.url + others).status_code == 404  # of the staff or not


def test_a_form_uploads_with_its_token(browser):
    token = browser.cookies["csrftoken"]
    file = {"file": ("a.txt", b"a")}

    in_a_header = browser.post(browser.url + PATH, files=file, headers={"X-CSRFToken": token})
    in_a_field = browser.post(browser.url + PATH, files=file, data={"csrfmiddlewaretoken": token})

    assert (in_a_header.status_code, in_a_field.status_code) == (201, 201)


def test_the_browsable_api_uploads_and_leads_in_and_out(server, moira):
    visitor = Visitor(server)
    stranger = visitor.open(PATH)
    assert stranger.status_code == 401
    assert f'href="/login?next={PATH}"' in stranger.text

    visitor.log_in(moira, next=PATH)
    form = visitor.open(PATH).text
    assert re.search(r'<input[^>]* name="file"[^>]* type="file"', form)
    assert 'name="sha256"' not in form
    assert '<form class="navbar-form" action="/logout" method="post">' in form
    uploaded = visitor.submit(PATH, files={"file": ("a.txt", b"a")})
    assert uploaded.status_code == 201
    assert re.search(r'<input[^>]* name="file"[^>]* type="file"', uploaded.text)
    assert Upload.objects.get().name == "a.txt"

    visitor.submit("/logout", page=PATH)
    assert visitor.open(PATH).status_code == 401


def test_another_site_cannot_upload_with_the_cookie(browser):
    response = browser.post(browser.url + PATH, files={"file": ("a.txt", b"a")})

    assert response.status_code == 403
    assert response.json()["detail"]
    assert not Upload.objects.exists()


def test_the_limit_holds_where_the_token_is_looked_for_in_the_form(browser):
    """With a cookie the form is read before anybody is known to be logged in."""
    response = browser.post(
        browser.url + PATH, files={"file": ("a.bin", bytes(25 * 1024 * 1024 + 1))}
    )

    assert response.status_code == 413
    assert response.json()["detail"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "at most 25 MB"), ("fa", "حداکثر ۲۵ مگابایت")]
)
@pytest.mark.parametrize("too_many", [1, 1024 * 1024])  # as a file, and as a body
def test_what_is_too_large_is_a_file(browser, language, words, too_many):
    response = browser.post(
        browser.url + PATH,
        files={"file": ("a.bin", bytes(25 * 1024 * 1024 + too_many))},
        headers={"Accept-Language": language},
    )

    assert response.status_code == 413
    assert words in response.json()["detail"]


@pytest.fixture
def page(chromium, browser):
    """A page of a real browser with Moira's cookie."""
    context = chromium.new_context(base_url=browser.url)
    cookies = [
        {"name": name, "value": value, "url": browser.url, "sameSite": "Lax"}
        for name, value in browser.cookies.items()
    ]
    context.add_cookies(cookies)
    yield context.new_page()
    context.close()


@pytest.mark.chromium
def test_the_browsers_own_viewers_show_images_texts_and_sounds(page, moira):
    page.goto(upload(moira, samples.image("PNG", (300, 200)), "a.png"))
    assert page.evaluate("document.images[0].naturalWidth") == 300

    page.goto(upload(moira, "سلام".encode(), "a.txt"))
    assert page.inner_text("pre") == "سلام"

    page.goto(upload(moira, second_of_silence(), "a.wav"))
    page.wait_for_function("document.querySelector('video, audio').duration === 1")


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (samples.SCRIPT, "a.html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.svg"),
        (samples.image("GIF") + samples.SCRIPT, "a.html"),
        (b"\n\n\nhello <script>alert(1)</script>", "a.html"),
    ],
)
def test_nothing_that_is_uploaded_runs(page, server, moira, content, name):
    """A page of the same origin that frames the file and loads it as a script, and a visit."""
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    url = upload(moira, content, name)

    page.goto("/admin/")
    page.evaluate(
        """async url => {
            for (const kind of ["iframe", "script", "embed"]) {
                const element = document.createElement(kind)
                element.src = url
                const over = new Promise(resolve => {
                    element.onload = element.onerror = resolve
                    if (kind !== "script") setTimeout(resolve, 500)
                })
                document.body.append(element)
                await over
            }
        }""",
        url,
    )
    with suppress(playwright.Error):  # a download is not a page to go to
        page.goto(url)

    assert alerts == []
