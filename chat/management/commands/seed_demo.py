"""Fill a fresh service with people and rooms to look at."""

import io
from typing import Any

from bson import ObjectId
from django.conf import settings
from django.core.files import File
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions as account_actions
from accounts.models import User
from chat import actions, demo, reading
from chat.models import Entry
from chatservice.realtime.loop import run
from media_upload import actions as media_actions

DEMO_PASSWORD = "let me in to the demo"


class Command(BaseCommand):
    help = (
        "Create a few people, rooms in English and Persian and private chats, and print how to "
        "log in. Running it again adds nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--domain", default="example.com", help="of the e-mail addresses")
        parser.add_argument("--password", help="of all the people; default: one that is known")

    def handle(self, *, domain: str, password: str | None, **options: Any) -> None:
        if password is None and not self._is_private():
            raise CommandError("This service is public: choose a password with --password.")
        call_command("migrate", verbosity=0, interactive=False)  # a log needs its indexes
        self.people = {
            name: self._person(name, full_name, domain, password or DEMO_PASSWORD)
            for name, full_name in demo.PEOPLE.items()
        }
        for room in demo.ROOMS:
            self._make_room(room)
        for chat in demo.PRIVATE_CHATS:
            self._open_private_chat(chat)
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

    def _make_room(self, room: demo.Room) -> None:
        alice = self.people["alice"]
        if any(view.room["name"] == room.name for view in run(reading.rooms(alice))):
            return
        opened = run(
            actions.create_room(
                actor=alice,
                name=room.name,
                description=room.description,
                members=[self.people[member].email for member in room.members],
                is_public=room.is_public,
            )
        )
        self._talk(opened.room_id, room)

    def _open_private_chat(self, chat: demo.PrivateChat) -> None:
        opened = run(
            actions.open_private_chat(
                actor=self.people["alice"], members=[self.people[chat.other].email]
            )
        )
        if opened.created:
            self._talk(opened.room_id, chat)

    def _talk(self, room_id: ObjectId, chat: demo.Room | demo.PrivateChat) -> None:
        """Say it all, and read it: Alice all but what she is to find unread."""
        last = 0
        read = len(chat.said) - chat.unread
        for number, said in enumerate(chat.said, 1):
            last = self._say(room_id, said)
            if number == read:
                self._read(room_id, "alice", last)
        for name in {said.by for said in chat.said} - {"alice"}:
            self._read(room_id, name, last)

    def _say(self, room_id: ObjectId, said: demo.Said) -> int:
        """The number of what was said."""
        actor = self.people[said.by]
        content = said.text
        if said.file:
            file = File(io.BytesIO(said.content()), name=said.file)
            upload = media_actions.store_upload(actor=actor, file=file)
            content = f"{content}\n{upload.file_url}".strip()
        stored = run(
            actions.post_message(
                actor=actor,
                room_id=room_id,
                content=content,
                via=Entry.Via.REST,
                reply_to=said.reply_to,
            )
        )
        return stored.entry["seq"]

    def _read(self, room_id: ObjectId, name: str, seq: int) -> None:
        run(actions.mark_read(actor=self.people[name], room_id=room_id, seq=seq))

    def _print_log_in(self, domain: str, password: str) -> None:
        names = ", ".join(f"{name}@{domain}" for name in demo.PEOPLE)
        self.stdout.write(f"People: {names}")
        self.stdout.write(f"Password of those made just now or by an earlier run: {password}")
        self.stdout.write(f"Log in, for example as alice@{domain}.")
