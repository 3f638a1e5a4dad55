"""Who may do what to whose account. Seeing one's own log-ins is `Session.objects.visible_to`."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from .models import Session, User

OWN_FIELDS = {"full_name", "language", "theme", "enter_sends", "notifications"}
"""What people change of their own account, apart from its password and picture.

Not the user name: others type it to mention and invite people, and it would be free for somebody
else to be taken for them. Staff can change it.
"""
PROFILE_FIELDS = {"username", "full_name", "language"}
PRIVILEGE_FIELDS = {"is_staff", "is_superuser"}
MANAGED_FIELDS = PROFILE_FIELDS | PRIVILEGE_FIELDS
"""What staff may change of an account, apart from its password and whether it is active."""


def can_manage_user(actor: User, user: User) -> bool:
    """Staff with the permission manage people, but only a superuser manages a superuser."""
    return actor.has_perm("accounts.change_user") and (actor.is_superuser or not user.is_superuser)


def can_grant_privileges(actor: User) -> bool:
    """Who may say who is staff, and what staff may do."""
    return actor.is_superuser


def can_change_fields(actor: User, user: User, fields: Iterable[str]) -> bool:
    """Nobody changes their own privileges, so one superuser is always left."""
    may_grant = can_grant_privileges(actor) and actor != user
    allowed = MANAGED_FIELDS if may_grant else PROFILE_FIELDS
    return can_manage_user(actor, user) and set(fields) <= allowed


def can_deactivate_user(actor: User, user: User) -> bool:
    """Nobody deactivates themselves, so one superuser is always left."""
    return actor != user and can_manage_user(actor, user)


def can_end_sessions(actor: User) -> bool:
    """Whether somebody may end the sessions of others."""
    return actor.has_perm("accounts.change_session")


def can_end_session(actor: User, session: Session) -> bool:
    return session.user_id == actor.pk or can_end_sessions(actor)


def can_unlock(actor: User) -> bool:
    return actor.has_perm("accounts.delete_loginfailure")


def require(allowed: bool) -> None:
    """Raise PermissionDenied unless allowed."""
    if not allowed:
        raise PermissionDenied(_("You may not do this to this account."))
