"""The account pages as they work without a script."""

import html
import re
from datetime import UTC, datetime

import pytest

from accounts.models import Session, User
from accounts.programs import program_name
from media_upload.tests import samples

from .visitor import Visitor

NEW = {
    "email": "dora@example.org",
    "username": "dora",
    "full_name": "Dora",
    "password": "four quite different words",
}


@pytest.fixture
def visitor(server):
    return Visitor(server)


# Signing up


def test_signing_up_makes_an_account_and_logs_in(visitor):
    answer = visitor.submit("/signup", **NEW)

    assert answer.status_code == 200
    assert visitor.is_logged_in
    assert User.objects.get_by_name("dora").full_name == "Dora"


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("email", "no address", "valid email"),
        ("email", "alice@example.org", "has an account already"),
        ("username", "ALICE", "is taken"),
        ("username", "bob@example.org", "may not contain an @"),
        ("password", "short", "too short"),
        ("password", "", "required"),
        ("full_name", "a\u202eb", "direction overrides"),
    ],
)
def test_a_mistake_is_said_beside_its_field(visitor, alice, field, value, complaint):
    answer = visitor.submit("/signup", **{**NEW, field: value})

    assert answer.status_code == 422
    assert complaint in html.unescape(answer.text)
    assert f'id="id_{field}_error"' in answer.text
    assert not User.objects.filter(email_key="dora@example.org").exists()


def test_a_short_password_is_refused_in_persian_with_its_digits(visitor):
    visitor.headers["Accept-Language"] = "fa"
    answer = visitor.submit("/signup", **{**NEW, "password": "123"})

    assert "دست‌کم ۸ نویسه لازم است" in complaints_in(answer)["password"]


def test_all_mistakes_are_said_at_once(visitor, alice, bob):
    mistakes = {"email": alice.email, "username": "BOB", "password": "bob", "full_name": "a\u202eb"}
    answer = visitor.submit("/signup", **{**NEW, **mistakes})

    said = complaints_in(answer)
    assert "has an account already" in said["email"]
    assert "is taken" in said["username"]
    assert "too short" in said["password"]
    assert "similar to the user name" in said["password"]
    assert "direction overrides" in said["full_name"]


def test_an_empty_field_keeps_no_other_mistake_back(visitor, alice):
    answer = visitor.submit("/signup", username="alice", email="", password="12345678")

    assert complaints_in(answer).keys() == {"email", "username", "password"}


def complaints_in(answer):
    """What a page says of each field."""
    found = re.findall(r'id="id_(\w+)_error">(.*?)</p>', html.unescape(answer.text), re.DOTALL)
    return dict(found)


def test_what_was_typed_is_still_there_but_not_the_password(visitor, alice):
    answer = visitor.submit("/signup", **{**NEW, "email": alice.email})

    assert 'value="Dora"' in answer.text
    assert NEW["password"] not in answer.text


# Logging in and out


@pytest.mark.parametrize("name", ["alice@example.org", "ALICE"])
def test_logging_in_by_e_mail_or_user_name(visitor, alice, name):
    visitor.log_in(alice, username=name)

    assert visitor.is_logged_in


def test_a_wrong_password_says_no_more_than_that(visitor, alice):
    wrong = visitor.log_in(alice, password="not hers")
    nobody = visitor.log_in(alice, username="nobody@example.org")

    assert wrong.status_code == nobody.status_code == 422
    for answer in (wrong, nobody):
        assert "The name or the password is wrong." in answer.text
    assert not visitor.is_logged_in


def test_a_name_that_is_refused_is_shown_in_the_form_alone(visitor, alice):
    visitor.log_in(alice)

    refused = visitor.submit("/settings", full_name="\u202eevil")

    assert refused.status_code == 422
    assert refused.text.count("evil") == 1
    assert "evil" not in visitor.open("/settings").text


def test_too_many_failures_are_told_to_wait(start_server, alice):
    visitor = Visitor(start_server(THROTTLE="on"))
    answers = [visitor.log_in(alice, password="not hers") for _ in range(12)]

    assert "Too many failed attempts" in answers[-1].text


def test_the_cursor_is_where_something_is_to_be_typed(visitor, alice):
    focused = re.compile(r'<input[^>]* name="(\w+)"[^>]* autofocus')

    assert focused.findall(visitor.open("/login").text) == ["username"]
    assert focused.findall(visitor.log_in(alice, password="not hers").text) == ["password"]
    assert focused.findall(visitor.log_in(alice, username="").text) == ["username"]
    wrong = visitor.submit("/signup", **{**NEW, "username": "", "password": "short"})
    assert focused.findall(wrong.text) == ["username"]


