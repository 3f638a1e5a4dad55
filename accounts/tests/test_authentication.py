"""Showing who one is with a token, and every way of pretending."""

import base64
import json
import time
from types import SimpleNamespace

import jwt
import pytest
import requests
from bson import ObjectId
from django.conf import settings
from rest_framework_simplejwt.tokens import RefreshToken

from acceptance.tokens import forge
from accounts import actions, hot_path, tokens
from accounts.models import Session, User
from chatservice.mongo.client import database
from chatservice.realtime.loop import run

ME = "/auth/users/me"


def me(client, authorization=None):
    headers = {"Authorization": authorization} if authorization is not None else {}
    return client.get(ME, headers=headers)


def assert_unauthorized(response, detail):
    assert response.status_code == 401
    assert response.json() == {"detail": detail}
    assert response["WWW-Authenticate"] == "Bearer"


def sign(claims, *, key=settings.SECRET_KEY, algorithm="HS256"):
    return jwt.encode(claims, key, algorithm=algorithm)


@pytest.fixture
def claims(alice):
    """What a token of Alice's says."""
    session = actions.open_session(user=alice.user)
    moment = int(time.time())
    return {
        "sub": alice.email,
        "uid": str(alice.user.pk),
        "sid": str(session.pk),
        "token_type": "access",
        "iat": moment,
        "exp": moment + 600,
        "jti": "0" * 32,
    }


