"""The two tokens a log-in is answered with. Both are JSON Web Tokens and name their session.

| claim | value |
| --- | --- |
| `sub` | the person's e-mail address |
| `uid`, `sid` | the ids of the person and of the session, 24 hex digits each |
| `token_type` | `access` or `refresh`; one is never taken for the other |
| `iat`, `exp`, `jti` | when it was made and when it ends (seconds since 1970), and its own id |
"""

import time
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from bson import ObjectId
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from .models import Session

LONGEST = 4_096
"""Characters. Ours have some 400; more is not worth taking apart."""

REMEMBERED = 4_096
"""Access tokens that are known to be ours, the last ones seen."""

ACCESS_LIFETIME: timedelta = api_settings.ACCESS_TOKEN_LIFETIME
REFRESH_LIFETIME: timedelta = api_settings.REFRESH_TOKEN_LIFETIME


class AccessToken(tokens.AccessToken):
    """What a device shows with every request."""


class RefreshToken(tokens.RefreshToken):
    """What a device gets its next pair of tokens with, once."""

    access_token_class = AccessToken

    def check_blacklist(self) -> None:
        """Nothing here: `spend` decides, and there re-use has consequences."""

    def spend(self) -> tuple[BlacklistedToken, bool]:
        """Put it on the blacklist; return its entry, and whether it was not there before.

        A unique index lets one of those who try at the same time be the first.
        """
        return self.blacklist()  # type: ignore[return-value]  # a pair, unlike its annotation


AnyToken = TypeVar("AnyToken", AccessToken, RefreshToken)


class Claims(NamedTuple):
    """What a token says, once its signature, its end and its type have been checked."""

    user_id: ObjectId
    session_id: ObjectId
    exp: int


def issue(session: Session) -> dict[str, Any]:
    """A new pair of tokens for a session, as the answer to a log-in. `expires_in` is in seconds."""
    refresh = RefreshToken()
    refresh["sub"] = session.user.email
    refresh["uid"] = str(session.user_id)
    refresh["sid"] = str(session.pk)
    return {
        "access_token": str(refresh.access_token),
        "token_type": "bearer",
        "refresh_token": str(refresh),
        "expires_in": int(ACCESS_LIFETIME.total_seconds()),
    }


def access_claims(raw: object) -> Claims | None:
    """What a live access token of our making says; None for anything else.

    Whether it has ended is looked at each time. That its signature is right does not change, and is
    remembered: checking it takes longer than all else that is done to find out who calls.
    """
    if not isinstance(raw, str):
        return None
    try:
        claims = _checked_claims(raw)
    except TokenError:
        return None
    return claims if claims.exp > time.time() else None


@lru_cache(maxsize=REMEMBERED)
def _checked_claims(raw: str) -> Claims:
    """Raises TokenError, of which nothing is remembered: anybody may send anything."""
    token = read(AccessToken, raw)
    claims = claims_of(token) if token else None
    if claims is None:
        raise TokenError
    return claims


def read(kind: type[AnyToken], raw: object) -> AnyToken | None:
    """`raw` as a token of this kind; None for anything that is not a live token of our making.

    SimpleJWT checks the signature with our key and the configured algorithm only, whatever the
    token's header asks for, and that there are an end that has not passed, an id and this type.
    """
    if not isinstance(raw, str) or not raw.isascii() or len(raw) > LONGEST:
        return None
    try:
        return kind(raw)  # type: ignore[arg-type]  # text, whatever SimpleJWT's annotation says
    except TokenError:
        return None


def claims_of(token: tokens.Token) -> Claims | None:
    """Whom and which session a checked token names; None if it does not name them."""
    user_id, session_id = token.get("uid"), token.get("sid")
    for name in (user_id, session_id):
        if not isinstance(name, str) or not ObjectId.is_valid(name):
            return None
    return Claims(ObjectId(user_id), ObjectId(session_id), int(token["exp"]))