def test_what_password_managers_look_for(visitor, server, alice):
    for page, wanted in (
        (visitor.open("/login"), ["username", "current-password"]),
        (visitor.open("/signup"), ["email", "username", "name", "new-password"]),
        (
            Visitor(server, alice).open("/.well-known/change-password"),
            ["name", "username", "current-password", "new-password"],
        ),
    ):
        assert re.findall(r'<input[^>]* autocomplete="([\w-]+)"', page.text) == wanted
    assert page.url.endswith("/settings#password-title")
    assert visitor.open("/.well-known/no-such-thing").status_code == 404


def test_the_log_in_leads_on_to_where_one_was_going(visitor, alice):
    asked = visitor.open("/settings")
    assert asked.url.endswith("/login?next=/settings")

    answer = visitor.submit(
        "/login", username=alice.email, password=alice.password, next="/settings"
    )

    assert answer.url.endswith("/settings")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com/",
        "//example.com",
        "javascript:alert(1)",
        "/\\example.com",
        "nonsense",
    ],
)
def test_the_log_in_leads_nowhere_else(visitor, alice, elsewhere):
    answer = visitor.submit(
        "/login",
        username=alice.email,
        password=alice.password,
        next=elsewhere,
        follow=False,
    )

    assert answer.headers["Location"] == "/"


def test_a_log_in_of_another_site_is_refused(visitor, alice):
    answer = visitor.post(
        visitor.url + "/login", data={"username": alice.email, "password": alice.password}
    )

    assert answer.status_code == 403
    assert not visitor.is_logged_in


def test_logging_out_takes_a_form_and_ends_the_session(server, alice):
    visitor = Visitor(server, alice)
    assert visitor.open("/logout").status_code == 405
    assert visitor.is_logged_in

    visitor.submit("/logout", page="/settings")

    assert not visitor.is_logged_in
    assert not Session.objects.visible_to(alice.user).exists()


def test_the_cookie_is_out_of_reach_for_scripts(server, alice):
    visitor = Visitor(server)
    assert visitor.log_in(alice).status_code == 200
    [cookie] = [cookie for cookie in visitor.cookies if cookie.name == "sessionid"]

    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


# Settings


def prefer(visitor, **fields):
    unchanged = {"language": "", "theme": "system", "enter_sends": "yes", "notifications": "on"}
    return visitor.submit("/settings/preferences", page="/settings", **{**unchanged, **fields})


def test_the_full_name(server, alice):
    answer = Visitor(server, alice).submit("/settings", full_name="Alice N.")

    assert "Your settings are saved." in answer.text
    assert User.objects.get(pk=alice.user.pk).full_name == "Alice N."


def test_a_full_name_that_is_refused_is_said_beside_its_field(server, alice):
    answer = Visitor(server, alice).submit("/settings", full_name="a\u202eb")

    assert answer.status_code == 422
    assert 'aria-describedby="id_full_name_helptext id_full_name_error"' in answer.text
    assert User.objects.get(pk=alice.user.pk).full_name == "Alice"


def test_the_language_is_the_persons_on_every_device(server, alice):
    first, second = Visitor(server, alice), Visitor(server, alice)

    answer = prefer(first, language="fa")

    assert '<html lang="fa" dir="rtl"' in answer.text
    assert "تنظیمات شما ذخیره شد." in answer.text
    assert '<html lang="fa" dir="rtl"' in second.open("/").text
    prefer(first, language="")
    assert '<html lang="en" dir="ltr"' in second.open("/").text


def test_the_browsers_language_is_the_default(server, alice):
    for visitor in (Visitor(server), Visitor(server, alice)):
        visitor.headers["Accept-Language"] = "de, fa-IR,fa;q=0.9,en;q=0.5"

        assert '<html lang="fa" dir="rtl"' in visitor.open("/").text


def test_a_language_chosen_before_signing_up_stays(visitor):
    visitor.submit("/language", page="/signup", language="fa", next="/signup")
    assert '<html lang="fa"' in visitor.open("/signup").text

    visitor.submit("/signup", **NEW)

    assert User.objects.get_by_name("dora").language == "fa"
    assert '<html lang="fa"' in visitor.open("/").text


