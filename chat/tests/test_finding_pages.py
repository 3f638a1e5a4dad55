"""The directory, the search and the management of rooms, as people use them without a script."""

import html
import re

import pytest

from accounts.tests.visitor import Visitor
from chat.tests.hostile_texts import HOSTILE
from chat.tests.test_pages import texts_on


@pytest.fixture
def carol_visits(server, carol):
    return Visitor(server, carol)


@pytest.fixture
def alice_visits(server, alice):
    return Visitor(server, alice)


def hits_on(page):
    """What the hits of a search say, with their marks."""
    found = re.findall(r"<p data-hit><bdi>(.*?)</bdi></p>", page, re.DOTALL)
    return [html.unescape(hit.replace("<mark>", "[").replace("</mark>", "]")) for hit in found]


def test_the_directory_is_found_filtered_and_joined(alice, carol, make_room, carol_visits):
    room = make_room(alice, name="Cooking", is_public=True)
    make_room(alice, name="Gardens", is_public=True)
    make_room(alice, name="Secret")
    assert 'href="/rooms/directory"' in carol_visits.open("/").text

    page = carol_visits.open("/rooms/directory").text
    assert "Cooking" in page
    assert "Gardens" in page
    assert "Secret" not in page
    page = carol_visits.open("/rooms/directory?q=cook").text
    assert re.findall(r'data-public-room="(\w+)"', page) == [room.id]

    answer = carol_visits.submit(f"/rooms/{room.id}/join", page="/rooms/directory")
    assert answer.url.endswith(f"/rooms/{room.id}")
    assert "Carol⁩ joined the room." in answer.text
    assert f'href="/rooms/{room.id}"' in carol_visits.open("/rooms/directory?q=cook").text


def test_who_has_nothing_to_find_is_told_how_to_begin(carol_visits):
    none_yet, none_such = "There is no public room yet.", "There is no such public room."
    page = carol_visits.open("/rooms/directory").text
    assert none_yet in page
    assert none_such not in page
    assert "You are in no room yet" in page

    page = carol_visits.open("/rooms/directory?q=cook").text
    assert none_such in page
    assert none_yet not in page


@pytest.mark.parametrize("part", [{}, {"X-Part": "stage"}])
def test_who_has_rooms_is_not_told_to_make_one(carol, make_room, carol_visits, part):
    """Nor where a script, which has the list already, asks for the rest of the page."""
    quiet, choose = "It is quiet here", "Choose a room to read"
    page = carol_visits.open("/", headers=part).text
    assert quiet in page
    assert choose not in page

    make_room(carol, name="Gardens")
    page = carol_visits.open("/", headers=part).text
    assert quiet not in page
    assert choose in page


def test_the_directory_goes_on(alice, make_room, carol_visits):
    for number in range(31):
        make_room(alice, name=f"Room {number}", is_public=True)

    page = carol_visits.open("/rooms/directory?q=room").text
    more = html.unescape(re.search(r'href="(/rooms/directory\?[^"]*after=[^"]*)"', page)[1])
    names = re.findall(r">(Room \d+)<", page + carol_visits.open(more).text)
    assert len(set(names)) == 31


def test_a_room_that_is_not_public_is_not_joined(carol_visits, lunch, alice):
    answer = carol_visits.submit(f"/rooms/{lunch.id}/join", page="/rooms/new")

    assert answer.status_code == 404
    assert len(alice.http.get(f"{lunch.path}/members").json()) == 2


def test_a_hit_is_marked_and_leads_to_its_place(alice_visits, alice, lunch):
    said = [f"Message {number}" for number in range(120)]
    said[60] += " with كتاب"
    lunch.fill(alice, said)

    page = alice_visits.open("/rooms/search", params={"q": "کتاب"}).text
    assert hits_on(page) == ["Message 60 with [كتاب]"]
    link = re.search(rf'href="(/rooms/{lunch.id}/\d+)#message-(\d+)"', page)
    place = alice_visits.open(link[1]).text
    texts = texts_on(place)
    assert texts.index("Message 60 with كتاب") in range(40, 60)
    marked = re.search(r'<li class="message[^>]*autofocus>', place)[0]
    assert f'id="message-{link[2]}"' in marked
    assert 'data-part="newer" hidden' not in place


def test_a_hit_is_shown_without_its_formatting(alice_visits, alice, lunch):
    lunch.say(alice, "**bold** _and_ a `needle`, as in [the *plan*](https://example.org/hidden)")

    for looked_for, shown in {
        "needle": "bold and a [needle], as in the plan",
        "bold plan": "[bold] and a needle, as in the [plan]",
        # Where nothing else would be marked:
        "hidden": "…** _and_ a `needle`, as in [the *plan*](https://example.org/[hidden])",
    }.items():
        page = alice_visits.open("/rooms/search", params={"q": looked_for}).text
        assert hits_on(page) == [shown]


@pytest.mark.parametrize("text", ["The tea is ready.", "چای tea آماده است."])
def test_a_hit_in_any_script_begins_below_its_heading(visit, alice, lunch, text):
    lunch.say(alice, text)
    for locale, side in (("fa-IR", "right"), ("en-GB", "left")):
        page = visit(alice, "/rooms/search?q=tea", locale=locale)
        edge = f"box => box.getBoundingClientRect().{side}"
        heading, words = (page.locator(f".hit {box}").evaluate(edge) for box in ("a", "p > bdi"))
        assert abs(heading - words) < 1  # pixel


