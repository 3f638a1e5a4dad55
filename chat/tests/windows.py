"""What people do in a window of the chat, and what they see in it."""

NARROW = {"width": 390, "height": 780}
SENT = ".message[data-seq]"
PLAN = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"noodles"}


def log_in(page, person):
    """By the form, which is on the page."""
    page.locator("[name=username]").fill(person.email)
    page.locator("[name=password]").fill(person.password)
    page.locator("main .button--primary").click()
    page.wait_for_url(lambda address: "/login" not in address)


def come_to_life(page):
    """Wait until the page's scripts run; before, it reads and writes as without them."""
    page.wait_for_function("document.querySelector('local-time').title")


def say(page, text):
    page.locator(".composer__text").fill(text)
    page.locator(".composer__text").press("Enter")


def act(page, row, name):
    """Choose one of the actions that a message offers, by the name in its `data-act`."""
    row.hover()
    row.locator(f"[data-act={name}]:visible").click()


def texts(page):
    return page.locator(f"{SENT} .message__text:visible")


def rows(page):
    """The conversation as it stands, without who has read it and what scripts have no need of."""
    return page.locator(".messages").evaluate(
        """list => [...list.querySelectorAll(".message")].map((row) => {
            const copy = row.cloneNode(true)
            for (const link of copy.querySelectorAll("a[data-act]")) link.removeAttribute("href")
            for (const chip of copy.querySelectorAll(".chip")) chip.removeAttribute("formaction")
            for (const time of copy.querySelectorAll("local-time")) time.removeAttribute("datetime")
            for (const seen of copy.querySelectorAll(".message__faces, .message__seen"))
                seen.remove()
            return copy.innerHTML.replace(/\\s+/g, " ").replace(/> </g, "><")
        })"""
    )


def scroll_to(page, position):
    page.locator("message-list").evaluate(f"list => list.scrollTop = {position}")


def is_at_end(page):
    return page.locator("message-list").evaluate("list => Math.abs(list.scrollTop) < 2")
