"""From log-in to log-out: refreshing, changing the password, devices, browsers."""

import threading
from importlib import import_module

import jwt
import pytest
import requests
from django.conf import settings
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import actions, hot_path, tokens
from accounts.models import Session, User
from chatservice import realtime
from chatservice.mongo.client import database
from chatservice.realtime.loop import run

ME = "/auth/users/me"


@pytest.fixture
def cut(monkeypatch):
    """Whose sockets would have been closed: (user id, session ids or None for all)."""
    calls = []

    def record(*, user_id, session_ids=None):
        calls.append((user_id, None if session_ids is None else list(session_ids)))

    monkeypatch.setattr(realtime, "end_sessions", record)
    return calls


@pytest.fixture
def device():
    """Logs a person in on a new device: `device(alice)` has `pair` and `session`."""
    return Device


class Device:
    def __init__(self, person):
        self.session = actions.open_session(user=person.user)
        self.pair = tokens.issue(self.session)

    @property
    def http(self):
        return Client(headers={"Authorization": f"Bearer {self.pair['access_token']}"})

    @property
    def is_logged_in(self):
        return self.http.get(ME).status_code == 200

    def refresh(self):
        body = {"refresh_token": self.pair["refresh_token"]}
        return Client().post("/auth/refresh", body, content_type="application/json")


def assert_invalid(response):
    assert response.status_code == 401
    assert response.json() == {"detail": "Could not validate credentials"}
    assert response["WWW-Authenticate"] == "Bearer"


# Refreshing


def test_a_refresh_answers_a_new_pair_for_the_same_session(alice, device):
    phone = device(alice)
    Session.objects.update(last_used_at=alice.user.created_at)
    response = phone.refresh()

    assert response.status_code == 200
    assert response.json().keys() == phone.pair.keys()
    assert response.json()["refresh_token"] != phone.pair["refresh_token"]
    phone.pair = response.json()
    assert phone.is_logged_in
    [session] = Session.objects.all()
    assert session.pk == phone.session.pk
    assert session.last_used_at > alice.user.created_at
    assert phone.refresh().status_code == 200


def test_a_refresh_token_that_comes_again_ends_its_session_only(alice, device, cut):
    phone, laptop = device(alice), device(alice)
    stolen = phone.pair
    phone.pair = phone.refresh().json()
    assert phone.is_logged_in

    thief = device(alice)
    thief.pair = stolen
    assert_invalid(thief.refresh())
    assert not phone.is_logged_in
    assert_invalid(phone.refresh())
    assert laptop.is_logged_in
    assert cut == [(alice.user.pk, [phone.session.pk])]


def test_one_of_six_racing_refreshes_wins(server, alice, device):
    phone = device(alice)
    start = threading.Barrier(6)
    answers = []

    def refresh():
        body = {"refresh_token": phone.pair["refresh_token"]}
        start.wait()
        answers.append(requests.post(server.url + "/auth/refresh", json=body, timeout=30))

    racers = [threading.Thread(target=refresh) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    [winner] = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers if answer is not winner} == {401}


def test_a_refresh_that_overlaps_with_the_winner_only_loses(alice, device, cut, monkeypatch):
    phone = device(alice)
    is_live = hot_path.is_live
    winner = []

    def overtaken(*ids):
        """The other refresh comes and goes while this one is on its way."""
        monkeypatch.setattr(hot_path, "is_live", is_live)
        winner.append(phone.refresh())
        return is_live(*ids)

    monkeypatch.setattr(hot_path, "is_live", overtaken)
    assert_invalid(phone.refresh())
    phone.pair = winner[0].json()
    assert phone.is_logged_in
    assert cut == []


def test_no_refresh_for_the_ended_and_the_deactivated(alice, bob, device):
    phone, tablet = device(alice), device(bob)
    actions.log_out_everywhere(actor=alice.user)
    User.objects.filter(pk=bob.user.pk).update(is_active=False)

    assert_invalid(phone.refresh())
    assert_invalid(tablet.refresh())


def test_an_access_token_is_no_refresh_token(alice, device):
    phone = device(alice)
    assert phone.refresh().status_code == 200
    phone.pair["refresh_token"] = phone.pair["access_token"]

    assert_invalid(phone.refresh())


@pytest.mark.parametrize("refresh_token", ["garbage", "\u00e9", "x" * 5_000, "a.b.c"])
def test_garbage_is_no_refresh_token(client, alice, refresh_token):
    body = {"refresh_token": refresh_token}
    assert_invalid(client.post("/auth/refresh", body, content_type="application/json"))


@pytest.mark.parametrize("body", [{}, {"refresh_token": 7}, {"refresh_token": ""}])
def test_a_refresh_without_a_token_is_invalid(client, db, body):
    response = client.post("/auth/refresh", body, content_type="application/json")

    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["refresh_token"]


