"""Signing up, over HTTP."""

import json
import threading

import pytest
import requests

from accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


def form(**changes):
    return {"username": "dora", "email": "dora@example.com", "password": PASSWORD} | changes


@pytest.fixture
def sign_up(client):
    def send(**changes):
        return client.post("/auth/signup", form(**changes), content_type="application/json")

    return send


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/signup/"])
def test_answers_as_the_contract_says(server, path):
    response = requests.post(server.url + path, json=form(full_name="Dora D."), timeout=30)

    assert response.status_code == 201
    user = User.objects.get()
    assert response.json() == {"id": str(user.pk), "username": "dora", "email": "dora@example.com"}
    assert user.full_name == "Dora D."
    assert user.password.startswith("argon2")


def test_a_taken_email_is_said_before_a_taken_user_name(sign_up):
    sign_up()

    both = sign_up()
    assert (both.status_code, both.json()) == (400, {"detail": "Email already registered"})
    name = sign_up(email="other@example.com")
    assert (name.status_code, name.json()) == (400, {"detail": "Username already registered"})
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Dora", "DORA"),
        ("Straße", "STRASSE"),
        ("İpek", "i\u0307pek"),
        ("Jose\u0301", "JOS\u00c9"),
        ("dora", "\uff24\uff4f\uff52\uff41"),  # full width
        ("of\ufb01ce", "OFFICE"),  # a ligature
        ("مینا", "می\u200cنا"),  # with a zero-width non-joiner
        ("dora d", "dora\u00a0\u00a0D"),
    ],
)
def test_two_spellings_of_a_user_name_are_one_name(sign_up, first, second):
    assert sign_up(username=first).status_code == 201

    response = sign_up(username=second, email="other@example.com")
    assert response.json() == {"detail": "Username already registered"}


def test_what_differs_in_any_language_differs(sign_up):
    assert sign_up(username="Iğdır").status_code == 201
    assert sign_up(username="ığdır", email="other@example.com").status_code == 201


@pytest.mark.parametrize(
    "second", ["DORA@EXAMPLE.COM", "dora@\uff45xample.com", " Dora@example.com "]
)
def test_two_spellings_of_an_address_are_one_address(sign_up, second):
    assert sign_up().status_code == 201

    response = sign_up(username="other", email=second)
    assert response.json() == {"detail": "Email already registered"}


@pytest.mark.parametrize(
    ("changes", "field", "complaint"),
    [
        ({"email": "not-an-address"}, "email", "valid email"),
        ({"email": "\udc00@example.com"}, "email", "surrogate"),
        ({"email": ["dora@example.com"]}, "email", "text"),
        ({"username": ""}, "username", "blank"),
        ({"username": 7}, "username", "text"),
        ({"username": "a" * 151}, "username", "150"),
        ({"username": "nul\0"}, "username", "NUL"),
        ({"username": "bell\a"}, "username", "control"),
        ({"username": "\u202enimda"}, "username", "invisible"),
        ({"username": "\u2066dora\u2069"}, "username", "invisible"),
        ({"username": "do\u200bra"}, "username", "invisible"),
        ({"username": "\u3164"}, "username", "visible"),  # a Hangul filler, a letter by category
        ({"username": "someone@example.com"}, "username", "@"),
        ({"username": "someone\uff20example.com"}, "username", "@"),  # a full-width @
        ({"full_name": "a\u202eb"}, "full_name", "direction"),
        ({"full_name": "a\nb"}, "full_name", "control"),
        ({"full_name": "a" * 151}, "full_name", "150"),
        ({"password": "short"}, "password", "too short"),
        ({"password": "password123"}, "password", "too common"),
        ({"password": "8402957113"}, "password", "numeric"),
        ({"password": "dora@example.com"}, "password", "similar"),
        ({"username": "fluegelhorn", "password": "Fluegelhorn1"}, "password", "similar"),
        ({"password": "é" * 2049}, "password", "4096 bytes"),
        ({"password": "half \ud800 a pair"}, "password", "surrogate"),
    ],
)
def test_what_is_invalid_is_named(client, changes, field, complaint):
    body = json.dumps(form(**changes))
    response = client.post("/auth/signup", body, content_type="application/json")

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert complaint in response.json()["errors"][field][0]
    assert response.json()["detail"]
    assert not User.objects.exists()


def test_all_that_is_wrong_is_named_at_once(sign_up):
    sign_up()

    answer = sign_up(password="short", full_name="a\nb").json()  # and both names are taken
    assert answer["errors"].keys() == {"password", "full_name", "email", "username"}
    assert answer["errors"]["email"] == ["Email already registered"]
    assert answer["detail"] == answer["errors"]["full_name"][0]

    answer = sign_up(username="", email="nowhere", password="12345678", full_name=7).json()
    assert answer["errors"].keys() == {"username", "email", "password", "full_name"}


@pytest.mark.parametrize("missing", ["username", "email", "password"])
def test_what_is_missing_is_named(client, missing):
    body = {name: value for name, value in form().items() if name != missing}
    response = client.post("/auth/signup", body, content_type="application/json")

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [missing]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"text"', "[" * 100_000])
def test_what_is_no_object_is_refused(client, body):
    response = client.post("/auth/signup", body, content_type="application/json")

    assert response.status_code in (400, 422)
    assert response.json()["detail"]


def test_the_longest_password_works(sign_up, client):
    password = "é" * 2047 + "!?"
    assert len(password.encode()) == 4096

    assert sign_up(password=password).status_code == 201
    response = client.post("/auth/login", {"username": "dora", "password": password})
    assert response.status_code == 200


def test_ones_own_address_may_be_the_user_name(sign_up, client):
    assert sign_up(username="Dora@Example.com").status_code == 201
    assert sign_up(username="dora", email="other@example.com").status_code == 201


@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        # Several rounds: to look at one name after the other is wrong, but seldom seen to be.
        *[({"email": "d@example.com", "username": "d"}, "Email already registered")] * 5,
        ({"email": "d@example.com", "username": "d{}"}, "Email already registered"),
        ({"email": "d{}@example.com", "username": "d"}, "Username already registered"),
    ],
)
def test_one_of_twelve_racing_sign_ups_wins(server, changes, loss):
    start = threading.Barrier(12)
    answers = []

    def race(number):
        body = form(**{name: text.format(number) for name, text in changes.items()})
        start.wait()
        response = requests.post(server.url + "/auth/signup", json=body, timeout=60)
        answers.append((response.status_code, response.json().get("detail")))

    runners = [threading.Thread(target=race, args=[number]) for number in range(12)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()

    assert sorted(answers, key=str) == [(201, None), *[(400, loss)] * 11]
    assert User.objects.count() == 1