@pytest.mark.parametrize("path", [ME, f"{ME}/"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_counts_whatever_the_case_of_its_scheme(server, alice, path, scheme):
    headers = {"Authorization": f"{scheme} {alice.token}"}
    response = requests.get(server.url + path, headers=headers, timeout=30)

    assert response.status_code == 200
    expected = {"id": str(alice.user.pk), "username": alice.user.username, "email": alice.email}
    assert response.json().items() >= expected.items()


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YWxpY2U6c2VjcmV0", "Token abc", "\u00e9"],
)
def test_without_a_token_nobody_is_authenticated(client, alice, authorization):
    assert_unauthorized(me(client, authorization), "Not authenticated")


FORGERIES = {
    "garbage": lambda claims: "garbage",
    "three dots": lambda claims: "...",
    "not ASCII": lambda claims: "\u00e9\u00e9.\u00e9\u00e9.\u00e9\u00e9",
    "two tokens": lambda claims: f"{sign(claims)} {sign(claims)}",
    "huge": lambda claims: sign({**claims, "more": "x" * 8_000}),
    "a header of brackets": lambda claims: f"{_base64('[' * 2_900)}.e30.e30",
    "unsigned": lambda claims: sign(claims, key="", algorithm="none"),
    "unsigned, in other letters": lambda claims: _unsigned(claims, "nOnE"),
    "another key": lambda claims: sign(claims, key="another key of thirty-two letters"),
    "an empty key": lambda claims: forge(claims, key=b""),
    "another algorithm": lambda claims: sign(claims, algorithm="HS384"),
    "no end": lambda claims: sign(_without(claims, "exp")),
    "an end that is no number": lambda claims: sign_raw({**claims, "exp": "never"}),
    "an end that has passed": lambda claims: sign({**claims, "exp": claims["iat"] - 1}),
    "no type": lambda claims: sign(_without(claims, "token_type")),
    "a refresh token": lambda claims: sign({**claims, "token_type": "refresh"}),
    "no id of its own": lambda claims: sign(_without(claims, "jti")),
    "no session": lambda claims: sign(_without(claims, "sid")),
    "a session that never was": lambda claims: sign({**claims, "sid": str(ObjectId())}),
    "a session that is no id": lambda claims: sign({**claims, "sid": "../admin"}),
    "a session that is a query": lambda claims: sign({**claims, "sid": {"$ne": None}}),
    "nobody": lambda claims: sign(_without(claims, "uid")),
    "somebody who never was": lambda claims: sign({**claims, "uid": str(ObjectId())}),
    "somebody who is a query": lambda claims: sign({**claims, "uid": {"$ne": None}}),
    "no object": lambda claims: jwt.PyJWS().encode(b"[]", settings.SECRET_KEY, "HS256"),
}


def sign_raw(claims):
    """Signs what PyJWT refuses to sign."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), settings.SECRET_KEY, "HS256")


def _base64(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _unsigned(claims, algorithm):
    header = {"alg": algorithm, "typ": "JWT"}
    return f"{_base64(json.dumps(header))}.{_base64(json.dumps(claims))}."


def _without(claims, name):
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_does_not_count(client, claims, forgery):
    assert me(client, f"Bearer {sign(claims)}").status_code == 200  # before it is forged

    token = FORGERIES[forgery](claims)
    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")
    assert hot_path.authenticate(token) is None
    assert run(hot_path.authenticate_async(token)) is None


@pytest.mark.parametrize("token", [None, 7, b"bytes", ["list"], {"token": 1}, "half \ud800 a pair"])
def test_what_is_no_text_is_no_token(alice, token):
    assert run(hot_path.authenticate_async(token)) is None


def test_a_token_for_the_session_of_another_does_not_count(client, claims, bob):
    session = actions.open_session(user=bob.user)

    for stolen in ({"sid": str(session.pk)}, {"uid": str(bob.user.pk)}):
        token = sign({**claims, **stolen})
        assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_the_real_refresh_token_is_no_access_token(client, alice):
    pair = tokens.issue(actions.open_session(user=alice.user))

    response = me(client, f"Bearer {pair['refresh_token']}")
    assert_unauthorized(response, "Could not validate credentials")


def test_a_token_of_simplejwt_without_a_session_does_not_count(client, alice):
    token = RefreshToken.for_user(alice.user).access_token

    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_a_token_whose_signature_is_known_ends_all_the_same(client, claims, monkeypatch):
    token = sign(claims)
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: claims["exp"] - 0.5))
    assert me(client, f"Bearer {token}").status_code == 200
    monkeypatch.delattr(tokens, "read")
    assert me(client, f"Bearer {token}").status_code == 200

    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: float(claims["exp"])))
    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_a_token_whose_signature_is_known_ends_with_its_session(client, alice, claims):
    token = sign(claims)
    assert me(client, f"Bearer {token}").status_code == 200
    Session.objects.filter(pk=claims["sid"]).update(ended_at=alice.user.created_at)

    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_a_token_ends_with_its_session(client, alice, claims):
    token = sign(claims)
    Session.objects.filter(pk=claims["sid"]).update(ended_at=alice.user.created_at)

    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_a_token_ends_with_its_account(client, alice, claims):
    token = sign(claims)
    User.objects.filter(pk=alice.user.pk).update(is_active=False)

    assert_unauthorized(me(client, f"Bearer {token}"), "Could not validate credentials")


def test_both_faces_tell_the_same(alice, claims):
    token = sign(claims)
    expected = (alice.user, ObjectId(claims["sid"]), claims["exp"])

    assert hot_path.authenticate(token) == expected
    assert run(hot_path.authenticate_async(token)) == expected


def test_who_is_authenticated_is_the_person_as_the_orm_has_them(alice, claims):
    by_token = hot_path.authenticate(sign(claims)).user
    by_orm = User.objects.get(pk=alice.user.pk)

    fields = [field.attname for field in User._meta.concrete_fields]
    assert [getattr(by_token, name) for name in fields] == [
        getattr(by_orm, name) for name in fields
    ]


@pytest.fixture
def commands():
    """Asks MongoDB itself what it has been asked: its profiler sees every client."""
    db = database()
    db.command("profile", 2)

    def asked():
        others = {"$nin": [f"{db.name}.system.profile", f"{db.name}.accounts_presencelease"]}
        return [
            (entry["op"], next(iter(entry["command"])), entry["ns"].removeprefix(f"{db.name}."))
            for entry in db["system.profile"].find({"ns": others})
        ]

    yield asked
    db.command("profile", 0)
    db["system.profile"].drop()


def test_authenticating_is_one_aggregate(client, claims, commands):
    token = sign(claims)
    database()["system.profile"].find_one()  # the connection is open

    assert me(client, f"Bearer {token}").status_code == 200
    assert commands() == [("command", "aggregate", "accounts_session")]


def test_people_are_loaded_by_their_ids(alice, bob):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    people = run(hot_path.load_users([alice.user.pk, bob.user.pk, bob.user.pk, ObjectId()]))

    assert people == {alice.user.pk: alice.user, bob.user.pk: bob.user}


def test_people_are_found_by_what_they_go_by(alice, bob, carol):
    User.objects.filter(pk=carol.user.pk).update(is_active=False)
    names = [
        alice.email.upper(),
        bob.user.username,
        carol.email,
        "nobody",
        "half \ud800 a pair",
        "",
    ]
    people = run(hot_path.find_people(names))

    assert people == {alice.email.upper(): alice.user, bob.user.username: bob.user}
