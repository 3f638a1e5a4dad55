"""Fill a fresh service with people and rooms to look at."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions as account_actions
from accounts.models import User
from chat import actions, reading
from chat.models import Entry
from chatservice.realtime.loop import run

DEMO_PASSWORD = "let me in to the demo"

PEOPLE = {
    "alice": "Alice Nakamura",
    "bob": "Bob Okafor",
    "moira": "Moira Lindqvist",
    "carol": "Carol Reyes",
    "sara": "سارا احمدی",
    "navid": "نوید رستمی",
}

LUNCH = [
    ("alice", "Where do we eat today?"),
    ("bob", "The noodle place has a new menu 🍜"),
    ("moira", "I had noodles yesterday. And on Friday."),
    ("bob", "They also do dumplings, you know."),
    ("alice", "Dumplings! 12:30 at the door?"),
    ("moira", "12:45, I have a call until half past."),
    ("bob", "12:45 it is. `make lunch`"),
]

PERSIAN = [
    ("sara", "سلام به همه! جلسهٔ فردا ساعت ۱۰ است؟"),
    ("navid", "بله، ساعت ۱۰ صبح. دستور جلسه را هم می‌فرستم."),
    ("alice", "من هم می‌آیم. Is the room booked?"),
    ("sara", "بله، اتاق B2 را گرفته‌ام 🙂"),
    ("navid", "عالی است، می‌بینمتان."),
]

PRIVATE = [
    ("alice", "Can you look at the release notes before they go out?"),
    ("bob", "Sure, send them over."),
    ("alice", "Done. No hurry, tomorrow is fine."),
]

BUSY_ROOM_MESSAGES = 300


class Command(BaseCommand):
    help = (
        "Create a few people, a busy room, a Persian one and a private chat, and print how to "
        "log in. Running it again adds nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--domain", default="example.com", help="of the e-mail addresses")
        parser.add_argument("--password", help="of all the people; default: one that is known")

    def handle(self, *, domain: str, password: str | None, **options: Any) -> None:
        if password is None and not self._is_private():
            raise CommandError("This service is public: choose a password with --password.")
        self.people = {
            name: self._person(name, full_name, domain, password or DEMO_PASSWORD)
            for name, full_name in PEOPLE.items()
        }
        self._room("Lunch", "Where and when", ["bob", "moira"], LUNCH)
        self._room("جلسه‌های هفتگی", "دستور جلسه و یادداشت‌ها", ["sara", "navid"], PERSIAN)
        self._room("Build log", "What the machines say", ["bob", "moira", "navid"], self._busy())
        opened = run(
            actions.open_private_chat(
                actor=self.people["alice"], members=[self.people["bob"].email]
            )
        )
        if opened.created:
            self._say(opened.room_id, PRIVATE)
        self._print_log_in(domain, password or DEMO_PASSWORD)

    def _is_private(self) -> bool:
        return settings.DEBUG or set(settings.ALLOWED_HOSTS) <= set(settings.LOCAL_HOSTS)

    def _person(self, name: str, full_name: str, domain: str, password: str) -> User:
        try:
            return User.objects.get_by_name(f"{name}@{domain}")
        except User.DoesNotExist:
            return account_actions.sign_up(
                email=f"{name}@{domain}", username=name, full_name=full_name, password=password
            )

    def _room(
        self, name: str, description: str, members: list[str], said: list[tuple[str, str]]
    ) -> None:
        alice = self.people["alice"]
        if any(view.room["name"] == name for view in run(reading.rooms(alice))):
            return
        opened = run(
            actions.create_room(
                actor=alice,
                name=name,
                description=description,
                members=[self.people[member].email for member in members],
            )
        )
        self._say(opened.room_id, said)

    def _say(self, room_id: Any, said: list[tuple[str, str]]) -> None:
        for name, content in said:
            run(
                actions.post_message(
                    actor=self.people[name], room_id=room_id, content=content, via=Entry.Via.REST
                )
            )

    def _busy(self) -> list[tuple[str, str]]:
        names = ["alice", "bob", "moira", "navid"]
        return [
            (names[number % len(names)], f"Build {number}: {'failed' if number % 7 == 0 else 'ok'}")
            for number in range(1, BUSY_ROOM_MESSAGES + 1)
        ]

    def _print_log_in(self, domain: str, password: str) -> None:
        names = ", ".join(f"{name}@{domain}" for name in PEOPLE)
        self.stdout.write(f"People: {names}")
        self.stdout.write(f"Password of those made just now or by an earlier run: {password}")
        self.stdout.write(f"Log in, for example as alice@{domain}.")
