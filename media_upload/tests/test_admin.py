"""Uploads in the admin: found, looked at and deleted; never added or changed."""

import re

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from media_upload import actions
from media_upload.models import Upload

from .browser import Browser
from .conftest import stored_files

LIST = "/admin/media_upload/upload/"


@pytest.fixture
def browser(server, moira):
    return Browser(server, moira)


@pytest.fixture
def uploads(alice, bob):
    return [
        actions.store_upload(actor=person.user, file=ContentFile(b"Hello", name))
        for person, name in [(alice, "first.txt"), (bob, "second.txt"), (bob, "third.txt")]
    ]


def listed(page):
    return re.findall(r'class="field-name[^>]*><a [^>]*>([^<]*)<', page)


def test_the_list_shows_whose_what_and_how_large(browser, uploads):
    page = browser.open(LIST)

    assert set(listed(page)) == {"first.txt", "second.txt", "third.txt"}
    for text in (uploads[0].owner.email, "text/plain", "5\xa0bytes"):
        assert text in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=second", {"second.txt"}),
        ("?q=alice@", {"first.txt"}),
        ("?q=nothing", set()),
        ("?content_type=text%2Fplain", {"first.txt", "second.txt", "third.txt"}),
        ("?content_type=image%2Fpng", set()),
    ],
)
def test_search_and_filters(browser, uploads, query, found):
    assert set(listed(browser.open(LIST + query))) == found


def test_an_upload_is_looked_at_not_changed(browser, uploads):
    page = browser.open(f"{LIST}{uploads[0].pk}/change/")

    assert uploads[0].sha256 in page
    assert 'name="_save"' not in page
    assert browser.get(browser.url + f"{LIST}add/").status_code == 403


def test_deleting_one_removes_its_bytes(browser, uploads):
    browser.submit(f"{LIST}{uploads[0].pk}/delete/", post="yes")

    assert {upload.name for upload in Upload.objects.all()} == {"second.txt", "third.txt"}
    assert len(stored_files()) == 2


def test_deleting_many_removes_their_bytes(browser, uploads):
    response = browser.submit(
        LIST,
        action="delete_selected",
        _selected_action=[str(upload.pk) for upload in uploads[:2]],
        post="yes",
    )

    assert response.status_code == 200
    assert [upload.name for upload in Upload.objects.all()] == ["third.txt"]
    assert len(stored_files()) == 1


def test_a_longer_list_takes_no_more_queries(client, moira, alice, uploads):
    client.force_login(moira.user)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("admin:media_upload_upload_changelist")).status_code == 200
        return len(captured)

    few = queries()
    for number in range(20):
        actions.store_upload(actor=alice.user, file=ContentFile(b"x", f"{number}.txt"))

    assert queries() == few
