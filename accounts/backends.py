"""Django's own log-in forms (the admin's, the pages'), led to the actions."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from . import actions
from .addresses import client_address
from .back_off import TooManyFailures
from .models import User


class AccountBackend(ModelBackend):
    """Passwords by `actions.check_credentials`; permissions as Django keeps them."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The person, or None. A wait is a ValidationError, which a form shows as it is."""
        name = username or credentials.get(User.USERNAME_FIELD)
        if not name or not password:
            return None
        try:
            return actions.check_credentials(
                name=name, password=password, address=client_address(request)
            )
        except actions.IncorrectCredentials:
            return None
        except TooManyFailures as refusal:
            raise ValidationError(str(refusal.detail), code="throttled") from None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The same: Django's own would look at the password without counting the attempt."""
        return await sync_to_async(self.authenticate)(request, username, password, **credentials)
