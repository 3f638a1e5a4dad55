"""Two server processes on one database, with Redis between them, and what becomes of it without."""

import re
import threading
import time
from datetime import timedelta

import pytest

from acceptance.people import Device
from acceptance.waiting import PATIENCE, eventually
from accounts import presence
from accounts.models import PresenceLease, Session, User
from accounts.tokens import AccessToken
from chatservice.timestamps import now
from conftest import Http, Person, Server, manage, signed_up

from .ordered_device import OrderedDevice

pytestmark = pytest.mark.redis


def post(person, server, room, *texts):
    for text in texts:
        answer = person.at(server).post(f"{room.path}/messages", json={"content": text})
        assert answer.status_code == 201, answer.text


def run_outside(code, redis_url):
    """Run Python code in a process that is no server: `manage.py shell`."""
    result = manage("shell", "--no-imports", "-c", code, REDIS_URL=redis_url)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def devices():
    """Opens devices, `devices.ordered(...)` and `devices.open(...)`, and closes them."""
    opened = Devices()
    yield opened
    for device in opened.all:
        device.close()


class Devices:
    def __init__(self):
        self.all = []

    def ordered(self, person, server, transports=("websocket",)):
        self.all.append(OrderedDevice(server.url, person, list(transports)))
        return self.all[-1]

    def open(self, person, server, *, token=None, transports=("websocket",), **auth):
        device = Device(server.url)
        self.all.append(device)
        auth = {"token": token or person.token, "protocol": 2} | auth
        device.connect(auth=auth, transports=list(transports))
        return device


def numbers(device):
    return [event["seq"] for event in device.events]


# With Redis


@pytest.fixture(scope="module")
def processes(django_db_setup, redis):
    """Two servers that share `redis`."""
    servers = [Server(REDIS_URL=redis), Server(REDIS_URL=redis)]
    yield servers
    for server in servers:
        assert server.stop() == 0
        assert "Traceback" not in server.output()


@pytest.fixture
def near(processes, db):
    """The process that is written to."""
    return processes[0]


@pytest.fixture
def far(processes, db):
    """The other one."""
    return processes[1]


def test_what_one_process_takes_reaches_devices_of_the_other_in_order_and_once(
    alice, bob, lunch, near, far, devices
):
    listeners = [
        devices.ordered(bob, far),
        devices.ordered(bob, far, ["polling"]),
        devices.ordered(bob, near),
        devices.ordered(alice, far),
    ]
    older = devices.open(bob, far, protocol=1)
    writer = devices.open(alice, near)
    for number in range(100):
        writer.emit("chat_message", {"room": lunch.id, "message": f"by socket {number}"})
        if number % 10 == 0:
            post(alice, near, lunch, f"by REST {number}")

    for device in listeners:
        device.wait_for(lambda events: len(events) >= 110)
        assert numbers(device) == list(range(3, 113))
    older.wait_for("broadcast_message", lambda _: len(older.all("broadcast_message")) >= 100)
    older.wait_for("chat_response", lambda _: len(older.all("chat_response")) >= 10)
    told = older.all("broadcast_message") + [each["message"] for each in older.all("chat_response")]
    assert sorted(message["seq"] for message in told) == list(range(3, 113))


