"""Who may do what to whose account. Seeing one's own log-ins is `Session.objects.visible_to`."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from .models import Session, User


def can_manage_user(actor: User, user: User) -> bool:
    """Staff with the permission manage people, but only a superuser manages a superuser."""
    return actor.has_perm("accounts.change_user") and (actor.is_superuser or not user.is_superuser)


def can_deactivate_user(actor: User, user: User) -> bool:
    """Nobody deactivates themselves, so one superuser is always left."""
    return actor != user and can_manage_user(actor, user)


def can_end_session(actor: User, session: Session) -> bool:
    return session.user_id == actor.pk or actor.has_perm("accounts.change_session")


def can_unlock(actor: User) -> bool:
    return actor.has_perm("accounts.delete_loginfailure")


def require(allowed: bool) -> None:
    """Raise PermissionDenied unless allowed."""
    if not allowed:
        raise PermissionDenied(_("You may not do this to this account."))
