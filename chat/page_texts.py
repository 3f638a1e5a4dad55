"""The sentences that scripts say. All others are in the templates, also of what is cloned there."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def page_texts() -> dict[str, Any]:
    """By name. Those with a count have a text for each plural category of Intl.PluralRules."""
    return {
        "announcement": _("%(actor)s: %(text)s"),
        "called": _("you are mentioned"),
        "comma": _(", "),
        "deleted": _("This message was deleted."),
        "file_failed": _("%(name)s was not uploaded: %(reason)s"),
        "new_below": plural(
            lambda n: ngettext("%(count)s new message", "%(count)s new messages", n)
        ),
        "no_answer": _("The service does not answer."),
        "not_sent": _("Not sent: %(reason)s"),
        "others": plural(lambda n: ngettext("%(count)s other", "%(count)s others", n)),
        "removed_from_room": _("You are no longer in this room."),
        "room_closed": _("This room was closed."),
        "seen_by": _("Seen by %(people)s"),
        "sending": _("Sending…"),
        "title_unread": _("(%(count)s) %(title)s"),
        "typing_one": _("%(people)s is writing…"),
        "typing_some": _("%(people)s are writing…"),
        "unread": plural(
            lambda n: ngettext("%(count)s unread message", "%(count)s unread messages", n)
        ),
    }


def plural(text_for: Callable[[int], str]) -> dict[str, str]:
    return {"one": text_for(1), "other": text_for(2)}