def test_what_two_processes_write_at_once_comes_in_the_logs_order_on_both(
    alice, bob, lunch, near, far, devices
):
    listeners = [devices.ordered(bob, near), devices.ordered(bob, far)]
    writers = [devices.open(alice, near), devices.open(alice, far)]
    # A process that hears of a room for the first time knows no number that came before.
    assert writers[0].call("chat_message", {"room": lunch.id, "message": "first"})["ok"] is True
    for device in listeners:
        device.wait_for(lambda events: len(events) == 1)

    def write(device):
        for number in range(100):
            answer = device.call("chat_message", {"room": lunch.id, "message": f"{number}"})
            assert answer["ok"] is True

    threads = [threading.Thread(target=write, args=(device,)) for device in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for device in listeners:
        device.wait_for(lambda events: len(events) >= 201)
        assert numbers(device) == list(range(3, 204))


def test_comings_and_goings_typing_and_reading_are_told_in_the_other_process(
    alice, bob, carol, lunch, near, far, devices
):
    witness, stranger = devices.open(alice, far), devices.open(carol, far)
    first, second = devices.open(bob, near), devices.open(bob, far)
    bobs = {"id": bob.id, "email": bob.email}

    witness.wait_for("presence", lambda event: {"user": bobs, "online": True} in event["changes"])
    assert first.call("typing", {"room": lunch.id})["ok"] is True
    witness.wait_for("typing", lambda event: event["user"] == bobs)
    post(alice, near, lunch, "hello")
    assert first.call("read", {"room": lunch.id, "seq": 3})["ok"] is True
    witness.wait_for("read", lambda event: event["user"] == bobs)
    first.close()
    second.call("chat_message", {"room": lunch.id, "message": "still here"})
    witness.wait_for("room_event", lambda event: event["content"] == "still here")
    assert witness.all("presence", lambda event: not event["changes"][0]["online"]) == []
    second.close()
    witness.wait_for("presence", lambda event: {"user": bobs, "online": False} in event["changes"])
    assert stranger.all("presence") == stranger.all("typing") == stranger.all("read") == []


@pytest.mark.faults
def test_only_who_does_not_come_back_goes_offline_when_a_process_is_killed(
    alice, bob, carol, make_room, near, redis, start_server, devices, halt_shared_servers
):
    """The others hear of nobody but the one who has gone."""
    make_room(alice, bob, carol)
    halt_shared_servers()
    doomed = start_server(REDIS_URL=redis)
    goes = devices.open(bob, doomed)
    stays, comes_back = devices.open(carol, near), devices.open(carol, doomed)
    witness = devices.open(alice, near)
    eventually(PresenceLease.objects.filter(user=bob.user).exists, what="Bob's lease")
    doomed.kill()
    assert goes.ended.wait(PATIENCE)
    assert comes_back.ended.wait(PATIENCE)
    devices.open(carol, near)
    # As if the life of the killed process's leases were over.
    past = now() - timedelta(seconds=1)
    PresenceLease.objects.filter(expires_at__lte=now() + presence.LEASE_LIFE).exclude(
        process_id=PresenceLease.objects.filter(user=alice.user).get().process_id
    ).update(expires_at=past)

    eventually(lambda: gone(witness), what="news of Bob")
    assert gone(witness) == [bob.email]
    assert stays.call("get_online_users")["users"] == [alice.email, carol.email]


@pytest.mark.faults
@pytest.mark.parametrize("comes_back", [True, False])
def test_a_process_that_is_restarted_makes_nobody_flicker(
    alice,
    bob,
    carol,
    make_room,
    near,
    redis,
    start_server,
    devices,
    halt_shared_servers,
    comes_back,
):
    make_room(alice, bob, carol)
    halt_shared_servers()
    stopping, next_one = start_server(REDIS_URL=redis), start_server(REDIS_URL=redis)
    witness, device = devices.open(alice, near), devices.open(bob, stopping)
    eventually(lambda: came(witness, bob) == 1, what="news of Bob")
    assert stopping.stop() == 0
    assert device.ended.wait(PATIENCE)
    if comes_back:
        devices.open(bob, next_one)
    PresenceLease.objects.filter(user=bob.user).filter(
        expires_at__lte=now() + presence.RETURN_TIME
    ).update(expires_at=now() - timedelta(seconds=1))

    if comes_back:
        eventually(lambda: leases(bob) == 1, what="that the old lease is collected")
        # The next change is told after whatever came before it.
        devices.open(carol, near)
        eventually(lambda: came(witness, carol) == 1, what="news of Carol")
        assert came(witness, bob) == 1
        assert gone(witness) == []
    else:
        eventually(lambda: gone(witness) == [bob.email], what="news of Bob")


def changes(device):
    return [change for event in device.all("presence") for change in event["changes"]]


def gone(device):
    """The e-mails of those that a device was told have gone, in order."""
    return [change["user"]["email"] for change in changes(device) if not change["online"]]


def came(device, person):
    """How often a device was told that a person has come."""
    told = {"user": {"id": person.id, "email": person.email}, "online": True}
    return changes(device).count(told)


def leases(person):
    return PresenceLease.objects.filter(user=person.user).count()


def test_changes_from_outside_the_processes_reach_browsers(
    alice, bob, moira, lunch, near, far, redis, devices
):
    listeners = [devices.open(bob, near), devices.open(bob, far)]
    run_outside(
        f"""
from accounts.models import User
from chat import actions
from chat.models import Entry
from chatservice.realtime.loop import run
from bson import ObjectId
alice = User.objects.get(email={alice.email!r})
run(actions.post_message(actor=alice, room_id=ObjectId({lunch.id!r}), content="from a command",
    via=Entry.Via.REST))
run(actions.change_room(actor=alice, room_id=ObjectId({lunch.id!r}), name="Dinner"))
""",
        redis,
    )

    for device in listeners:
        told = device.wait_for("room_event", lambda event: event["kind"] == "room")
        assert told["name"] == "Dinner"
        assert [event["seq"] for event in device.all("room_event")] == [3, 4]

    run_outside(
        f"""
from accounts import actions
from accounts.models import User
actions.deactivate_user(actor=User.objects.get(email={moira.email!r}),
    user=User.objects.get(email={bob.email!r}))
""",
        redis,
    )
    for device in listeners:
        assert device.wait_for("error")["code"] == "session_ended"
        assert device.ended.wait(PATIENCE)


# Rights that end


def everywhere(devices, person, *servers, **auth):
    """A device of the person for each server and each transport."""
    return [
        devices.open(person, server, transports=[transport], **auth)
        for server in servers
        for transport in ("websocket", "polling")
    ]


def cut(device):
    """Whether a device has been told that its session has ended, and been disconnected."""
    return device.wait_for("error")["code"] == "session_ended" and device.ended.wait(PATIENCE)


def test_a_log_out_cuts_that_device_in_every_process(alice, near, far, devices):
    phone_token = alice.log_in()["access_token"]
    phone = everywhere(devices, alice, near, far, token=phone_token)
    laptop = everywhere(devices, alice, near, far)

    answer = Http(near.url).post("/auth/logout", headers={"Authorization": f"Bearer {phone_token}"})
    assert answer.status_code == 204
    assert all(cut(device) for device in phone)
    for device in laptop:
        assert device.call("get_online_users")["ok"] is True
        assert device.all("error") == []

    assert alice.at(near).post("/auth/logout_all").status_code == 204
    assert all(cut(device) for device in laptop)


def test_a_new_password_cuts_every_device_in_every_process(alice, bob, near, far, devices):
    alices = everywhere(devices, alice, near, far)
    other = devices.open(bob, far)

    answer = alice.at(near).post(
        "/auth/change_password",
        json={"old_password": alice.password, "new_password": "quite another one"},
    )
    assert answer.status_code == 200, answer.text
    assert all(cut(device) for device in alices)
    assert other.call("get_online_users")["ok"] is True


def test_a_deactivation_in_the_admin_cuts_every_device_in_every_process(
    alice, bob, moira, near, far, devices
):
    bobs = everywhere(devices, bob, near, far)
    other = devices.open(alice, far)
    deactivate(bob, moira, near)
    assert all(cut(device) for device in bobs)
    assert other.call("get_online_users")["ok"] is True


def deactivate(person, moira, server):
    """What Moira does in the admin, with its forms."""
    browser = Http(server.url)
    log_in = {"username": moira.email, "password": moira.password, "next": "/admin/"}
    submit(browser, "/admin/login/", log_in)
    choice = {"action": "deactivate", "_selected_action": person.id}
    submit(browser, "/admin/accounts/user/", choice)


def submit(browser, path, form):
    """Fetch a page of the service's own and submit its form."""
    assert browser.get(path).status_code == 200
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    assert browser.post(path, data=form | token).status_code == 200


@pytest.mark.parametrize("how", ["removed", "leaving"])
def test_who_is_no_member_any_more_hears_nothing_in_any_process(
    alice, bob, lunch, near, far, devices, how
):
    listeners = everywhere(devices, bob, near, far)
    if how == "removed":
        answer = alice.at(near).delete(f"{lunch.path}/members/{bob.id}")
    else:
        answer = bob.at(near).post(f"{lunch.path}/leave")
    assert answer.status_code == 204
    post(alice, near, lunch, "among ourselves")
    post(alice, far, lunch, "and here")
    assert devices.open(alice, far).call("typing", {"room": lunch.id})["ok"] is True

    for device in listeners:
        # The first entry that a process hears of may be held for a moment (`sequencer.FIRST_HOLD`).
        eventually(lambda d=device: d.all("room_event"), what="the news that one is out")
        # The answers come after whatever was on its way to the device.
        assert (
            device.call("chat_message", {"room": lunch.id, "message": "?"})["code"] == "not_found"
        )
        assert device.call("typing", {"room": lunch.id})["code"] == "not_found"
        assert device.call("read", {"room": lunch.id, "seq": 3})["code"] == "not_found"
        gone = device.call("resume", {"rooms": {lunch.id: 2}})["rooms"]
        assert gone == {lunch.id: {"gone": True}}
        assert [event["kind"] for event in device.all("room_event")] == ["member"]
        assert device.all("typing") == []


SOON = 1.0
"""Seconds until a right that ended has ended on every socket of every process: promised in
docs/guarantees.md."""


def log_out(person, alice, moira, lunch, server):
    assert person.at(server).post("/auth/logout").status_code == 204


def log_out_everywhere(person, alice, moira, lunch, server):
    assert person.at(server).post("/auth/logout_all").status_code == 204


def change_password(person, alice, moira, lunch, server):
    passwords = {"old_password": person.password, "new_password": "quite another one"}
    assert person.at(server).post("/auth/change_password", json=passwords).status_code == 200


def be_deactivated(person, alice, moira, lunch, server):
    deactivate(person, moira, server)


def be_removed(person, alice, moira, lunch, server):
    answer = alice.at(server).delete(f"{lunch.path}/members/{person.id}")
    assert answer.status_code == 204


def leave(person, alice, moira, lunch, server):
    assert person.at(server).post(f"{lunch.path}/leave").status_code == 204


def has_been_cut(device):
    return device.ended.is_set() and device.all("error")[0]["code"] == "session_ended"


def knows_of_removal(device):
    return device.all("room_event", lambda event: event["kind"] == "member")


@pytest.mark.parametrize(
    ("end", "has_ended"),
    [
        (log_out, has_been_cut),
        (log_out_everywhere, has_been_cut),
        (change_password, has_been_cut),
        (be_deactivated, has_been_cut),
        (be_removed, knows_of_removal),
        (leave, knows_of_removal),
    ],
)
def test_a_right_ends_within_a_second_on_every_socket_of_every_process(
    alice, moira, make_room, near, far, devices, request, end, has_ended
):
    """The best of three: now and then a busy machine stands still for longer than that."""
    for attempt in range(3):
        person = signed_up(Person(f"Bob{attempt}", request))
        room = make_room(alice, person)
        listeners = everywhere(devices, person, near, far)
        end(person, alice, moira, room, near)
        try:
            eventually(lambda told=listeners: all(map(has_ended, told)), within=SOON, every=0.01)
        except TimeoutError:
            continue
        return
    pytest.fail("Not within a second, three times.")


def test_a_token_that_ends_cuts_its_sockets_in_every_process(alice, near, far, devices):
    def open_with_ending_token(server, transport):
        token = AccessToken(alice.token)
        token["exp"] = int(time.time()) + 5
        return devices.open(alice, server, token=str(token), transports=[transport])

    left = [
        open_with_ending_token(server, transport)
        for server in (near, far)
        for transport in ("websocket", "polling")
    ]
    renewing = open_with_ending_token(far, "websocket")
    for device in (renewing, *left):
        assert 0 <= device.wait_for("auth_expiring")["expires_in"] <= 5
    assert renewing.call("authenticate", {"token": alice.token})["ok"] is True

    assert all(device.ended.wait(PATIENCE) for device in left)
    assert renewing.call("get_online_users")["ok"] is True


# With a Redis that fails


def lines(server, text):
    return re.findall(f".*{text}.*", server.output())


@pytest.mark.faults
def test_without_redis_all_is_stored_and_later_live_again(
    alice, bob, lunch, own_redis, start_server, devices
):
    near, far = (start_server(REDIS_URL=own_redis.url) for _ in range(2))
    writer, reader = devices.open(alice, near), devices.open(bob, far)
    writer.call("chat_message", {"room": lunch.id, "message": "before"})
    reader.wait_for("room_event", lambda event: event["content"] == "before")

    own_redis.kill()
    eventually(lambda: lines(near, "is away") and lines(far, "is away"), what="the outage")
    for number in range(50):
        answer = writer.call("chat_message", {"room": lunch.id, "message": f"{number}"})
        assert answer["ok"] is True
        writer.wait_for("room_event", lambda event, seq=answer["seq"]: event["seq"] == seq)
    reader.forget()

    own_redis.start()
    reader.wait_for("resync")
    missed = reader.call("resume", {"rooms": {lunch.id: 3}})["rooms"][lunch.id]
    assert [entry["seq"] for entry in missed["entries"]] == list(range(4, 54))
    eventually(lambda: lines(near, "is back") and lines(far, "is back"), what="Redis")
    writer.call("chat_message", {"room": lunch.id, "message": "after"})
    reader.wait_for("room_event", lambda event: event["content"] == "after")
    for server in (near, far):
        assert len(lines(server, "is away")) == len(lines(server, "is back")) == 1
        assert "Traceback" not in server.output()


@pytest.mark.faults
def test_a_redis_that_stands_still_delays_nobody_and_loses_nothing(
    alice, bob, lunch, own_redis, start_server, devices
):
    near, far = (start_server(REDIS_URL=own_redis.url) for _ in range(2))
    writer, reader = devices.open(alice, near), devices.ordered(bob, far)
    writer.call("chat_message", {"room": lunch.id, "message": "before"})
    reader.wait_for(lambda events: events)

    own_redis.pause()
    acknowledged = threading.Semaphore(0)
    for number in range(50):
        message = {"room": lunch.id, "message": f"{number}"}
        writer.client.emit("chat_message", message, callback=lambda *_: acknowledged.release())
        # One after the other: if each waited for Redis, all of them would not be through in time.
        assert acknowledged.acquire(timeout=PATIENCE)
    eventually(lambda: lines(near, "is away") and lines(far, "is away"), what="the outage")
    own_redis.go_on()

    reader.wait_for(lambda events: len(events) >= 51)
    assert numbers(reader) == list(range(3, 54))


@pytest.mark.faults
def test_a_restart_of_redis_that_nobody_noticed_loses_nothing(
    alice, bob, lunch, own_redis, start_server, devices
):
    near, far = (start_server(REDIS_URL=own_redis.url) for _ in range(2))
    writer, reader = devices.open(alice, near), devices.open(bob, far)
    writer.call("chat_message", {"room": lunch.id, "message": "before"})
    reader.wait_for("room_event")
    reader.forget()

    own_redis.kill()
    own_redis.start()
    writer.call("chat_message", {"room": lunch.id, "message": "in between"})

    def reader_knows():
        known = {event["seq"] for event in reader.all("room_event")}
        if reader.all("resync"):
            answer = reader.call("resume", {"rooms": {lunch.id: 3}})["rooms"][lunch.id]
            known |= {entry["seq"] for entry in answer["entries"]}
        return 4 in known

    eventually(reader_knows, what="the message, live or by resuming")


@pytest.mark.faults
def test_a_service_that_starts_without_redis_finds_it_later(
    alice, bob, lunch, own_redis, start_server, devices
):
    own_redis.kill()
    near, far = (start_server(REDIS_URL=own_redis.url) for _ in range(2))
    writer, reader = devices.open(alice, near), devices.open(bob, far)
    assert writer.call("chat_message", {"room": lunch.id, "message": "before"})["ok"] is True

    own_redis.start()
    reader.wait_for("resync")
    eventually(lambda: lines(near, "is back"), what="Redis")
    writer.call("chat_message", {"room": lunch.id, "message": "after"})
    reader.wait_for("room_event", lambda event: event["content"] == "after")


@pytest.mark.faults
def test_a_log_out_that_the_others_are_not_told_of_is_noticed(
    alice, own_redis, start_server, devices
):
    near, far = (start_server(REDIS_URL=own_redis.url) for _ in range(2))
    reader = devices.open(alice, far)
    own_redis.kill()
    eventually(lambda: lines(far, "is away"), what="the outage")

    assert alice.at(near).post("/auth/logout").status_code == 204
    assert cut(reader)


def test_without_redis_a_session_ended_by_a_command_is_noticed(alice, bob, start_server, devices):
    server = start_server()
    busy, quiet = devices.open(alice, server), devices.open(bob, server)
    # No action, and so nobody is told: the worst case.
    Session.objects.filter(user=alice.user).update(ended_at=now())
    User.objects.filter(pk=bob.user.pk).update(is_active=False)

    busy.emit("get_online_users")
    assert cut(busy)
    assert cut(quiet)
