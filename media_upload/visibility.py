"""Who else may fetch an upload: rules of the apps that make use of uploads.

An upload belongs to its owner. That it was posted in a room is something only the app that has
rooms can know; it registers a rule when it is ready, and this app stays ignorant of rooms.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from bson import ObjectId

if TYPE_CHECKING:
    from accounts.models import User

# rule(user, upload_ids) -> those of `upload_ids` that the rule shows to `user`.
Rule = Callable[["User", Collection[ObjectId]], Collection[ObjectId]]

rules: list[Rule] = []


def register(rule: Rule) -> None:
    """Let `rule` show uploads, too. To be called in an `AppConfig.ready`; twice is once."""
    if rule not in rules:
        rules.append(rule)


def shown_to(user: "User", upload_ids: Collection[ObjectId]) -> set[ObjectId]:
    """Those of `upload_ids` that some rule shows to `user`."""
    return {upload_id for rule in rules for upload_id in rule(user, upload_ids)}
