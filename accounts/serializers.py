"""The wire shapes of people and their log-ins."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from chatservice.text import PlainTextField
from chatservice.timestamps import to_wire

from .actions import check_sign_up
from .models import Session, User
from .names import EMAIL_LENGTH, FULL_NAME_LENGTH, USERNAME_LENGTH
from .passwords import MAX_PASSWORD_BYTES
from .programs import program_name

LONGEST_CREDENTIAL = 100_000
"""Characters that a log-in may have in a field: too long a password is wrong, and not invalid."""


class TimestampField(serializers.DateTimeField):
    """A moment as the whole API writes it."""

    def to_representation(self, value: Any) -> str:
        return to_wire(value)


class SignUp(serializers.Serializer):
    """What a new account needs."""

    username = PlainTextField(
        max_length=USERNAME_LENGTH,
        trim=True,
        help_text=_(
            "A name to be known by, unique whatever its case. No control characters, and no @ "
            "unless it is the e-mail address itself."
        ),
    )
    email = PlainTextField(
        max_length=EMAIL_LENGTH,
        trim=True,
        help_text=_("An e-mail address, unique whatever its case. It cannot be changed later."),
    )
    password = PlainTextField(
        max_length=MAX_PASSWORD_BYTES,
        help_text=_(
            "At least 8 characters and at most 4,096 bytes; not a common one, not only digits, "
            "not like the other fields."
        ),
    )
    full_name = PlainTextField(
        max_length=FULL_NAME_LENGTH,
        min_length=0,
        trim=True,
        required=False,
        help_text=_("A name to be shown."),
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                {**error.detail, **self._other(data, error)}
            ) from None

    def _other(self, data: Any, error: serializers.ValidationError) -> dict[str, list[str]]:
        """What is wrong with the fields that are texts of the right length, if others are not."""
        if not isinstance(data, Mapping):
            return {}
        names = [name for name in self.fields if name in data and name not in error.detail]
        try:
            check_sign_up(**{name: self.fields[name].run_validation(data[name]) for name in names})
        except ValidationError as complaints:
            return complaints.message_dict
        return {}


class NewPersonSerializer(serializers.Serializer):
    """A person who has just signed up."""

    id = serializers.CharField(source="pk", help_text=_("24 hex digits."))
    username = serializers.CharField(help_text=_("The user name as it was chosen."))
    email = serializers.CharField(help_text=_("The e-mail address as it was given."))


class PersonSerializer(NewPersonSerializer):
    """A person, as they see themselves."""

    full_name = serializers.CharField(help_text=_("The name to be shown; may be empty."))
    avatar_url = serializers.CharField(
        allow_null=True, help_text=_("Where the picture is, root-relative; null without one.")
    )
    language = serializers.CharField(
        help_text=_("The language of pages and answers; empty: whichever is asked for.")
    )
    theme = serializers.ChoiceField(
        choices=User.Theme.choices, help_text=_("How the pages look, on every device.")
    )
    enter_sends = serializers.BooleanField(
        help_text=_("Whether Enter sends a message; otherwise Shift with Enter does.")
    )
    notifications = serializers.ChoiceField(
        choices=User.Notifications.choices,
        help_text=_("Of which messages the browser tells while the chat is out of sight."),
    )


class ChangeProfile(serializers.Serializer):
    """What a person may change of themselves. What is left out stays as it is."""

    full_name = PlainTextField(
        max_length=FULL_NAME_LENGTH,
        min_length=0,
        trim=True,
        required=False,
        help_text=_("The name to be shown; may be empty."),
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES,
        allow_blank=True,
        required=False,
        help_text=_("The language of pages and answers; empty: whichever is asked for."),
    )
    theme = serializers.ChoiceField(
        choices=User.Theme.choices,
        required=False,
        help_text=_("How the pages look, on every device."),
    )
    enter_sends = serializers.BooleanField(
        required=False,
        help_text=_("Whether Enter sends a message; otherwise Shift with Enter does."),
    )
    notifications = serializers.ChoiceField(
        choices=User.Notifications.choices,
        required=False,
        help_text=_("Of which messages the browser tells while the chat is out of sight."),
    )


class AvatarFile(serializers.Serializer):
    """The form with which a picture is sent."""

    file = serializers.FileField(help_text=_("A PNG, JPEG, GIF, WebP, AVIF or BMP image."))


class LogIn(serializers.Serializer):
    """The form of OAuth 2's password grant; its other fields may come and mean nothing here."""

    username = PlainTextField(
        max_length=LONGEST_CREDENTIAL,
        trim=True,
        help_text=_("The e-mail address, or the user name, in any case."),
    )
    password = PlainTextField(max_length=LONGEST_CREDENTIAL, help_text=_("The password."))


class TokensSerializer(serializers.Serializer):
    """A pair of tokens for one device."""

    access_token = serializers.CharField(
        help_text=_("For `Authorization: Bearer` and for Socket.IO's `auth.token`.")
    )
    token_type = serializers.CharField(help_text=_("Always `bearer`."))
    refresh_token = serializers.CharField(
        help_text=_("For the next pair, at `/auth/refresh`. It works once.")
    )
    expires_in = serializers.IntegerField(help_text=_("In how many seconds the access token ends."))


class Refresh(serializers.Serializer):
    """What a new pair of tokens is asked for with."""

    refresh_token = PlainTextField(
        max_length=LONGEST_CREDENTIAL,
        trim=True,
        help_text=_("The refresh token of the last pair."),
    )


class ChangePassword(serializers.Serializer):
    """The old password and the new one."""

    old_password = PlainTextField(
        max_length=LONGEST_CREDENTIAL, help_text=_("The password that you have now.")
    )
    new_password = PlainTextField(
        max_length=MAX_PASSWORD_BYTES,
        help_text=_("By the same rules as that of a new account."),
    )


class SessionSerializer(serializers.Serializer):
    """One log-in on one device."""

    id = serializers.CharField(source="pk", help_text=_("24 hex digits."))
    created_at = TimestampField(help_text=_("When the device logged in."))
    last_used_at = TimestampField(
        help_text=_("When it last logged in, got new tokens or opened a page.")
    )
    user_agent = serializers.CharField(help_text=_("The program it said it was."))
    program = serializers.SerializerMethodField(
        help_text=_("The same in words, such as “Firefox · Windows”; may be empty.")
    )
    address = serializers.CharField(help_text=_("The address it called from."))
    is_current = serializers.SerializerMethodField(help_text=_("Whether it is the one that asks."))

    def get_program(self, session: Session) -> str:
        return program_name(session.user_agent)

    def get_is_current(self, session: Session) -> bool:
        return session.pk == self.context["request"].auth.session_id
