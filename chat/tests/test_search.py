"""Search: what is found by which words, in whose rooms, and at what cost."""

import io

import pytest
from django.core.management import call_command

from chat import hot_path, words
from chat.tests.test_log import check_rooms, eventually_checked
from chatservice.mongo.client import database
from chatservice.realtime.loop import run

SEARCH = "/chat/search/"
ZWNJ = "\u200c"


def search(person, q, **query):
    answer = person.http.get(SEARCH, params={"q": q, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def contents(person, q, **query):
    return [hit["content"] for hit in search(person, q, **query)["results"]]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The quick brown fox", "QUICK fox"),
        ("The quick brown fox", "qui"),
        ("Café Zürich", "cafe zurich"),
        ("cafe zurich", "CAFÉ ZÜRICH"),
        ("Straße", "STRASSE"),
        ("كتاب يكي", "کتاب یکی"),
        ("کتاب یکی", "كتاب يكى"),
        (f"می{ZWNJ}خواهم بروم", "میخواهم"),
        (f"می{ZWNJ}خواهم بروم", "می خواهم"),
        ("میخواهم بروم", f"می{ZWNJ}خواهم"),
        ("می خواهم بروم", f"می{ZWNJ}خواهم"),
        (f"کتاب{ZWNJ}های خوب", "کتاب"),
        ("مُحَمَّد", "محمد"),
        ("ســـلام", "سلام"),
        ("آب و هوا", "اب و هوا"),
        ("شماره ۱۲۳", "123"),
        ("number 123", "۱۲۳"),
        ("عدد ١٢٣", "۱۲۳"),
        ("日本語を話す", "日本"),
        ("see <b>bold</b> & co.", "bold co"),
        ("😀 smile", "smile"),
    ],
)
def test_spellings_that_are_not_told_apart_are_found(alice, bob, lunch, text, query):
    lunch.say(alice, "something else")
    lunch.say(alice, text)

    assert contents(bob, query) == [text]


@pytest.mark.parametrize("query", ["quick cat", "uick", "bro fox", "x", "quickly", "***", "$ne"])
def test_all_words_are_required_and_only_the_last_may_be_a_beginning(alice, lunch, query):
    lunch.say(alice, "The quick brown fox")

    assert contents(alice, query) == []


def test_a_hit_is_the_message_with_its_room_and_its_marks(alice, bob, lunch):
    said = lunch.say(alice, "😀 Café, cafés and كِتاب")

    [hit] = search(bob, "کتاب cafe")["results"]
    assert hit.pop("room_name") == "Lunch"
    marks = hit.pop("highlights")
    assert hit == said
    in_utf_16 = said["content"].encode("utf-16-le")
    marked = [in_utf_16[2 * start : 2 * end].decode("utf-16-le") for start, end in marks]
    assert marked == ["Café", "cafés", "كِتاب"]


def test_only_rooms_that_one_is_in_are_searched(alice, bob, carol, lunch, make_room):
    lunch.say(alice, "a secret word")
    public = make_room(alice, name="Public", is_public=True)
    public.say(alice, "a public word")

    assert contents(carol, "word") == []
    carol.http.post(f"{public.path}/join")
    assert contents(carol, "word") == ["a public word"]
    assert carol.http.get(SEARCH, params={"q": "word", "room": lunch.id}).json() == {
        "detail": "Chat room not found or access denied"
    }
    alice.http.delete(f"{lunch.path}/members/{bob.id}")
    assert contents(bob, "word") == []
    assert contents(alice, "word", room=lunch.id) == ["a secret word"]
    assert contents(alice, "word") == ["a public word", "a secret word"]


def test_deleted_messages_are_not_found_and_edited_ones_by_their_new_text(alice, bob, lunch):
    said, gone = lunch.say(alice, "an old secret"), lunch.say(alice, "a secret to forget")
    alice.http.patch(f"{lunch.path}/messages/{said['id']}", json={"content": "something new"})
    alice.http.delete(f"{lunch.path}/messages/{gone['id']}")

    assert contents(bob, "secret") == []
    assert contents(bob, "new") == ["something new"]
    assert not list(database()["chat_entry"].find({"terms": "secret"}))


def test_hits_are_paged_newest_first(alice, bob, lunch, make_room):
    other = make_room(alice, bob, name="Other")
    for number in range(7):
        (lunch if number % 2 else other).say(alice, f"word {number}")

    for q in ("word", "wor"):
        seen, before = [], {}
        for expected in (3, 3, 1):
            page = search(bob, q, limit=3, **before)
            assert len(page["results"]) == expected
            seen += [hit["content"] for hit in page["results"]]
            before = {"before": page["next"]}
        assert (page["more"], page["next"]) == (False, None)
        assert seen == [f"word {number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": "x" * 201},
        {"q": "x", "limit": 0},
        {"q": "x", "limit": 101},
        {"q": "x", "before": "y"},
    ],
)
def test_questions_that_cannot_be_are_refused_by_name(alice, query):
    answer = alice.http.get(SEARCH, params=query)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 1


