"""The forms of the chat's pages. What may be stored is decided by the actions."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.forms.renderers import BaseRenderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chatservice.languages import digits

from .models import (
    CLIENT_ID_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    Membership,
)

SEPARATORS = re.compile(r"[\s,;،؛]+")
"""Between e-mail addresses in a list: white space, commas and semicolons of both scripts."""

KNOWN_PEOPLE = "known-people"
"""The id of the list in the page that completes names."""

SPARE_INPUTS = 3
"""Inputs for one name each that a form for a new room has beyond those that are filled in."""


MARKS_OF_MISTAKES = ("aria-invalid", "autofocus")
"""Attributes of those inputs of a field that the mistake is in."""


class NameInput(forms.TextInput):
    """Where one e-mail address or user name is typed, completed from the list in the page."""

    def __init__(self) -> None:
        super().__init__(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "dir": "auto",
                "list": KNOWN_PEOPLE,
            }
        )


class NameInputs(NameInput):
    """One below the other, an input for each name: a browser completes what is in one as a whole.

    The first has the id of the field, and all have its name. There are `spare` ones beyond those
    that are filled in. Of a field with a mistake, those are marked that have one of the `unknown`
    names in them; the first if it is about none.
    """

    use_fieldset = True

    def __init__(self, spare: int = SPARE_INPUTS) -> None:
        super().__init__()
        self.spare = spare
        self.unknown: frozenset[str] = frozenset()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name)

    def use_required_attribute(self, initial: Any) -> bool:
        return False  # of all of them

    def render(
        self,
        name: str,
        value: list[str] | None,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        filled = [typed for typed in value or [] if typed.strip()]
        inputs = []
        for number, typed in enumerate([*filled, *[""] * self.spare]):
            own: dict[str, Any] = {
                "aria-label": _("Person %(number)s") % {"number": digits(number + 1)}
            }
            if number:
                own["id"] = f"{(attrs or {}).get('id', name)}_{number}"
            is_right = self.unknown.isdisjoint(_names_in(typed)) if self.unknown else number > 0
            if is_right:
                own |= dict.fromkeys(MARKS_OF_MISTAKES, False)
            inputs.append((super().render(name, typed, {**(attrs or {}), **own}, renderer),))
        return format_html('<span class="field">{}</span>', format_html_join("\n", "{}", inputs))


class PeopleField(forms.Field):
    """E-mail addresses and user names, each in an input of its own; the value is their list.

    A user name may have commas, semicolons and spaces in it and is never taken apart: half of it
    could be somebody else's. Only what is a list of nothing but e-mail addresses is one.
    """

    widget = NameInputs

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("People"))
        options.setdefault(
            "help_text",
            _("One e-mail address or user name in each; or a list of e-mail addresses."),
        )
        super().__init__(**options)

    def to_python(self, value: list[str]) -> list[str]:
        return [name for typed in value for name in _names_in(typed)]


def _names_in(typed: str) -> list[str]:
    """What was typed for one name; or all of it, where it is a list of e-mail addresses."""
    parts = [part for part in SEPARATORS.split(typed) if part]
    return parts if all(_is_email(part) for part in parts) else [typed.strip()]


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


class ChatForm(forms.Form):
    prefix_of_ids = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("auto_id", f"{self.prefix_of_ids}_%s")
        super().__init__(*args, **kwargs)


class PeopleForm(ChatForm):
    """A form with the field `members`; it shows which of the names are those of nobody."""

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        problems = self.errors.as_data().get("members", [])
        unknown = {name for each in problems for name in (each.params or {}).get("unknown", ())}
        self.fields["members"].widget.unknown = frozenset(unknown)
        if field != "members" and any(map(SEPARATORS.search, unknown)):
            super().add_error("members", _("Write one name in each field."))


def public_field() -> forms.BooleanField:
    return forms.BooleanField(label=_("Public: everybody can find and join it"), required=False)


class NewRoomForm(PeopleForm):
    prefix_of_ids = "new_room"

    # That there is one is for the action to ask, which then looks at the people as well.
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off", "required": True}),
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
        widget=NameInput,
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


class AddMembersForm(PeopleForm):
    prefix_of_ids = "add_members"

    members = PeopleField(label=_("Add people"), widget=NameInputs(spare=1))


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
        widget=forms.TextInput(
            attrs={"type": "search", "dir": "auto", "autocomplete": "off", "autofocus": True}
        ),
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
