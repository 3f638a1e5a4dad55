"""The administration as its readers see it: in their language, and within their window."""

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Session
from media_upload.models import Upload

pytestmark = pytest.mark.django_db
MODELS = [model for model in admin.site._registry if not model.__module__.startswith("rest_")]
SAID_AS_IT_IS = {"SHA-256:"}


@pytest.fixture
def desk(client, moira):
    """The administration in Moira's browser, who reads Persian."""
    client.force_login(moira.user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fa"
    return client


def page_of(model, kind, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


def texts(page, tag):
    """What is between the tags of this name."""
    found = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page.content.decode(), re.DOTALL)
    return {html.unescape(re.sub(r"<[^>]+>", " ", text)).strip() for text in found}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_and_forms_are_in_persian(desk, alice, bob, room, model):
    listed = desk.get(page_of(model, "changelist"))
    words = texts(listed, "h1") | texts(listed, "h3") | texts(listed, "summary")
    if document := model.objects.first():
        shown = desk.get(page_of(model, "change", document.pk))
        words |= texts(shown, "label") | texts(listed, "th")

    names = {alice.email, bob.email, "moira@example.org", "The room"}
    assert {word for word in words if re.search("[A-Za-z]", word)} - SAID_AS_IT_IS - names == set()


@pytest.mark.parametrize(
    ("language", "written"), [("fa", "۲۹ اسفند ۱۴۰۴"), ("en", "March 20, 2026")]
)
def test_dates_are_those_of_the_reader(desk, alice, language, written):
    session = Session.objects.create(
        user=alice.user,
        created_at=datetime(2026, 3, 20, tzinfo=UTC),
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
    )
    for page in (page_of(Session, "changelist"), page_of(Session, "change", session.pk)):
        shown = desk.get(page, headers={"accept-language": language})
        assert written in shown.content.decode()


def test_what_scripts_say_is_in_persian(desk):
    """Every text that the scripts of the administration look up, in Django's own files."""
    scripts = Path(admin.__file__).parent / "static/admin/js"
    source = "".join(path.read_text() for path in scripts.glob("*.js"))
    asked = re.findall(r"""\bn?gettext\(\s*(["'])(.+?)\1""", source)
    script = desk.get(reverse("admin:jsi18n")).content.decode()
    catalogue = json.loads(re.search(r"newcatalog = (\{.*?\n  \});", script, re.DOTALL)[1])

    assert len(asked) > 30
    assert {text for _, text in asked if text not in catalogue} == set()
    assert catalogue["Remove all %s"] == "%s: حذف همه"


def test_long_words_do_not_push_columns_out_of_the_window(visit, moira, alice):
    Upload.objects.create(
        owner=alice.user, name="w" * 200, storage_name="x" * 200, content_type="a/b", size=1
    )
    for language in ("en-GB", "fa-IR"):
        page = visit(moira, page_of(Upload, "changelist"), locale=language)
        assert page.locator("#result_list").evaluate(FITS)
        page.locator("#result_list tbody a").first.click()
        assert page.locator(".readonly").first.evaluate(FITS)


FITS = "box => box.scrollWidth <= box.parentElement.clientWidth"
