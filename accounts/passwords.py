"""Which passwords are accepted, and which are not even looked at."""

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chatservice.languages import digits

from .models import User

MAX_PASSWORD_BYTES = 4_096
"""In UTF-8. Hashing takes time and memory, so nobody gets to choose how much of it."""


class MinimumLengthValidator(password_validation.MinimumLengthValidator):
    """Django's, which says how many characters there must be in the digits of the language."""

    def get_error_message(self) -> str:
        return digits(super().get_error_message())


def is_hashable(password: str) -> bool:
    """Whether `password` is short enough, and text that UTF-8 can hold."""
    try:
        return len(password.encode()) <= MAX_PASSWORD_BYTES
    except UnicodeEncodeError:
        return False


def validate_new_password(password: str, user: User, *, field: str = "password") -> None:
    """Raise ValidationError, on `field`, unless `password` is one that `user` may choose."""
    try:
        if not is_hashable(password):
            raise ValidationError(
                _("A password may have at most %(limit)s bytes."),
                code="password_too_long",
                params={"limit": digits(MAX_PASSWORD_BYTES)},
            )
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error}) from None
