"""Somebody who uses the built-in pages without a script: reads, follows links, sends forms."""

import re
from urllib.parse import urlsplit

import requests

TIMEOUT = 30  # seconds


class Visitor(requests.Session):
    """A browser without JavaScript: one cookie jar, and each form sent with its token.

    A `person` is logged in already; `log_in` does so by the form.
    """

    def __init__(self, server, person=None):
        super().__init__()
        self.trust_env = False  # no proxy between the tests and the service
        self.url = server.url
        self.headers["Accept"] = "text/html"
        if person is not None:
            host = urlsplit(server.url).hostname
            self.cookies.set("sessionid", person.cookie(), domain=host)

    def open(self, path, **options):
        return self.get(self.url + path, timeout=TIMEOUT, **options)

    def submit(self, path, *, page=None, files=None, follow=True, **fields):
        """Send a form to `path`, as it stands on the page `page` (the same one without it)."""
        form = self.open(page or path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token, f"There is no form on {page or path}: {form.status_code}"
        return self.post(
            self.url + path,
            data={"csrfmiddlewaretoken": token[1], **fields},
            files=files,
            headers={"Referer": self.url + (page or path)},
            allow_redirects=follow,
            timeout=TIMEOUT,
        )

    def log_in(self, person, **fields):
        credentials = {"username": person.email, "password": person.password}
        return self.submit("/login", **{**credentials, **fields})

    @property
    def is_logged_in(self):
        return self.open("/settings", allow_redirects=False).status_code == 200