def test_live_refresh_tokens_are_not_in_the_database(alice, device):
    phone = device(alice)
    spent = phone.pair["refresh_token"]
    phone.pair = phone.refresh().json()

    assert list(OutstandingToken.objects.values_list("token", flat=True)) == [spent]


# Logging out


def test_a_log_out_ends_this_device_only(alice, device, cut):
    phone, laptop = device(alice), device(alice)
    assert phone.http.post("/auth/logout").status_code == 204

    assert not phone.is_logged_in
    assert_invalid(phone.refresh())
    assert laptop.is_logged_in
    assert cut == [(alice.user.pk, [phone.session.pk])]


def test_a_log_out_everywhere_ends_all_devices_of_this_person(alice, bob, device, cut):
    phone, laptop, other = device(alice), device(alice), device(bob)
    assert phone.http.post("/auth/logout_all/").status_code == 204

    assert not phone.is_logged_in
    assert not laptop.is_logged_in
    assert other.is_logged_in
    assert cut == [(alice.user.pk, None)]


def test_a_log_out_is_at_once_for_a_running_server(alice):
    assert alice.http.get(ME).status_code == 200
    assert alice.http.post("/auth/logout").status_code == 204

    assert alice.http.get(ME).status_code == 401


# Devices


def test_lists_the_live_log_ins_of_this_person(alice, bob, device):
    phone, laptop = device(alice), device(alice)
    device(bob)
    gone = device(alice)
    gone.http.post("/auth/logout")
    Session.objects.filter(pk=laptop.session.pk).update(
        user_agent="Netscape 4.7", address="192.0.2.1"
    )

    sessions = {entry["id"]: entry for entry in phone.http.get("/auth/sessions").json()}
    assert sessions.keys() == {str(phone.session.pk), str(laptop.session.pk)}
    assert sessions[str(phone.session.pk)]["is_current"] is True
    entry = sessions[str(laptop.session.pk)]
    assert (entry["is_current"], entry["user_agent"], entry["address"]) == (
        False,
        "Netscape 4.7",
        "192.0.2.1",
    )
    assert entry["program"] == "Netscape"
    assert entry["created_at"].endswith("+00:00")


def test_another_device_can_be_logged_out(alice, device, cut):
    phone, laptop = device(alice), device(alice)
    assert phone.http.delete(f"/auth/sessions/{laptop.session.pk}").status_code == 204

    assert not laptop.is_logged_in
    assert phone.is_logged_in
    assert cut == [(alice.user.pk, [laptop.session.pk])]


def test_all_other_devices_can_be_logged_out(alice, bob, device, cut):
    phone, laptop, tablet, other = device(alice), device(alice), device(alice), device(bob)
    for _ in range(2):
        assert phone.http.delete("/auth/sessions/").status_code == 204

    assert phone.is_logged_in
    assert other.is_logged_in
    assert not laptop.is_logged_in
    assert not tablet.is_logged_in
    user_id, session_ids = cut[0]
    assert user_id == alice.user.pk
    assert set(session_ids) == {laptop.session.pk, tablet.session.pk}
    assert cut[1:] == [(alice.user.pk, [])]


def test_a_browser_that_is_in_use_is_noted_once_in_a_while(alice):
    browser = Client()
    assert browser.login(username=alice.email, password=alice.password)
    before = Session.objects.get().last_used_at
    browser.get("/settings")
    assert Session.objects.get().last_used_at == before

    Session.objects.update(last_used_at=before - 2 * actions.USE_INTERVAL)
    browser.get("/settings")

    assert Session.objects.get().last_used_at >= before


def test_the_devices_of_others_are_not_there(alice, bob, device):
    phone, other = device(alice), device(bob)
    path = f"/auth/sessions/{other.session.pk}"
    theirs, nobodys = phone.http.delete(path), phone.http.delete(f"/auth/sessions/{'0' * 24}")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    assert phone.http.delete("/auth/sessions/garbage").status_code == 404
    assert other.is_logged_in


# Changing the password


def change_password(device, old, new):
    body = {"old_password": old, "new_password": new}
    return device.http.post("/auth/change_password", body, content_type="application/json")


