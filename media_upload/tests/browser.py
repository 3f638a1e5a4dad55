"""Somebody at the built-in pages: a cookie in place of a token."""

import requests


class Browser(requests.Session):
    """A client that has logged in by the admin's form, and sends each form with its token."""

    def __init__(self, server, person):
        super().__init__()
        self.url = server.url
        self.submit("/admin/login/", username=person.email, password=person.password)

    def open(self, path):
        response = self.get(self.url + path)
        assert response.status_code == 200, path
        return response.text

    def submit(self, path, **fields):
        self.open(path)
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        return self.post(self.url + path, data=fields, headers={"Referer": self.url + path})
