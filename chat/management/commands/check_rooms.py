"""Check that every room's log is whole and that what is shown agrees with it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import actions, consistency
from chatservice.realtime.loop import run


class Command(BaseCommand):
    help = (
        "Check that the numbers of every room run 1..n and that members, names and messages agree "
        "with the log. With --repair, bring them up to date from the log. Ends with an error if "
        "anything is (still) wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="project the log again")

    def handle(self, *, repair: bool, **options: Any) -> None:
        checked = wrong = 0
        for room in consistency.rooms():
            checked += 1
            problems = list(consistency.problems_of(room))
            if repair and any(problem.repairable for problem in problems):
                run(actions.reproject_room(room_id=room["_id"]))
                again = consistency.room(room["_id"])
                for problem in problems:
                    self.stdout.write(f"{room['_id']}: repairing: {problem.text}")
                problems = list(consistency.problems_of(again))
            for problem in problems:
                wrong += 1
                self.stdout.write(f"{room['_id']}: {problem.text}")
        self.stdout.write(f"{checked} room(s) checked, {wrong} problem(s).")
        if wrong:
            raise CommandError("The rooms above do not agree with their logs.")