def test_nobody_searches_without_a_token(anyone):
    assert anyone.get(SEARCH, params={"q": "x"}).status_code == 401


def test_a_very_long_message_is_found_by_its_first_thousand_words(alice, lunch):
    lunch.say(alice, " ".join(f"{number}" for number in range(1500)))

    assert len(contents(alice, "999")) == 1
    assert contents(alice, "1499") == []


@pytest.mark.parametrize(
    ("words", "prefix", "most"), [(["common"], None, 45), (["common"], "co", 45), ([], "rar", 10)]
)
def test_a_search_looks_at_little_more_than_it_finds(
    alice, bob, lunch, make_room, words, prefix, most
):
    rooms = [lunch, *(make_room(alice, bob, name=f"{number}") for number in range(3))]
    for turn in range(10):
        for room in rooms:
            room.fill(alice, [f"common {turn}"] * 5)
        if turn == 4:
            lunch.fill(alice, ["common and rare"])

    query = hot_path.with_terms([hot_path.parse_id(room.id) for room in rooms], words, prefix)
    found = database()["chat_entry"].find(query, {"_id": 1}, hint=hot_path.TERMS_INDEX)
    plan = found.sort("_id", -1).limit(20).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["nReturned"] == (20 if words else 1)
    assert plan["executionStats"]["totalKeysExamined"] <= most
    assert plan["executionStats"]["totalDocsExamined"] <= most


def test_unread_mentions_are_counted_in_the_index_alone(alice, bob, lunch):
    lunch.fill(alice, ["nobody" if number % 10 else "@bob" for number in range(50)])
    room_id = hot_path.parse_id(lunch.id)

    assert run(hot_path.unread_mentions_of(bob.user.pk, {room_id: 2})) == {room_id: 5}
    query = hot_path.mentioning(bob.user.pk, [room_id], after=2)
    found = database()["chat_entry"].find(query, hot_path.PLACE, hint=hot_path.MENTIONS_INDEX)
    plan = found.explain()["executionStats"]
    assert plan["nReturned"] == 5
    assert plan["totalDocsExamined"] == 0
    assert plan["totalKeysExamined"] <= 10


def test_what_was_said_before_search_came_is_found_after_the_migration(alice, lunch):
    said = lunch.say(alice, "an ancient word")
    database()["chat_entry"].update_many({}, {"$unset": {"terms": ""}})
    database()["chat_room"].update_many({}, {"$set": {"name_terms": None}})
    assert contents(alice, "ancient") == []

    migrate("0001")
    migrate("0002")

    assert contents(alice, "ancient") == [said["content"]]
    assert database()["chat_room"].find_one()["name_terms"] == ["lunch"]


def migrate(name):
    call_command("migrate", "chat", name, verbosity=0, stdout=io.StringIO())


def test_check_rooms_repairs_what_messages_are_found_by(alice, lunch):
    said = lunch.say(alice, "hello")
    eventually_checked()
    database()["chat_entry"].update_one({"seq": said["seq"]}, {"$set": {"terms": ["nonsense"]}})

    with pytest.raises(Exception, match="do not agree"):
        check_rooms()
    assert "0 problem(s)" in check_rooms(repair=True)
    assert contents(alice, "hello") == ["hello"]


def test_a_page_around_a_number(alice, lunch):
    said = [lunch.say(alice, f"{number}") for number in range(9)]

    assert lunch.messages(alice, around=said[4]["seq"], limit=3) == said[3:6]
    assert lunch.messages(alice, around=said[0]["seq"], limit=3) == said[0:3]
    assert lunch.messages(alice, around=said[8]["seq"], limit=4) == said[7:9]
    assert lunch.messages(alice, around=0, limit=2) == said[:2]
    assert lunch.messages(alice, around=999, limit=2) == said[8:]
    assert lunch.messages(alice, around=said[4]["seq"]) == said
    for wrong in ({"around": 3, "before": 2}, {"around": 3, "after": 2}, {"around": "x"}):
        answer = alice.http.get(f"{lunch.path}/messages", params=wrong)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {"around"})


def test_words_have_places_in_the_text():
    text = f"a {'می'}{ZWNJ}{'خواهم'} b"
    assert words.highlights(text, words.queries_of("خواهم")) == [(5, 10)]
    assert words.highlights(text, words.queries_of("میخواهم")) == [(2, 10)]