def test_a_new_password_ends_every_session_and_answers_a_new_pair(alice, device, cut):
    phone, laptop = device(alice), device(alice)
    response = change_password(phone, alice.password, "entirely other words")

    assert response.status_code == 200
    assert not laptop.is_logged_in
    assert not phone.is_logged_in
    phone.pair = response.json()
    assert phone.is_logged_in
    assert cut == [(alice.user.pk, None)]
    for password, status in ((alice.password, 401), ("entirely other words", 200)):
        form = {"username": alice.email, "password": password}
        assert Client().post("/auth/login", form).status_code == status


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "entirely other words", "old_password"),
        (None, "short", "new_password"),
        (None, "alice@example.org", "new_password"),
        (None, "é" * 2049, "new_password"),
    ],
)
def test_a_refused_change_changes_nothing(alice, device, old, new, field):
    phone = device(alice)
    response = change_password(phone, old or alice.password, new)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]
    assert phone.is_logged_in
    assert User.objects.get(pk=alice.user.pk).check_password(alice.password)


def test_a_refused_change_names_both_passwords(alice, device):
    response = change_password(device(alice), "wrong", "short")

    assert response.json()["errors"].keys() == {"old_password", "new_password"}


@pytest.mark.parametrize("change", [{"password": "another hash"}, {"is_active": False}])
def test_a_log_in_that_a_change_overtakes_opens_no_session(alice, cut, change):
    checked = actions.check_credentials(name=alice.email, password=alice.password)
    User.objects.filter(pk=alice.user.pk).update(**change)

    with pytest.raises(actions.IncorrectCredentials):
        actions.open_session(user=checked)
    assert not Session.objects.filter(ended_at=None).exists()


# Profile


@pytest.mark.parametrize("path", [ME, f"{ME}/"])
def test_the_profile_can_be_changed(alice, device, path):
    phone = device(alice)
    response = phone.http.patch(
        path, {"full_name": " آلیس ", "language": "fa"}, content_type="application/json"
    )
    assert response.json() == {
        "id": alice.id,
        "username": "alice",
        "email": alice.email,
        "full_name": "آلیس",
        "avatar_url": None,
        "language": "fa",
        "theme": "system",
        "enter_sends": True,
        "notifications": "on",
    }
    assert phone.http.get(ME).json() == response.json()
    response = phone.http.patch(path, {"language": ""}, content_type="application/json")
    assert (response.json()["language"], response.json()["full_name"]) == ("", "آلیس")


def test_the_settings_are_kept_with_the_person(alice, device):
    phone, laptop = device(alice), device(alice)
    settings_ = {"theme": "dark", "enter_sends": False, "notifications": "mentions"}
    response = phone.http.patch(ME, settings_, content_type="application/json")

    assert response.status_code == 200
    for answer in (response, laptop.http.get(ME)):
        assert {name: answer.json()[name] for name in settings_} == settings_


def test_a_person_stored_before_there_were_settings_has_the_usual_ones(alice, device):
    phone = device(alice)
    fields = {"theme": "", "enter_sends": "", "notifications": ""}
    database()[User._meta.db_table].update_one({"_id": alice.user.pk}, {"$unset": fields})

    answer = phone.http.get(ME).json()
    assert {name: answer[name] for name in fields} == {
        "theme": "system",
        "enter_sends": True,
        "notifications": "on",
    }


REFUSED = {"en": "This may not be blank.", "fa": "این نمی‌تواند خالی باشد."}


@pytest.mark.parametrize(
    ("chosen", "asked", "spoken"),
    [
        ("", "", "en"),
        ("", "fa-IR, en;q=0.5", "fa"),
        ("fa", "", "fa"),
        ("fa", "*", "fa"),
        ("fa", "xx", "fa"),
        ("fa", "en", "en"),
        ("en", "fa", "fa"),
    ],
)
def test_errors_are_in_the_language_asked_for_else_in_the_persons(
    alice, device, chosen, asked, spoken
):
    User.objects.filter(pk=alice.user.pk).update(language=chosen)
    response = device(alice).http.post(
        "/chat/chat_rooms/",
        {"name": " "},
        content_type="application/json",
        headers={"Accept-Language": asked} if asked else {},
    )

    assert response.json()["detail"] == REFUSED[spoken]
    assert response["Content-Language"] == spoken


def test_the_contracts_words_are_the_same_in_every_language(alice, device):
    User.objects.filter(pk=alice.user.pk).update(language="fa")
    http = device(alice).http

    assert http.get(f"/chat/chat_rooms/{'0' * 24}").json() == {
        "detail": "Chat room not found or access denied"
    }
    answer = Client(headers={"Accept-Language": "fa"}).get(ME)
    assert answer.json() == {"detail": "Not authenticated"}


