"""Logging in, over HTTP."""

import jwt
import pytest
import requests
from django.conf import settings
from django.contrib.auth.hashers import get_hasher

from accounts.models import Session, User

PAIR = {"access_token", "token_type", "refresh_token", "expires_in"}


@pytest.fixture
def hashings(monkeypatch):
    """What the password hasher has been asked for, in order."""
    calls = []
    hasher = type(get_hasher("default"))
    for name in ("encode", "verify"):
        original = getattr(hasher, name)

        def spy(self, password, *args, original=original, name=name):
            calls.append(name)
            return original(self, password, *args)

        monkeypatch.setattr(hasher, name, spy)
    return calls


@pytest.mark.parametrize("path", ["/auth/login", "/auth/login/", "/auth/token", "/auth/token/"])
def test_answers_as_the_contract_says(server, alice, path):
    form = {"username": alice.email, "password": alice.password}
    response = requests.post(server.url + path, data=form, timeout=30)

    assert response.status_code == 200
    assert response.json().keys() == PAIR
    assert response.json()["token_type"] == "bearer"
    assert response.json()["expires_in"] == settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60
    token = response.json()["access_token"]
    claims = jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"])
    assert claims["sub"] == alice.email
    assert claims["uid"] == str(alice.user.pk)
    assert claims["exp"] - claims["iat"] == settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60
    me = requests.get(
        server.url + "/auth/users/me", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert me.json().items() >= {"id": claims["uid"], "email": alice.email}.items()


@pytest.mark.parametrize(
    "encoding",
    [
        lambda form: {"data": form},
        lambda form: {"files": {name: (None, value) for name, value in form.items()}},
        lambda form: {"json": form},
    ],
    ids=["urlencoded", "multipart", "JSON"],
)
def test_every_encoding_is_read(server, alice, encoding):
    form = {"username": alice.email, "password": alice.password, "grant_type": "password"}
    response = requests.post(server.url + "/auth/login", **encoding(form), timeout=30)

    assert response.status_code == 200


def test_the_user_name_works_too_in_any_case(client, alice):
    for name in (alice.user.username, alice.user.username.upper(), alice.email.upper()):
        response = client.post("/auth/login", {"username": name, "password": alice.password})
        assert response.status_code == 200


def test_notes_the_session(client, alice):
    client.post(
        "/auth/login",
        {"username": alice.email, "password": alice.password},
        headers={"User-Agent": "x" * 1000},
        REMOTE_ADDR="203.0.113.7",
    )

    session = Session.objects.get()
    assert (session.user, session.address) == (alice.user, "203.0.113.7")
    assert session.user_agent == "x" * 256
    assert session.ended_at is None
    assert User.objects.get(pk=alice.user.pk).last_login == session.created_at


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_missing_field_is_named(client, alice, missing):
    form = {"username": alice.email, "password": alice.password}
    del form[missing]
    response = client.post("/auth/login", form)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [missing]


def assert_refused(response):
    assert response.status_code == 401
    assert response.json() == {"detail": "Incorrect email or password"}
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["alice", "nobody@example.com", "nobody"])
def test_a_wrong_password_and_an_unknown_name_look_the_same(client, alice, name):
    assert_refused(client.post("/auth/login", {"username": name, "password": "wrong"}))


def test_a_deactivated_account_looks_the_same(client, alice):
    User.objects.filter(pk=alice.user.pk).update(is_active=False)

    form = {"username": alice.email, "password": alice.password}
    assert_refused(client.post("/auth/login", form))


def test_white_space_is_part_of_a_password(client, alice):
    form = {"username": alice.email, "password": f"{alice.password} "}
    assert_refused(client.post("/auth/login", form))


def test_a_token_that_comes_along_is_not_looked_at(client, alice):
    form = {"username": alice.email, "password": alice.password}
    response = client.post("/auth/login", form, headers={"Authorization": "Bearer stale"})

    assert response.status_code == 200


def test_all_refusals_cost_one_hashing(client, alice, bob, hashings):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)

    for name in (alice.email, bob.email, "nobody@example.com"):
        hashings.clear()
        assert_refused(client.post("/auth/login", {"username": name, "password": "wrong guess"}))
        assert len(hashings) == 1, name


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_an_endless_password_is_not_hashed(client, alice, hashings, name):
    form = {"username": name, "password": "x" * 4097}
    assert_refused(client.post("/auth/login", form))

    assert hashings == []