def test_the_theme_is_the_persons_on_every_device_from_the_first_byte(server, alice):
    first, second = Visitor(server, alice), Visitor(server, alice)
    assert '<meta name="color-scheme" content="light dark">' in first.open("/").text

    prefer(first, theme="dark")

    for visitor in (first, second, Visitor(server, alice)):
        for page in ("/", "/settings", "/no-such-page"):
            text = visitor.open(page).text
            assert '<meta name="color-scheme" content="dark">' in text
    prefer(second, theme="system")
    for visitor in (first, second):
        for page in ("/", "/no-such-page"):
            assert '<meta name="color-scheme" content="light dark">' in visitor.open(page).text


def test_the_settings_stay_on_the_device_for_the_log_in_page(server, alice):
    visitor = Visitor(server, alice)
    prefer(visitor, theme="dark", language="fa")

    visitor.submit("/logout", page="/settings")

    page = visitor.open("/login").text
    assert '<html lang="fa" dir="rtl">' in page
    assert '<meta name="color-scheme" content="dark">' in page


def test_a_theme_that_somebody_made_up_stays_out_of_the_page(server):
    visitor = Visitor(server)
    visitor.cookies.set("theme", '"><script>')

    assert "<script>" not in visitor.open("/").text


@pytest.mark.parametrize(
    ("field", "value"), [("theme", "pink"), ("enter_sends", ""), ("notifications", "loud")]
)
def test_a_setting_that_somebody_made_up_is_refused(server, alice, field, value):
    answer = prefer(Visitor(server, alice), **{field: value})

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text


def test_what_was_chosen_is_marked(server, alice):
    visitor = Visitor(server, alice)

    page = prefer(visitor, enter_sends="no", notifications="mentions").text

    checked = re.findall(r'<input type="radio" name="(\w+)" value="(\w+)"[^>]* checked', page)
    assert dict(checked) == {"theme": "system", "enter_sends": "no", "notifications": "mentions"}
    assert 'data-notifications="mentions" data-enter-sends="false"' in visitor.open("/").text


def test_the_administration_speaks_the_language_of_its_reader(server, moira):
    visitor = Visitor(server, moira)
    visitor.headers["Accept-Language"] = "en"
    assert '<html lang="en' in visitor.open("/admin/").text

    User.objects.filter(pk=moira.user.pk).update(language="fa")

    assert '<html lang="fa" dir="rtl"' in visitor.open("/admin/").text


# The picture


def test_a_picture_is_shown_wherever_its_owner_is(server, alice, bob):
    hers, his = Visitor(server, alice), Visitor(server, bob)
    room = alice.http.post("/chat/chat_rooms/", json={"name": "x", "members": [bob.email]}).json()
    path = f"/rooms/{room['id']}"
    alice.http.post(f"/chat/chat_rooms/{room['id']}/messages", json={"content": "Hello"})
    private = {"name": "x", "members": [bob.email], "is_group_chat": False}
    chat = alice.http.post("/chat/chat_rooms/", json=private).json()

    answer = hers.submit(
        "/settings/avatar", page="/settings", files={"file": ("me.png", samples.image("PNG"))}
    )

    assert "Your picture is changed." in answer.text
    image = f'<img src="{User.objects.get(pk=alice.user.pk).avatar_url}" alt="">'
    assert answer.text.count(image) == 1
    # Among the members, beside the message, in the list of rooms and on top of the private chat.
    assert his.open(path).text.count(image) == 3
    assert his.open(f"/rooms/{chat['id']}").text.count(image) == 3
    assert hers.open("/").text.count(image) == 1
    answer = hers.submit("/settings/avatar", page="/settings", remove="yes")
    assert "Your picture is removed." in answer.text
    for page in (answer, his.open(path), hers.open("/")):
        assert "avatar?v=" not in page.text


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (None, "Choose an image first."),
        ({"file": ("me.png", samples.SCRIPT)}, "Choose an image: PNG"),
        ({"file": ("me.png", b"")}, "The submitted file is empty."),
        ({"file": ("me.png", samples.pixel_bomb(20_000, 4_000))}, "at most 25 million pixels"),
    ],
)
def test_what_is_no_picture_is_said_beside_the_field(server, alice, files, complaint):
    answer = Visitor(server, alice).submit("/settings/avatar", page="/settings", files=files)

    assert answer.status_code == 422
    said = re.search('id="id_file_error">(.*?)</p>', html.unescape(answer.text), re.DOTALL)
    assert complaint in said[1]


