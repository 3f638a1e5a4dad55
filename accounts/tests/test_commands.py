"""The commands of an operator."""

import pytest
import requests
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import LoginFailure, User
from conftest import manage


def test_a_superuser_is_made_from_the_environment(db):
    environment = {
        "DJANGO_SUPERUSER_EMAIL": "root@example.com",
        "DJANGO_SUPERUSER_USERNAME": "root",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
    }
    done = manage("createsuperuser", "--noinput", **environment)
    assert done.returncode == 0, done.stderr
    form = {"username": "root", "password": environment["DJANGO_SUPERUSER_PASSWORD"]}
    assert Client().post("/admin/login/", {**form, "next": "/admin/"}).status_code == 302

    for changes in (
        {"DJANGO_SUPERUSER_USERNAME": "r"},
        {"DJANGO_SUPERUSER_EMAIL": "r@example.com"},
    ):
        again = manage("createsuperuser", "--noinput", **environment | changes)
        assert again.returncode == 1
        assert "already" in again.stderr
        assert "Traceback" not in again.stderr
    assert User.objects.count() == 1


def test_a_superuser_is_made_by_asking(db, monkeypatch):
    answers = iter(["not-an-address", "root@example.com", "someone@example.com"])
    passwords = iter(["correct horse battery staple"] * 4)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    monkeypatch.setattr("getpass.getpass", lambda prompt="": next(passwords))
    terminal = type("Terminal", (), {"isatty": lambda self: True})()
    with pytest.raises(CommandError, match="may not contain an @"):
        call_command("createsuperuser", stdin=terminal, verbosity=0)

    answers = iter(["root@example.com", "root"])
    call_command("createsuperuser", stdin=terminal, verbosity=0)
    user = User.objects.get()
    assert (user.email, user.username) == ("root@example.com", "root")
    assert user.is_superuser
    assert user.is_staff


@pytest.mark.parametrize("name", ["ALICE@example.org", "alice", "127.0.0.1"])
def test_unlock_lets_somebody_in_again(settings, alice, name, capsys):
    settings.THROTTLE = True
    form = {"username": alice.email, "password": "wrong"}
    for _ in range(11):
        response = Client().post("/auth/login", form)
    assert response.status_code == 429

    call_command("unlock", name)
    assert capsys.readouterr().out == f"{name} may log in again at once.\n"
    form["password"] = alice.password
    assert Client().post("/auth/login", form).status_code == 200

    call_command("unlock", "nobody")
    assert capsys.readouterr().out == "Nothing was held against nobody.\n"


def test_unlock_wants_to_know_whom(alice, capsys):
    LoginFailure.objects.create(kind="address", address="x", expires_at=alice.user.created_at)
    with pytest.raises(CommandError, match="Say who"):
        call_command("unlock", " ")

    assert LoginFailure.objects.exists()


def test_all_processes_share_the_count(start_server, alice):
    """What one process has counted, another refuses, and a command in a third lifts."""
    form = {"username": alice.email, "password": "wrong"}
    servers = [start_server(THROTTLE="on") for _ in range(2)]
    for number in range(10):
        response = requests.post(f"{servers[number % 2].url}/auth/login", data=form, timeout=30)
        assert response.status_code == 401
    form["password"] = alice.password
    for server in servers:
        response = requests.post(f"{server.url}/auth/login", data=form, timeout=30)
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0

    assert manage("unlock", alice.email).returncode == 0
    for server in servers:
        response = requests.post(f"{server.url}/auth/login", data=form, timeout=30)
        assert response.status_code == 200
