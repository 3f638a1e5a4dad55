"""The forms of the chat's pages. What may be stored is decided by the actions."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import (
    CLIENT_ID_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    Membership,
)

SEPARATORS = re.compile(r"[\s,;،؛]*[,;،؛\n][\s,;،؛]*")
"""Between the names of people: commas and semicolons of both scripts, and new lines."""


KNOWN_PEOPLE = "known-people"
"""The id of the list in the page that completes names."""


class PeopleField(forms.CharField):
    """E-mail addresses or user names, as a list."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("People"))
        options.setdefault(
            "help_text", _("E-mail addresses or user names, with commas between them.")
        )
        widget = forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "dir": "auto",
                "list": KNOWN_PEOPLE,
            }
        )
        super().__init__(max_length=50_000, widget=widget, **options)

    def clean(self, value: Any) -> list[str]:
        return [name for name in SEPARATORS.split(super().clean(value)) if name]


class ChatForm(forms.Form):
    prefix_of_ids = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("auto_id", f"{self.prefix_of_ids}_%s")
        super().__init__(*args, **kwargs)


def public_field() -> forms.BooleanField:
    return forms.BooleanField(label=_("Public: everybody can find and join it"), required=False)


class NewRoomForm(ChatForm):
    prefix_of_ids = "new_room"

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("What it is about"),
        max_length=DESCRIPTION_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    members = PeopleField(required=False)
    is_public = public_field()


class PrivateChatForm(ChatForm):
    prefix_of_ids = "private_chat"

    user = forms.CharField(
        label=_("E-mail or user name"),
        max_length=254,
        widget=forms.TextInput(
            attrs={
                "dir": "auto",
                "autocomplete": "off",
                "autocapitalize": "none",
                "list": KNOWN_PEOPLE,
            }
        ),
    )


class ChangeRoomForm(ChatForm):
    prefix_of_ids = "change_room"

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("What it is about"),
        max_length=DESCRIPTION_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"dir": "auto", "rows": 3}),
    )
    is_public = public_field()

    def __init__(self, *args: Any, may_publish: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_publish:
            del self.fields["is_public"]


class AddMembersForm(ChatForm):
    prefix_of_ids = "add_members"

    members = PeopleField(label=_("Add people"))


class RoleForm(ChatForm):
    role = forms.ChoiceField(choices=Membership.Role.choices)


class MuteForm(ChatForm):
    muted = forms.BooleanField(required=False)


class ReadForm(ChatForm):
    seq = forms.IntegerField(min_value=0)


class SearchForm(ChatForm):
    """What is looked for; it comes in the address, and may be empty."""

    prefix_of_ids = "search"

    q = forms.CharField(
        label=_("Words to look for"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "dir": "auto", "autocomplete": "off"}),
    )


class MessageForm(ChatForm):
    """A message from a page without a script; `client_id` makes a second click harmless."""

    prefix_of_ids = "message"

    content = forms.CharField(required=False, strip=False, max_length=2 * MESSAGE_LENGTH)
    client_id = forms.CharField(required=False, max_length=CLIENT_ID_LENGTH)
    reply_to = forms.IntegerField(required=False, min_value=1)
    file = forms.FileField(required=False, allow_empty_file=True)


class EditMessageForm(ChatForm):
    prefix_of_ids = "edit_message"

    content = forms.CharField(
        label=_("Message"),
        strip=False,
        max_length=2 * MESSAGE_LENGTH,
        widget=forms.Textarea(attrs={"dir": "auto", "rows": 6}),
    )
