"""Rooms: made with their members, seen by them, and by nobody else."""

from acceptance.people import answer
from acceptance.shapes import AtLeast, ClientError, InAnyOrder, OneOf, Shape, a_message, an_id
from acceptance.walk import step

NOT_FOUND = (404, AtLeast(detail="Chat room not found or access denied"))
NO_ROOM = "0123456789abcdef01234567"


@step
def making_a_room(walk):
    alice, bob = walk.alice, walk.bob
    for path in ("/chat/chat_rooms/", "/chat/chat_rooms"):
        fields = {"name": "Plans", "description": "For the week", "members": [bob.email]}
        walk.check(
            f"POST {path} answers 201 with all members and no message",
            answer(alice.post(path, json=fields)),
            (
                201,
                AtLeast(
                    id=an_id,
                    name="Plans",
                    description="For the week",
                    members=InAnyOrder(alice.email, bob.email),
                    messages=[],
                ),
            ),
        )
    no_description = OneOf("", None)
    walk.check(
        "a name is enough",
        answer(alice.post("/chat/chat_rooms/", json={"name": "Notes"})),
        (201, AtLeast(id=an_id, description=no_description, members=[alice.email], messages=[])),
    )
    cases = {
        "the creator in the list is there once": [alice.email, bob.email],
        "a member twice in the list is there once": [bob.email, bob.email],
        "a member in capitals is the same person": [bob.email.upper()],
    }
    for name, members in cases.items():
        response = alice.post("/chat/chat_rooms/", json={"name": "Plans", "members": members})
        expected = AtLeast(members=InAnyOrder(alice.email, bob.email))
        walk.check(name, answer(response), (201, expected))
    name = "اتاق 👩‍👩‍👧 <b>&amp;</b>"
    walk.check(
        "a name is kept as sent",
        answer(alice.post("/chat/chat_rooms/", json={"name": name})),
        (201, AtLeast(name=name)),
    )


@step
def making_a_room_with_bad_input(walk):
    alice = walk.alice

    def make(**fields):
        return answer(alice.post("/chat/chat_rooms/", json=fields))

    walk.check("a room without a name", make(), ClientError(400, 422, naming="name"))
    for name in (None, "", "   ", "\u200b", [], {"$gt": ""}, "a\0b", "a\ud800b", "x" * 20_000):
        walk.check(
            f"a room named {name!r:.30}", make(name=name), ClientError(400, 422, naming="name")
        )
    for description in ([], {"$gt": ""}, "a\0b", "a\ud800b", "x" * 200_000):
        walk.check(
            f"a room described {description!r:.30}",
            make(name="Plans", description=description),
            ClientError(400, 422, naming="description"),
        )
    for members in ("bob", 7, {"$ne": None}, [None], [7], [["a"]], [{"$ne": ""}], ["a\0b"], [""]):
        walk.check(
            f"a room with members {members!r}",
            make(name="Plans", members=members),
            ClientError(400, 422, naming="members"),
        )
    walk.check(
        "a room with 100,000 members",
        make(name="Plans", members=[walk.bob.email] * 100_000),
        OneOf(ClientError(), (201, AtLeast(id=an_id))),
    )
    walk.check(
        "unknown people are an error that names them",
        make(name="Plans", members=[walk.bob.email, "nobody.at.all@example.com"]),
        ClientError(400, 404, 422, naming="nobody.at.all@example.com"),
    )
    walk.check(
        "is_group_chat of a wrong type",
        make(name="Plans", is_group_chat=[]),
        ClientError(400, 422, naming="is_group_chat"),
    )


@step
def seeing_a_room(walk):
    alice, bob = walk.alice, walk.bob
    room = alice.make_room(bob, name="Plans", description="For the week")
    said = alice.post_message(room["id"], "first").json()
    for person in (alice, bob):
        for path in (f"/chat/chat_rooms/{room['id']}", f"/chat/chat_rooms/{room['id']}/"):
            walk.check(
                f"GET {path} for {person.username}",
                answer(person.get(path)),
                (
                    200,
                    AtLeast(
                        id=room["id"],
                        name="Plans",
                        description="For the week",
                        members=InAnyOrder(alice.email, bob.email),
                        messages=[
                            a_message(
                                id=said["id"],
                                sender=alice.email,
                                content="first",
                                timestamp=said["timestamp"],
                            )
                        ],
                    ),
                ),
            )


@step
def a_room_of_others(walk):
    room = walk.alice.make_room(walk.bob)
    carol = walk.carol
    doors = {
        "GET a room": lambda id: carol.get(f"/chat/chat_rooms/{id}"),
        "GET its messages": lambda id: carol.get(f"/chat/chat_rooms/{id}/messages"),
        "POST a message": lambda id: carol.post_message(id, "let me in"),
        "POST an empty message": lambda id: carol.post_message(id, ""),
    }
    for name, knock in doors.items():
        of_others, of_nobody = knock(room["id"]), knock(NO_ROOM)
        if name != "POST an empty message":
            walk.check(f"{name} of others", answer(of_others), NOT_FOUND)
            walk.check(f"{name} that does not exist", answer(of_nobody), NOT_FOUND)
        walk.check(f"{name}: the two cannot be told apart", of_others.text, of_nobody.text)
        walk.check(f"{name}: nor by the status", of_others.status_code, of_nobody.status_code)
        walk.check(
            f"{name}: nor by the headers",
            {n.lower() for n in of_others.headers} ^ {n.lower() for n in of_nobody.headers},
            Shape("the same ones", lambda difference: difference == set()),
        )
        for wrong_id in (
            room["id"][:-1],
            room["id"] + "0",
            "z" * 24,
            "1",
            "-1",
            "null",
            "%00",
            "a" * 4_000,
            "%F0%9F%98%80",
            "..%2f" + room["id"],
            '{"$ne":1}',
        ):
            walk.check(
                f"{name} of id {wrong_id:.30}",
                answer(knock(wrong_id)),
                ClientError(400, 404, 414, 422),
            )
    walk.check("nothing of that reached the room", walk.alice.messages(room["id"]), [])
    walk.check(
        "an id in capitals is the same room or none",
        answer(walk.alice.get(f"/chat/chat_rooms/{room['id'].upper()}")),
        OneOf(NOT_FOUND, (200, AtLeast(id=room["id"]))),
    )
