"""Who gets to see whom: rules of the apps that bring people together.

This app knows no rooms. The one that has them registers, when it is ready, a rule that says whom a
person shares one with.
"""

from collections.abc import Awaitable, Callable

from bson import ObjectId

# rule(user_id) -> the ids of those who see this person; the person may be among them.
Rule = Callable[[ObjectId], Awaitable[set[ObjectId]]]

rules: list[Rule] = []


def register(rule: Rule) -> None:
    """Add a rule. To be called in an `AppConfig.ready`; twice is once."""
    if rule not in rules:
        rules.append(rule)


async def of(user_id: ObjectId) -> set[ObjectId]:
    """The ids of those who see a person by some rule. On the home loop."""
    found: set[ObjectId] = set()
    for rule in rules:
        found |= await rule(user_id)
    return found
