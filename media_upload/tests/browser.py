"""Somebody at the built-in pages: a cookie in place of a token."""

from urllib.parse import urlsplit

import requests


class Browser(requests.Session):
    """A client with a person's cookie, which sends each form with its token."""

    def __init__(self, server, person):
        super().__init__()
        self.url = server.url
        host = urlsplit(server.url).hostname
        self.cookies.set("sessionid", person.cookie(), domain=host)
        self.open("/admin/")  # which sets the cookie of the forms' token

    def open(self, path):
        response = self.get(self.url + path)
        assert response.status_code == 200, path
        return response.text

    def submit(self, path, **fields):
        self.open(path)
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        return self.post(self.url + path, data=fields, headers={"Referer": self.url + path})
