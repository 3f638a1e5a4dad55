"""Messages by REST: what is stored is what was sent, in order, and it pages."""

from acceptance.people import answer
from acceptance.shapes import AtLeast, ClientError, OneOf, Shape, a_message, no_server_error
from acceptance.walk import step

a_list = Shape("a list", lambda got: isinstance(got, list))
LONGEST = 8_000  # characters of a message
TEXTS = {
    "plain": "hello",
    "emoji with joiners": "👩‍👩‍👧‍👦 👍🏽 🇮🇷",
    "right to left with a half-space": "سلام، می‌خواهم \u202bببینم\u202c",
    "combining marks": "e\u0301 \u0e01\u0e33 Z̡̢̛",
    "markup": "<script>alert('x')</script> &amp; {{ 7*7 }} %s \\u0000",
    "lines and tabs": "one\n\ttwo\r\nthree",
    "one character": "x",
    "the longest": "x" * LONGEST,
    "the longest, beyond the basic plane": "🦊" * LONGEST,
    "JSON in it": '{"$where": "1"}',
}


@step
def writing(walk):
    alice, bob = walk.alice, walk.bob
    room = alice.make_room(bob)
    path = f"/chat/chat_rooms/{room['id']}/messages"
    sent = []
    for name, text in TEXTS.items():
        response = alice.post(path, json={"content": text})
        walk.check(
            f"{name}: 201 {{id, sender, content, timestamp}}, as sent",
            answer(response),
            (201, a_message(sender=alice.email, content=text)),
        )
        sent.append(response.json())
    with_slash = bob.post(path + "/", json={"content": "mine"})
    walk.check(
        "POST with the final slash is the same",
        answer(with_slash),
        (201, a_message(sender=bob.email, content="mine")),
    )
    sent.append(with_slash.json())

    claims = {"sender": bob.email, "timestamp": "1999-01-01T00:00:00+00:00", "id": "0" * 24}
    response = alice.post(path, json={"content": "who am I", **claims})
    walk.check(
        "sender and timestamp may come too and are not believed",
        answer(response),
        (201, a_message(sender=alice.email, content="who am I")),
    )
    sent.append(response.json())
    believed = [name for name in ("timestamp", "id") if sent[-1].get(name) == claims[name]]
    walk.check("nor is an id", believed, [])

    expected = [
        a_message(**{name: message.get(name) for name in ("id", "sender", "content", "timestamp")})
        for message in sent
    ]
    for person in (alice, bob):
        for url in (path, path + "/"):
            walk.check(
                f"GET {url} for {person.username}: a bare list, oldest first, the same values",
                answer(person.get(url)),
                (200, expected),
            )
    walk.check(
        "the room has the same list",
        answer(bob.get(f"/chat/chat_rooms/{room['id']}")),
        (200, AtLeast(messages=expected)),
    )


@step
def writing_bad_input(walk):
    alice = walk.alice
    room = alice.make_room()
    path = f"/chat/chat_rooms/{room['id']}/messages"
    walk.check(
        "a message without content",
        answer(alice.post(path, json={})),
        ClientError(400, 422, naming="content"),
    )
    for content in (
        "",
        "   ",
        "\n\t\r ",
        "\u00a0\u2003",
        None,
        True,
        7,
        1.5,
        [],
        ["hello"],
        {},
        {"$gt": ""},
        "a\0b",
        "\0",
        "a\ud800b",
        "\udfff",
        "\ude00\ud83d",
        "x" * (LONGEST + 1),
        "🦊" * (LONGEST + 1),
        "x" * 1_000_000,
    ):
        walk.check(
            f"content {content!r:.30} ({len(str(content))} characters)",
            answer(alice.post(path, json={"content": content})),
            ClientError(400, 413, 422, naming=None if len(str(content)) > 100_000 else "content"),
        )
    walk.check("nothing of that was stored", alice.messages(room["id"]), [])
    for sender in ([], {"$ne": 1}, "x" * 10_000, None):
        walk.check(
            f"a sender {sender!r:.20} does not crash it",
            answer(alice.post_message(room["id"], "hello", sender=sender, timestamp=sender)),
            no_server_error,
        )


@step
def paging(walk):
    alice = walk.alice
    room = alice.make_room()
    path = f"/chat/chat_rooms/{room['id']}/messages"
    total = 130  # more than any usual page
    for number in range(total):
        alice.post_message(room["id"], f"number {number}").raise_for_status()
    everything = alice.messages(room["id"])
    walk.check(
        f"without parameters all {total} come, oldest first",
        [message["content"] for message in everything],
        [f"number {number}" for number in range(total)],
    )
    moments = [message["timestamp"] for message in everything]
    walk.check("their timestamps never go back", moments, sorted(moments))
    if not walk.check(
        "every message says its seq",
        all(isinstance(message.get("seq"), int) for message in everything),
        True,
    ):
        return
    numbers = [message["seq"] for message in everything]
    walk.check("which only grows", numbers, sorted(set(numbers)))

    middle = everything[50]["seq"]
    walk.check(
        "after and limit: the ones that follow",
        alice.messages(room["id"], after=middle, limit=10),
        everything[51:61],
    )
    walk.check(
        "before and limit: the ones right before, oldest first",
        alice.messages(room["id"], before=middle, limit=10),
        everything[40:50],
    )
    first, last = everything[0]["seq"], everything[-1]["seq"]

    def page(**params):
        return alice.messages(room["id"], limit=5, **params)

    walk.check("after 0: from the start", page(after=0), everything[:5])
    walk.check("after the end: none", page(after=last), [])
    walk.check("before the start: none", page(before=first), [])
    walk.check("only a limit: the newest, oldest first", page(), everything[-5:])

    for name, params in (("next", {"after": 0, "limit": 50}), ("prev", {"limit": 50})):
        response = alice.get(path, params=params)
        walk.check(f"a page of 50 has 50 (to {name})", len(response.json()), 50)
        gathered, pages = response.json(), 1
        while name in response.links and pages < 10:
            link = response.links[name]["url"]
            response = alice.get(link.removeprefix(walk.url))
            more = response.json()
            gathered = gathered + more if name == "next" else more + gathered
            pages += 1
        walk.check(f"the Link headers to {name} lead through all of it", gathered, everything)

    for params in (
        "limit=0",
        "limit=-1",
        "limit=abc",
        "limit=1.5",
        "limit=",
        "limit=99999999999999999999999999",
        "after=abc",
        "after=-5",
        "after=99999999999999999999999999",
        "after=%00",
        "before=abc",
        "before=-1",
        "before[$gt]=1",
        "limit=10&limit=20",
        "after=5&before=3",
        "limit=%F0%9F%98%80",
        "limit=" + "9" * 5_000,
        "limit=٣",
        "no_such=1",
    ):
        got = answer(alice.get(f"{path}?{params}"))
        walk.check(f"?{params:.40} is answered", got, OneOf(ClientError(), (200, a_list)))
    for params in ("limit=abc", "after=abc", "before=abc"):
        walk.check(
            f"?{params} is refused",
            answer(alice.get(f"{path}?{params}")),
            ClientError(400, 422, naming=params.split("=")[0]),
        )