def test_nothing_else_can_be_changed(alice, device):
    phone = device(alice)
    before = User.objects.values().get(pk=alice.user.pk)
    body = {"email": "x@example.com", "is_staff": True, "is_superuser": True, "username": "x"}
    phone.http.patch(ME, body, content_type="application/json")

    after = User.objects.values().get(pk=alice.user.pk)
    assert after == {**before, "last_login": after["last_login"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("theme", "pink"),
        ("theme", None),
        ("enter_sends", "maybe"),
        ("enter_sends", None),
        ("notifications", "loud"),
        ("language", "xx"),
        ("language", 7),
        ("language", "half \ud800 a pair"),
        ("full_name", "a" * 151),
        ("full_name", "a\u202eb"),
    ],
)
def test_an_invalid_profile_is_refused(alice, device, field, value):
    phone = device(alice)
    response = phone.http.patch(ME, {field: value}, content_type="application/json")

    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]


# Browsers


@pytest.fixture
def browser(alice):
    """A browser that Alice has logged in with, which insists on CSRF tokens."""
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(username=alice.email, password=alice.password)
    return browser


def test_the_cookie_counts_for_reading(browser, alice):
    assert browser.get(ME).json()["id"] == alice.id


def test_the_cookie_counts_for_writing_with_the_csrf_token_only(browser, alice):
    refused = browser.post("/auth/logout")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]
    assert browser.get(ME).status_code == 200

    browser.get("/admin/login/")  # sets the CSRF cookie
    token = browser.cookies["csrftoken"].value
    assert browser.post("/auth/logout", headers={"X-CSRFToken": token}).status_code == 204
    assert browser.get(ME).status_code == 401


@pytest.mark.parametrize(("chosen", "spoken"), [("", "en"), ("fa", "fa")])
def test_the_api_speaks_the_pages_language_to_them(browser, alice, chosen, spoken):
    """A browser asks for its own language with every request, whoever looks at it."""
    User.objects.filter(pk=alice.user.pk).update(language=chosen)
    browser.get("/admin/login/")  # sets the CSRF cookie
    response = browser.patch(
        ME,
        {"language": "xx"},
        content_type="application/json",
        headers={"Accept-Language": "en", "X-CSRFToken": browser.cookies["csrftoken"].value},
    )

    assert response.status_code == 422
    assert response["Content-Language"] == spoken


@pytest.mark.parametrize(
    "end",
    [
        lambda alice: actions.log_out_everywhere(actor=alice.user),
        lambda alice: User.objects.filter(pk=alice.user.pk).update(is_active=False),
        lambda alice: User.objects.filter(pk=alice.user.pk).update(password="another hash"),
        lambda alice: Session.objects.all().delete(),
    ],
    ids=["logged out everywhere", "deactivated", "another password", "forgotten"],
)
def test_a_cookie_ends_with_its_session(browser, alice, end):
    assert browser.get(ME).status_code == 200
    end(alice)

    assert browser.get(ME).json() == {"detail": "Not authenticated"}
    assert run(hot_path.user_for_web_session(browser.session.session_key)) is None


def test_a_browser_is_one_of_the_devices(browser, alice, device):
    phone = device(alice)
    assert len(phone.http.get("/auth/sessions").json()) == 2
    browser.logout()
    assert len(phone.http.get("/auth/sessions").json()) == 1


def test_logging_in_again_leaves_one_session(browser, alice):
    assert browser.login(username=alice.email, password=alice.password)

    assert Session.objects.live().count() == 1


def test_a_handshake_knows_the_browser(browser, alice):
    caller = run(hot_path.user_for_web_session(browser.session.session_key))

    assert caller.user == alice.user
    assert caller.session_id == Session.objects.get().pk
    assert caller.exp == pytest.approx(browser.session.get_expiry_date().timestamp(), abs=3600)


@pytest.mark.parametrize("key", [None, "", "garbage", "x" * 32])
def test_a_handshake_without_a_session_is_nobodys(alice, key):
    assert run(hot_path.user_for_web_session(key)) is None


def test_a_cookie_session_of_our_own_making_needs_both(alice, bob, device):
    """Neither Django's part alone nor the session of another person will do."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["_auth_user_id"] = alice.id
    store["_auth_user_hash"] = alice.user.get_session_auth_hash()
    assert hot_path.caller_of_web_session(store) is None
    store[hot_path.WEB_SESSION_KEY] = str(device(bob).session.pk)
    assert hot_path.caller_of_web_session(store) is None
    store[hot_path.WEB_SESSION_KEY] = str(device(alice).session.pk)
    assert hot_path.caller_of_web_session(store).user == alice.user


def test_tokens_name_their_session(alice, device):
    phone = device(alice)
    for name, kind in (("access_token", "access"), ("refresh_token", "refresh")):
        claims = jwt.decode(phone.pair[name], settings.SECRET_KEY, algorithms=["HS256"])
        assert claims["sid"] == str(phone.session.pk)
        assert (claims["uid"], claims["sub"]) == (alice.id, alice.email)
        assert claims["token_type"] == kind
