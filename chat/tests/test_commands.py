"""`manage.py seed_demo`; `check_rooms` is tested with the log."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from chat.models import Entry, Room
from conftest import Http


@pytest.fixture(autouse=True)
def _local_service(settings):
    settings.ALLOWED_HOSTS = settings.LOCAL_HOSTS  # Django's test runner has added its own


def seed_demo(**options):
    output = io.StringIO()
    call_command("seed_demo", stdout=output, **options)
    return output.getvalue()


def test_the_demo_can_be_logged_in_to_as_it_says(server):
    said = seed_demo()

    password = next(line.split(": ", 1)[1] for line in said.splitlines() if "Password" in line)
    client = Http(server.url)
    answer = client.post(
        "/auth/login", data={"username": "alice@example.com", "password": password}
    )
    assert answer.status_code == 200
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    rooms = client.get("/chat/chat_rooms/").json()
    assert {room["name"] for room in rooms} >= {"Lunch", "Build log", "جلسه‌های هفتگی"}
    chats = {chat["other_user_email"] for chat in client.get("/chat/private_chats/").json()}
    assert chats == {"bob@example.com", "sara@example.com"}
    shown = [
        message["content"]
        for room in rooms
        for message in client.get(f"/chat/chat_rooms/{room['id']}/messages").json()
    ]
    files = [url for content in shown for url in re.findall(r"^/media/\S+$", content, re.MULTILINE)]
    assert len(files) == 3
    assert {client.get(url).status_code for url in files} == {200}


@pytest.mark.django_db
def test_seeding_again_adds_nothing():
    seed_demo()
    before = (Room.objects.count(), Entry.objects.count())
    seed_demo()

    assert (Room.objects.count(), Entry.objects.count()) == before


@pytest.mark.django_db
def test_a_public_service_is_not_given_a_password_that_is_known(settings):
    settings.ALLOWED_HOSTS = ["chat.example.com"]

    with pytest.raises(CommandError, match="--password"):
        seed_demo()
    assert Room.objects.count() == 0
    assert "hunter2 hunter2" in seed_demo(password="hunter2 hunter2")