def test_a_search_goes_on_and_may_be_of_one_room(alice_visits, alice, lunch, make_room):
    other = make_room(alice, name="Other")
    for number in range(25):
        (lunch if number else other).say(alice, f"word {number}")

    page = alice_visits.open("/rooms/search?q=word").text
    older = html.unescape(re.search(r'href="(/rooms/search\?[^"]*before=[^"]*)"', page)[1])
    hits = hits_on(page) + hits_on(alice_visits.open(older).text)
    assert hits == [f"[word] {number}" for number in reversed(range(25))]
    page = alice_visits.open(f"/rooms/search?q=word&room={other.id}").text
    assert hits_on(page) == ["[word] 0"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_shown_as_text(alice_visits, alice, lunch, text):
    lunch.say(alice, f"needle {text}")

    page = alice_visits.open("/rooms/search", params={"q": "needle"}).text
    assert hits_on(page) == [f"[needle] {text}"]
    assert alice_visits.open("/rooms/search", params={"q": text}).status_code == 200
    assert "<script>alert" not in alice_visits.open("/rooms/search", params={"q": text}).text
    assert alice_visits.open("/rooms/directory", params={"q": text}).status_code == 200


@pytest.mark.parametrize("query", ["", "?q=", "?q=%00", "?q=x&before=y", "?q=x&room=y"])
def test_questions_that_nobody_asks_are_answered(alice_visits, query):
    assert alice_visits.open(f"/rooms/search{query}").status_code in (200, 422)
    assert alice_visits.open(f"/rooms/directory{query}").status_code in (200, 422)


def test_a_room_of_others_is_not_searched(carol_visits, alice, lunch):
    said = lunch.say(alice, "secret")

    assert carol_visits.open(f"/rooms/search?q=secret&room={lunch.id}").status_code == 404
    assert hits_on(carol_visits.open("/rooms/search?q=secret").text) == []
    assert carol_visits.open(f"/rooms/{lunch.id}/{said['seq']}").status_code == 404


def test_numbers_that_are_no_messages_open_the_room(alice_visits, alice, lunch):
    lunch.say(alice, "hello")
    for number in (0, 1, 3, 99, "9" * 15):
        page = alice_visits.open(f"/rooms/{lunch.id}/{number}")
        assert page.status_code == 200
    assert "hello" in texts_on(alice_visits.open(f"/rooms/{lunch.id}/1").text)


def test_a_public_room_is_made_with_people_chosen(alice_visits, alice, bob, carol, lunch):
    page = alice_visits.open("/rooms/new").text
    assert '<option value="bob">Bob</option>' in page
    assert "carol" not in page
    alice_visits.submit("/rooms/new", name="Open", members="bob", is_public="on")

    [room] = [each for each in carol.http.get("/chat/public_rooms/").json()["results"]]
    assert (room["name"], room["member_count"]) == ("Open", 2)


def test_only_who_may_publish_is_asked_whether_to(server, alice, bob, carol, lunch, alice_visits):
    path = f"/rooms/{lunch.id}"
    bob_visits = Visitor(server, bob)
    assert "change_room_is_public" not in bob_visits.open(f"{path}/details").text
    fields = {"name": "Lunch", "description": "", "is_public": "on"}
    bob_visits.submit(f"{path}/change", page=f"{path}/details", **fields)
    assert alice.http.get(lunch.path).json()["is_public"] is False

    answer = alice_visits.submit(f"{path}/change", page=f"{path}/details", **fields)
    assert "made the room public." in alice_visits.open(path).text
    assert 'id="change_room_is_public" checked' in answer.text
    assert alice.http.get(lunch.path).json()["is_public"] is True


def test_roles_muting_and_closing(server, alice, bob, lunch, alice_visits):
    path = f"/rooms/{lunch.id}"
    details = {"page": f"{path}/details"}
    bob_visits = Visitor(server, bob)
    assert "Who may do what" not in bob_visits.open(f"{path}/details").text
    member = f"{path}/members/{bob.id}/role"
    assert bob_visits.submit(member, role="owner", **details).status_code == 403
    assert alice_visits.submit(member, role="emperor", **details).status_code == 422
    alice_visits.submit(member, role="moderator", **details)
    roles = {each["id"]: each["role"] for each in alice.http.get(f"{lunch.path}/members").json()}
    assert roles == {alice.id: "owner", bob.id: "moderator"}

    page = bob_visits.submit(f"{path}/mute", muted="1", **details).text
    assert "This room is muted" in page
    assert bob.http.get(lunch.path).json()["muted"] is True
    bob_visits.submit(f"{path}/mute", **details)
    assert bob.http.get(lunch.path).json()["muted"] is False

    assert bob_visits.submit(f"{path}/close", **details).status_code == 403
    answer = alice_visits.submit(f"{path}/close", **details)
    assert "The room is closed: Lunch" in answer.text
    assert bob.http.get(lunch.path).status_code == 404


def test_unread_messages_are_counted_without_a_script(server, alice, bob, lunch):
    lunch.say(alice, "@bob hello")
    page = Visitor(server, bob).open("/").text

    assert "1 unread message" in page
    assert 'data-mentions="1"' in page
