"""Private chats: one for each two people."""

from concurrent.futures import ThreadPoolExecutor

from acceptance.people import answer
from acceptance.shapes import (
    AtLeast,
    ClientError,
    InAnyOrder,
    OneOf,
    Shape,
    a_message,
    an_id,
)
from acceptance.waiting import eventually
from acceptance.walk import step


def private_chat_with(person, other, **fields):
    body = {"name": "Just us", "members": [other.email], "is_group_chat": False} | fields
    return person.post("/chat/chat_rooms/", json=body)


def is_online(person, other):
    """Say what `person` is told about `other`, by the list of private chats."""
    [online] = [
        chat["is_online"]
        for chat in person.get("/chat/private_chats/").json()
        if chat["other_user_email"] == other.email
    ]
    return online


@step
def one_for_each_two_people(walk):
    ann, ben = walk.newcomer("ann"), walk.newcomer("ben")
    for path in ("/chat/private_chats/", "/chat/private_chats"):
        walk.check(f"GET {path} is a list, empty at first", answer(ann.get(path)), (200, []))
    made = private_chat_with(ann, ben)
    walk.check(
        "POST /chat/chat_rooms/ with is_group_chat false makes one",
        answer(made),
        (201, AtLeast(id=an_id, members=InAnyOrder(ann.email, ben.email), messages=[])),
    )
    chat_id = made.json()["id"]
    same = (OneOf(200, 201), AtLeast(id=chat_id, members=InAnyOrder(ann.email, ben.email)))
    walk.check("asking again gives the same one", answer(private_chat_with(ann, ben)), same)
    walk.check("so does asking from the other side", answer(private_chat_with(ben, ann)), same)
    walk.check(
        "so does asking under another name and with oneself in the list",
        answer(private_chat_with(ann, ben, name="Us", members=[ann.email, ben.email.upper()])),
        same,
    )
    for person, other in ((ann, ben), (ben, ann)):
        walk.check(
            f"GET /chat/private_chats/ for {person.username}",
            answer(person.get("/chat/private_chats/")),
            (200, [AtLeast(id=chat_id, other_user_email=other.email, is_online=False)]),
        )
    group = ann.make_room(ben)
    walk.check(
        "a group of two is no private chat",
        [chat["id"] for chat in ann.get("/chat/private_chats/").json()],
        [chat_id],
    )
    walk.check("and is another room", group["id"] == chat_id, False)
    walk.check("a stranger's list is empty", answer(walk.carol.get("/chat/private_chats/"))[1], [])
    walk.check(
        "a stranger cannot see it",
        walk.carol.get(f"/chat/chat_rooms/{chat_id}").status_code,
        404,
    )
    walk.check(
        "one writes to it as to any room",
        answer(ann.post_message(chat_id, "hi")),
        (201, a_message(sender=ann.email, content="hi")),
    )
    walk.check(
        "and the other reads it",
        ben.messages(chat_id),
        [a_message(sender=ann.email, content="hi")],
    )


@step
def with_bad_input(walk):
    alice = walk.alice
    walk.check(
        "a private chat with somebody unknown",
        answer(private_chat_with(alice, walk.bob, members=["nobody.at.all@example.com"])),
        ClientError(400, 404, 422, naming="nobody.at.all@example.com"),
    )
    # The contract leaves open whether these are rooms or mistakes, so only a crash is wrong.
    ann, ben = walk.newcomer("ann"), walk.newcomer("ben")
    unusual = {"nobody": [], "oneself": [alice.email], "two": [ann.email, ben.email]}
    for name, members in unusual.items():
        walk.check(
            f"a private chat with {name}",
            answer(private_chat_with(alice, walk.bob, members=members)),
            OneOf(ClientError(), (201, AtLeast(id=an_id))),
        )


@step
def twelve_ask_at_once(walk):
    ann, ben = walk.newcomer("ann"), walk.newcomer("ben")
    with ThreadPoolExecutor(12) as pool:
        turns = [(ann, ben), (ben, ann)] * 6
        responses = list(pool.map(lambda turn: private_chat_with(*turn), turns))
    ids = {response.json().get("id") for response in responses}
    walk.check(
        "twelve who ask at once get one chat",
        ids,
        Shape("one id", lambda ids: len(ids) == 1 and None not in ids),
    )
    walk.check("and have one in the list", len(ann.get("/chat/private_chats/").json()), 1)


@step
def who_is_online(walk):
    ann, ben = walk.newcomer("ann"), walk.newcomer("ben")
    private_chat_with(ann, ben)
    walk.check("nobody is online at first", is_online(ann, ben), False)
    first, second = ben.connect(), ben.connect(transports=["websocket"])
    eventually(lambda: is_online(ann, ben), what="is_online after a connection")
    walk.check("a connection makes one online", is_online(ann, ben), True)
    walk.check("not the other one", is_online(ben, ann), False)
    first.close()
    walk.check("the first of two devices to go leaves one online", is_online(ann, ben), True)
    second.close()
    eventually(lambda: not is_online(ann, ben), what="is_online after the last connection")
    walk.check("the last one does not", is_online(ann, ben), False)