# The password and the devices


def test_changing_the_password_keeps_this_device_and_ends_the_others(server, alice):
    here, there = Visitor(server, alice), Visitor(server, alice)
    assert alice.http.get("/auth/users/me").status_code == 200

    answer = here.submit(
        "/settings/password",
        page="/settings",
        old_password=alice.password,
        new_password="words nobody would guess",
    )

    assert "Your password is changed." in answer.text
    assert here.is_logged_in
    assert not there.is_logged_in
    assert alice.http.get("/auth/users/me").status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("not hers", "words nobody would guess", "old_password"), (None, "12345678", "new_password")],
)
def test_a_password_that_is_not_changed(server, alice, old, new, field):
    visitor = Visitor(server, alice)

    answer = visitor.submit(
        "/settings/password",
        page="/settings",
        old_password=old or alice.password,
        new_password=new,
    )

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert visitor.is_logged_in


@pytest.mark.parametrize("old", ["not hers", ""])
def test_both_mistakes_in_a_change_of_password_are_said(server, alice, old):
    fields = {"old_password": old, "new_password": "12345678"}
    answer = Visitor(server, alice).submit("/settings/password", page="/settings", **fields)

    assert complaints_in(answer).keys() == {"old_password", "new_password"}


def test_dates_without_a_script_are_persian_in_persian(server, alice):
    visitor = Visitor(server, alice)
    last_day_of_1404 = datetime(2026, 3, 20, 23, 59, tzinfo=UTC)
    Session.objects.visible_to(alice.user).update(created_at=last_day_of_1404)

    in_english = visitor.open("/settings").text
    in_persian = visitor.open("/settings", headers={"Accept-Language": "fa"}).text
    assert "March 20, 2026, 11:59 p.m.</local-time>" in in_english
    assert "۲۹ اسفند ۱۴۰۴، ساعت ۲۳:۵۹</local-time>" in in_persian
    assert 'datetime="2026-03-20T23:59:00+00:00"' in in_persian  # for the script


def test_ending_the_session_of_one_other_device(server, alice):
    here, there = Visitor(server, alice), Visitor(server, alice)
    session_id = Session.objects.visible_to(alice.user).order_by("created_at").last().pk

    here.submit(f"/settings/sessions/{session_id}/end", page="/settings")

    assert here.is_logged_in
    assert not there.is_logged_in


def test_the_list_says_which_device_is_this_one_and_when_each_was_used(server, alice):
    here, there = Visitor(server, alice), Visitor(server, alice)
    Session.objects.update(last_used_at=datetime(2020, 1, 2, tzinfo=UTC))

    pages = [here.open("/settings").text, there.open("/settings").text]

    for page in pages:
        first, second = page.split('<li class="session">')[1:]
        assert "This device" in first
        assert "This device" not in second
    assert 'datetime="2020-01-02T00:00:00+00:00"' in pages[0]
    assert "2020-01-02" not in pages[1]  # both have opened a page since


def test_logging_out_everywhere_else(server, alice, bob):
    here, there, other = Visitor(server, alice), Visitor(server, alice), Visitor(server, bob)
    assert alice.http.get("/auth/users/me").status_code == 200

    answer = here.submit("/settings/sessions/end_others", page="/settings")

    assert "All other devices are logged out." in answer.text
    assert "Log out everywhere else" not in answer.text
    assert here.is_logged_in
    assert not there.is_logged_in
    assert other.is_logged_in
    assert alice.http.get("/auth/users/me").status_code == 401


def test_the_session_of_somebody_else_is_not_there(server, alice, bob):
    visitor, other = Visitor(server, alice), Visitor(server, bob)
    session_id = Session.objects.visible_to(bob.user).get().pk

    answer = visitor.submit(f"/settings/sessions/{session_id}/end", page="/settings")

    assert answer.status_code == 404
    assert other.is_logged_in


def test_logging_out_everywhere(server, alice):
    here, there = Visitor(server, alice), Visitor(server, alice)

    here.submit("/settings/sessions/end", page="/settings")

    assert not here.is_logged_in
    assert not there.is_logged_in


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox · Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari · iOS",
        ),
        ("python-requests/2.32", "python-requests/2.32"),
        ("", ""),
    ],
)
def test_the_names_of_programs(user_agent, name):
    assert program_name(user_agent) == name
