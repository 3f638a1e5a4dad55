"""People and their log-ins in the admin."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actions
from accounts.back_off import account_of
from accounts.models import LoginFailure, Session, User
from chatservice import realtime

PEOPLE = "admin:accounts_user_changelist"
SESSIONS = "admin:accounts_session_changelist"
FAILURES = "admin:accounts_loginfailure_changelist"


@pytest.fixture
def cut(monkeypatch):
    """The ids of those whose sockets would have been closed."""
    calls = []
    monkeypatch.setattr(
        realtime, "end_sessions", lambda *, user_id, session_ids=None: calls.append(user_id)
    )
    return calls


def desk_of(person):
    """A browser in which somebody is logged in."""
    desk = Client()
    desk.force_login(person.user)
    return desk


@pytest.fixture
def desk(moira):
    return desk_of(moira)


@pytest.fixture
def helper(carol):
    """Of the staff, and may change people, but is no superuser."""
    carol.user.is_staff = True
    carol.user.save(update_fields=["is_staff"])
    wanted = ["view_user", "change_user", "add_user", "view_session"]
    carol.user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    return carol


def change_page(person):
    return reverse("admin:accounts_user_change", args=[person.user.pk])


def form_of(desk, person, **changes):
    """The change form as the page shows it, with some fields changed (None: unchecked)."""
    form = desk.get(change_page(person)).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields if name != "password"}
    fields |= changes
    return {name: value for name, value in fields.items() if value not in (None, False)}


def run_action(desk, page, name, *documents):
    form = {"action": name, "_selected_action": [document.pk for document in documents]}
    return desk.post(reverse(page), form, follow=True)


def test_the_administration_has_a_name_in_the_language_of_who_looks(desk, moira):
    page = desk.get("/admin/").content.decode()
    assert "Chat administration" in page
    assert "Django" not in page

    moira.user.language = "fa"
    moira.user.save(update_fields=["language"])
    page = desk.get("/admin/").content.decode()
    assert "مدیریت گفتگو" in page
    assert "توکن‌های باطل‌شده" in page
    assert "lacklist" not in re.sub(r'="[^"]*"', "", page)  # apart from addresses


def test_only_staff_get_in(alice):
    assert Client().get("/admin/").status_code == 302
    form = {"username": alice.email, "password": alice.password}
    response = Client().post("/admin/login/", form)
    assert response.status_code == 200
    assert "staff account" in response.content.decode()


def test_an_admin_log_in_is_a_session_like_any_other(moira):
    desk = Client()
    form = {"username": moira.email, "password": moira.password, "next": "/admin/"}
    assert desk.post("/admin/login/", form).status_code == 302
    [session] = Session.objects.filter(user=moira.user)
    assert desk.get("/admin/").status_code == 200

    actions.end_session(actor=moira.user, session=session)
    assert desk.get("/admin/").status_code == 302


@pytest.mark.parametrize("page", [PEOPLE, SESSIONS, FAILURES])
def test_lists_ask_the_database_as_often_for_many_as_for_few(desk, page):
    def fill(count):
        for _ in range(count):
            name = f"person{User.objects.count()}"
            user = User.objects.create_user(f"{name}@example.com", name)
            actions.open_session(user=user)
            LoginFailure.objects.create(
                kind="account", account=name, user=user, expires_at=user.created_at
            )

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(reverse(page)).status_code == 200
        return len(queries)

    fill(1)
    few = count()
    assert few > 0
    fill(10)
    assert count() == few


@pytest.mark.parametrize(
    ("page", "query", "found"),
    [
        (PEOPLE, "q=ALICE", 1),
        (PEOPLE, "q=a.ice", 0),
        (PEOPLE, "is_staff__exact=1", 1),
        (PEOPLE, "is_active__exact=0", 1),
        (PEOPLE, "o=-7", 3),
        (SESSIONS, "q=alice", 1),
        (SESSIONS, "q=192.0.2.1", 1),
        (SESSIONS, "ended_at__isempty=0", 1),
        (SESSIONS, "", 2),
        (FAILURES, "q=NOBODY", 1),
        (FAILURES, "q=nobod", 0),
        (FAILURES, "q=bob", 1),
        (FAILURES, "q=192.0.2", 1),
        (FAILURES, "kind__exact=address", 0),
    ],
)
def test_lists_can_be_searched_and_filtered(desk, moira, alice, bob, page, query, found):
    actions.deactivate_user(actor=moira.user, user=bob.user)
    session = actions.open_session(user=alice.user, address="192.0.2.1")
    actions.end_session(actor=alice.user, session=session)
    for failure in (
        {"kind": "account", "account": account_of("nobody")},
        {"kind": "account", "account": account_of("bob"), "user": bob.user},
        {"kind": "account_and_address", "account": "x", "address": "192.0.2.7"},
    ):
        LoginFailure.objects.create(**failure, expires_at=session.expires_at)

    response = desk.get(f"{reverse(page)}?{query}")
    assert response.status_code == 200
    assert response.context["cl"].result_count == found


def test_somebody_is_added(desk):
    form = {
        "email": "dora@example.com",
        "username": "dora",
        "full_name": "Dora",
        "password": "correct horse battery staple",
    }
    response = desk.post(reverse("admin:accounts_user_add"), form)

    dora = User.objects.get(email="dora@example.com")
    assert response.url == reverse("admin:accounts_user_change", args=[dora.pk])
    assert dora.check_password(form["password"])
    assert desk.get(response.url).status_code == 200


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"email": "ALICE@example.org"}, "Email already registered"),
        ({"username": "Alice"}, "Username already registered"),
        ({"username": "x@example.com"}, "may not contain an @"),
        ({"password": "short"}, "too short"),
        ({"password": "é" * 2049}, "4096 bytes"),
    ],
)
def test_nobody_is_added_against_the_rules(desk, alice, changes, complaint):
    form = {
        "email": "dora@example.com",
        "username": "dora",
        "password": "battery staple",
        **changes,
    }
    response = desk.post(reverse("admin:accounts_user_add"), form)

    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert not User.objects.filter(full_name="").exists()


def test_all_that_keeps_somebody_from_being_added_is_said_at_once(desk, alice):
    form = {"email": "ALICE@example.org", "username": "Alice", "password": "short"}
    answer = desk.post(reverse("admin:accounts_user_add"), form)

    assert answer.context["adminform"].form.errors.keys() == {"email", "username", "password"}


def test_somebody_is_changed(desk, alice, cut):
    changes = {"username": "Alicia", "full_name": "A.", "is_staff": "on", "language": "fa"}
    response = desk.post(change_page(alice), form_of(desk, alice, **changes))

    assert response.status_code == 302
    user = User.objects.get(pk=alice.user.pk)
    assert (user.username, user.username_key) == ("Alicia", "alicia")
    assert (user.full_name, user.is_staff, user.language) == ("A.", True, "fa")
    assert user.check_password(alice.password)
    assert cut == []


@pytest.mark.parametrize("username", ["BOB", "bob@example.org", "\u202ebob"])
def test_nobody_is_renamed_to_be_taken_for_another(desk, alice, bob, username):
    response = desk.post(change_page(alice), form_of(desk, alice, username=username))

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert User.objects.get(pk=alice.user.pk).username == "alice"


def test_an_address_is_not_changed(desk, alice):
    desk.post(change_page(alice), {**form_of(desk, alice), "email": "x@example.com"})

    assert User.objects.get(pk=alice.user.pk).email == alice.email


def test_deactivating_ends_every_session(desk, alice, cut):
    session = actions.open_session(user=alice.user)
    response = desk.post(change_page(alice), form_of(desk, alice, is_active=None))

    assert response.status_code == 302
    assert not User.objects.get(pk=alice.user.pk).is_active
    assert Session.objects.get(pk=session.pk).ended_at
    assert cut == [alice.user.pk]

    desk.post(change_page(alice), form_of(desk, alice, is_active="on"))
    assert User.objects.get(pk=alice.user.pk).is_active
    assert Session.objects.get(pk=session.pk).ended_at


def test_several_are_deactivated_and_reactivated_but_not_oneself(desk, alice, bob, moira, cut):
    everybody = [alice.user, bob.user, moira.user]
    response = run_action(desk, PEOPLE, "deactivate", *everybody)

    assert "2 people are deactivated." in response.content.decode()
    assert list(User.objects.filter(is_active=True)) == [moira.user]
    assert set(cut) == {alice.user.pk, bob.user.pk}

    run_action(desk, PEOPLE, "reactivate", *everybody)
    assert User.objects.filter(is_active=True).count() == 3


def password_page(person):
    return reverse("admin:auth_user_password_change", args=[person.user.pk])


def test_a_reset_password_ends_every_session(desk, alice, cut):
    session = actions.open_session(user=alice.user)
    form = {"password1": "entirely other words", "password2": "entirely other words"}
    assert desk.get(password_page(alice)).status_code == 200
    response = desk.post(password_page(alice), {**form, "usable_password": "true"})

    assert response.status_code == 302
    assert User.objects.get(pk=alice.user.pk).check_password("entirely other words")
    assert Session.objects.get(pk=session.pk).ended_at
    assert cut == [alice.user.pk]


def test_a_password_can_be_taken_away(desk, alice, cut):
    form = {"usable_password": "false", "unset-password": "1"}
    assert desk.post(password_page(alice), form).status_code == 302

    assert not User.objects.get(pk=alice.user.pk).has_usable_password()
    assert cut == [alice.user.pk]


@pytest.mark.parametrize("password", ["short", "é" * 2049, "alice@example.org"])
def test_a_reset_password_follows_the_rules(desk, alice, password):
    form = {"password1": password, "password2": password, "usable_password": "true"}
    response = desk.post(password_page(alice), form)

    assert response.status_code == 200
    assert User.objects.get(pk=alice.user.pk).check_password(alice.password)


def test_nobody_is_deleted(desk, alice):
    page = reverse("admin:accounts_user_delete", args=[alice.user.pk])
    for response in (desk.get(page, follow=True), desk.post(page, {"post": "yes"}, follow=True)):
        assert "People are not deleted" in response.content.decode()
    run_action(desk, PEOPLE, "delete_selected", alice.user)

    assert User.objects.filter(pk=alice.user.pk).exists()


def test_staff_who_are_no_superusers_gain_no_rights(helper, alice, moira):
    desk = desk_of(helper)
    rights = {"is_staff": "on", "is_superuser": "on", "groups": [], "full_name": "changed"}
    desk.post(change_page(alice), {**form_of(desk, alice), **rights})
    user = User.objects.get(pk=alice.user.pk)
    assert (user.full_name, user.is_staff, user.is_superuser) == ("changed", False, False)

    own = {**form_of(desk, helper), **rights, "user_permissions": ["1"]}
    desk.post(change_page(helper), own)
    assert not User.objects.get(pk=helper.user.pk).is_superuser

    assert desk.get(password_page(moira)).status_code == 403
    form = {"password1": "entirely other words", "password2": "entirely other words"}
    assert desk.post(password_page(moira), form).status_code == 403
    assert desk.post(change_page(moira), rights).status_code == 403
    run_action(desk, PEOPLE, "deactivate", moira.user)
    assert User.objects.get(pk=moira.user.pk).is_active


def test_the_last_superuser_keeps_their_rights(desk, moira):
    form = form_of(desk, moira)
    for name in ("is_active", "is_staff", "is_superuser"):
        form.pop(name, None)
    desk.post(change_page(moira), form)

    user = User.objects.get(pk=moira.user.pk)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)


def test_log_ins_are_ended_and_only_read(desk, alice, cut):
    session = actions.open_session(user=alice.user)
    page = reverse("admin:accounts_session_change", args=[session.pk])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"address": "x"}).status_code == 403
    assert desk.get(reverse("admin:accounts_session_add")).status_code == 403

    response = run_action(desk, SESSIONS, "end", session)
    assert "1 log-in has ended." in response.content.decode()
    assert Session.objects.get(pk=session.pk).ended_at
    assert cut == [alice.user.pk]


def test_ending_log_ins_needs_the_permission(helper, alice):
    session = actions.open_session(user=alice.user)
    run_action(desk_of(helper), SESSIONS, "end", session)

    assert Session.objects.get(pk=session.pk).ended_at is None


def test_a_wait_is_lifted(settings, alice, moira):
    desk = desk_of(moira)
    settings.THROTTLE = True
    form = {"username": alice.email, "password": "wrong"}
    for _ in range(20):
        Client().post("/auth/login", form)
    form["password"] = alice.password
    assert Client().post("/auth/login", form).status_code == 429

    failure = LoginFailure.objects.get(kind="account_and_address")
    assert (
        desk.get(reverse("admin:accounts_loginfailure_change", args=[failure.pk])).status_code
        == 200
    )
    response = run_action(desk, FAILURES, "unlock", failure)
    assert "1 subject may log in again." in response.content.decode()
    assert Client().post("/auth/login", form).status_code == 200


def test_a_password_typed_for_a_name_is_not_to_be_seen(settings, client, moira):
    desk = desk_of(moira)
    settings.THROTTLE = True
    for _ in range(20):
        client.post("/auth/login", {"username": "My secret words", "password": "alice"})
    pages = [desk.get(reverse(FAILURES)), desk.get(reverse(FAILURES), {"q": "my secret words"})]
    failure = LoginFailure.objects.filter(kind="account_and_address").get()
    pages.append(desk.get(reverse("admin:accounts_loginfailure_change", args=[failure.pk])))
    pages.append(run_action(desk, FAILURES, "unlock", failure))

    assert [page.context["cl"].result_count for page in pages[:2]] == [3, 2]
    assert "1 subject may log in again." in pages[-1].content.decode()
    assert not LoginFailure.objects.filter(account=failure.account).exists()
    for page in pages[:1] + pages[2:]:
        assert "secret words" not in page.content.decode().lower()
