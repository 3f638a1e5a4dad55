"""The built-in pages in a real browser: that they show, and load nothing that they may not."""

import pytest

pytestmark = pytest.mark.chromium


@pytest.fixture
def page(chromium, server):
    """A browser tab; the test fails if anything in it complains."""
    context = chromium.new_context(base_url=server.url)
    page = context.new_page()
    complaints = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


def test_the_front_page_leads_on(page):
    page.goto("/")

    page.get_by_role("link", name="API documentation").click()

    page.get_by_role("heading", name="Chat service").wait_for()


def test_the_api_documentation_lists_what_there_is(page):
    page.goto("/docs")

    page.locator("#operations-auth-sign_up").wait_for()
    page.get_by_text("/chat/chat_rooms/", exact=True).first.wait_for()


def test_the_administration_lets_staff_in(page, moira):
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(moira.email)
    page.get_by_label("Password").fill(moira.password)
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("heading", name="Site administration").wait_for()


def test_the_browsable_api_shows_to_who_is_logged_in(page, moira):
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(moira.email)
    page.get_by_label("Password").fill(moira.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Site administration").wait_for()

    page.goto("/chat/chat_rooms/")

    page.locator(".response-info").wait_for()
