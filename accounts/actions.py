"""Every change to people and their log-ins, and the only place that cuts their sockets.

Synchronous. What they raise: `ValidationError` with the fields named, `PermissionDenied`, and,
where the contract fixes the status, `AlreadyRegistered` (400), `IncorrectCredentials` and
`InvalidToken` (401), `back_off.TooManyFailures` (429).

An account changes first and its sessions end afterwards. `open_session` relies on that order.
"""

from collections.abc import Iterable
from copy import copy
from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import APIException, AuthenticationFailed

from chatservice import limits, realtime
from chatservice.complaints import Complaints
from chatservice.mongo.client import database
from chatservice.realtime.loop import run
from chatservice.timestamps import now

from . import acquaintances, avatars, back_off, events, hot_path, policies, tokens
from .addresses import network_of
from .models import TAKEN, LoginFailure, Session, User
from .passwords import is_hashable, validate_new_password

USE_INTERVAL = timedelta(minutes=10)
"""A page that is opened sooner after another one is not noted."""


class AlreadyRegistered(APIException):
    """The e-mail address or the user name is in use; `detail` says which."""

    status_code = 400


class IncorrectCredentials(AuthenticationFailed):
    """No such account, a wrong password, or a deactivated account: nobody learns which."""

    default_detail = "Incorrect email or password"  # the contract's own words


class InvalidToken(AuthenticationFailed):
    """A refresh token that is none, has ended, has been used, or whose session has ended."""

    default_detail = "Could not validate credentials"  # the contract's own words


# Signing up


@sensitive_variables("password")
def sign_up(
    *, email: str, username: str, password: str, full_name: str = "", language: str = ""
) -> User:
    """Store a new person and return it.

    Raises ValidationError as `check_sign_up` does; but AlreadyRegistered where all that is wrong is
    that something is taken: the e-mail address goes before the user name, also when sign-ups race.
    """
    try:
        check_sign_up(email=email, username=username, password=password, full_name=full_name)
        return User.objects.create_user(
            email, username, password, full_name=full_name, language=language
        )
    except ValidationError as error:
        complaints = [each for of_field in error.error_dict.values() for each in of_field]
        if all(complaint.code == "taken" for complaint in complaints):
            raise AlreadyRegistered(complaints[0].message) from None
        raise


@sensitive_variables("password")
def check_sign_up(*, password: str | None = None, **fields: str) -> None:
    """Raise ValidationError that names all that is wrong with the fields of a new account.

    `fields` are of `email`, `username` and `full_name`; what is left out is not looked at. What is
    in use comes last, with the code `taken` and the contract's words.
    """
    person = User(**fields)
    complaints = Complaints()
    with complaints.gathered():
        person.clean_fields(exclude={field.name for field in User._meta.fields} - fields.keys())
    with complaints.gathered():
        if {"email", "username"} <= fields.keys():
            person.clean()
    with complaints.gathered():
        if password is not None:
            validate_new_password(password, person)
    with complaints.gathered():
        User.objects.check_free(email=fields.get("email"), username=fields.get("username"))
    complaints.raise_all()


# Logging in


@sensitive_variables("password")
def log_in(*, name: str, password: str, address: str = "", user_agent: str = "") -> Session:
    """Open a session on a new device for who goes by `name` (e-mail or user name).

    Raises IncorrectCredentials or TooManyFailures.
    """
    user = check_credentials(name=name, password=password, address=address)
    return open_session(user=user, address=address, user_agent=user_agent)


@sensitive_variables("password")
def check_credentials(*, name: str, password: str, address: str = "") -> User:
    """The active person with this name and password. Raises as `log_in` does.

    An unknown name costs the same work as a known one, so that the time of the answer does not
    tell them apart.
    """
    try:
        user = User.objects.get_by_name(name)
    except User.DoesNotExist:
        user = None
    network = network_of(address)
    # For nobody, too: the question itself takes time.
    is_usual = network in _usual_networks(user.pk if user else ObjectId())
    counted = back_off.count_attempt(
        name=name, network=network, is_usual=is_usual, user_id=user.pk if user else None
    )
    if not is_hashable(password):
        raise IncorrectCredentials
    if user is None:
        User().set_password(password)
        raise IncorrectCredentials
    if not user.check_password(password) or not user.is_active:
        raise IncorrectCredentials
    back_off.forgive(counted)
    return user


def open_session(
    *,
    user: User,
    address: str = "",
    user_agent: str = "",
    lifetime: timedelta = tokens.REFRESH_LIFETIME,
) -> Session:
    """Note that a person has shown their password on a device, and return the session.

    It is forgotten `lifetime` after its last renewal. Raises IncorrectCredentials if the password
    was changed, or the account deactivated, since `user` was read.
    """
    moment = now()
    session = Session.objects.create(
        user=user,
        created_at=moment,
        last_used_at=moment,
        address=address,
        user_agent=user_agent,
        expires_at=moment + lifetime,
    )
    # A change of password ends all sessions after it has stored the new one. So either it has seen
    # this session and ended it, or the old hash is no longer there to be found.
    unchanged = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
    if not unchanged.update(last_login=moment):
        _end_sessions(user.pk, [session.pk])
        raise IncorrectCredentials
    user.last_login = moment
    return session


def note_use(*, session_id: ObjectId) -> None:
    """Note that a browser is in use, once in a while: people look which of their devices is."""
    moment = now()
    database()[Session._meta.db_table].update_one(
        {"_id": session_id, "ended_at": None, "last_used_at": {"$lt": moment - USE_INTERVAL}},
        {"$set": {"last_used_at": moment}},
    )


def refresh_tokens(*, refresh_token: object) -> dict[str, Any]:
    """A new pair of tokens, as `tokens.issue` gives it, for a refresh token, which is then spent.

    Raises InvalidToken. A spent token that comes again was stolen, from the device or by it: its
    session ends. One of two refreshes that overlap in time just loses.
    """
    started = now()
    token = tokens.read(tokens.RefreshToken, refresh_token)
    claims = tokens.claims_of(token) if token else None
    if not token or not claims or not hot_path.is_live(claims.session_id, claims.user_id):
        raise InvalidToken
    spent, is_first = token.spend()
    if not is_first:
        if spent.blacklisted_at < started:
            _end_sessions(claims.user_id, [claims.session_id])
        raise InvalidToken
    moment = now()
    live = Session.objects.filter(pk=claims.session_id, ended_at=None)
    if not live.update(last_used_at=moment, expires_at=moment + tokens.REFRESH_LIFETIME):
        raise InvalidToken
    return tokens.issue(Session.objects.select_related("user").get(pk=claims.session_id))


# Logging out


def log_out(*, actor: User, session_id: ObjectId) -> None:
    """End one session of a person's own, and cut its sockets. Ending it again changes nothing."""
    own = Session.objects.filter(user=actor, pk=session_id).first()
    if own is not None:
        end_session(actor=actor, session=own)


def end_session(*, actor: User, session: Session) -> None:
    """End a session, of one's own or as staff, and cut its sockets. Raises PermissionDenied."""
    policies.require(policies.can_end_session(actor, session))
    _end_sessions(session.user_id, [session.pk])


def log_out_elsewhere(*, actor: User, session_id: ObjectId) -> None:
    """End every session of a person's own but this one, and cut their sockets."""
    others = Session.objects.filter(user=actor, ended_at=None).exclude(pk=session_id)
    _end_sessions(actor.pk, list(others.values_list("pk", flat=True)))


def log_out_everywhere(*, actor: User) -> None:
    """End every session of a person's own, and cut all their sockets."""
    _end_sessions(actor.pk)


# Changing an account


@sensitive_variables("old_password", "new_password")
def change_password(
    *, actor: User, old_password: str, new_password: str, address: str = "", user_agent: str = ""
) -> Session:
    """Give a person a new password, end all their sessions, and return a new one for this device.

    Raises ValidationError (`old_password`, `new_password`) and TooManyFailures: who has stolen a
    token gets no more guesses here than at the log-in.
    """
    complaints = Complaints()
    with complaints.gathered():
        user = _confirmed(actor, old_password, address)
    with complaints.gathered():
        validate_new_password(new_password, actor, field="new_password")
    complaints.raise_all()
    _set_password(user, new_password)
    return open_session(user=user, address=address, user_agent=user_agent)


def _confirmed(actor: User, password: str, address: str) -> User:
    """The person as they are now. Raises ValidationError unless this is their password."""
    try:
        return check_credentials(name=actor.email, password=password, address=address)
    except IncorrectCredentials:
        raise ValidationError(
            {"old_password": ValidationError(_("This is not your password."), code="incorrect")}
        ) from None


@sensitive_variables("password")
def reset_password(*, actor: User, user: User, password: str | None) -> None:
    """Give somebody a new password, as staff, or none at all, and end all their sessions.

    Raises PermissionDenied, and ValidationError (`password`).
    """
    policies.require(policies.can_manage_user(actor, user))
    if password is not None:
        validate_new_password(password, user)
    _set_password(user, password)


def change_profile(*, actor: User, **changes: Any) -> User:
    """Change a person's own profile and settings, and return them. Raises ValidationError.

    `changes` are of `policies.OWN_FIELDS`.
    """
    policies.require(changes.keys() <= policies.OWN_FIELDS)
    person = copy(actor)  # what is refused must not show as the actor's
    for field, value in changes.items():
        setattr(person, field, value)
    person.clean_fields(exclude={field.name for field in User._meta.fields} - changes.keys())
    if changes:
        User.objects.filter(pk=person.pk).update(**changes)
    if person.full_name != actor.full_name:
        _tell_of_profile(person)
    return person


def change_avatar(*, actor: User, file: "File[bytes]") -> User:
    """Make what an image file shows a person's own picture, and return them.

    Raises ValidationError (`file`) for what is no image, and limits.TooMany.
    """
    limits.take(limits.UPLOADS, actor.pk)
    actor.avatar_version = avatars.replace(actor.pk, avatars.picture_from(file))
    _tell_of_profile(actor)
    return actor


def remove_avatar(*, actor: User) -> User:
    """Have no picture any more; the person is returned. Removing none changes nothing."""
    if actor.avatar_version:
        actor.avatar_version = avatars.replace(actor.pk, None)
        _tell_of_profile(actor)
    return actor


def change_user(*, actor: User, user: User, **changes: Any) -> User:
    """Change fields of somebody's account, as staff, and return it.

    `changes` are of `policies.MANAGED_FIELDS`. Raises PermissionDenied, ValidationError, and
    AlreadyRegistered for a user name in use.
    """
    policies.require(policies.can_change_fields(actor, user, changes.keys()))
    for field, value in changes.items():
        setattr(user, field, value)
    user.clean_fields(exclude=["password"])
    user.clean()
    # `username_key` follows the user name when it is saved.
    fields = [*changes, "username_key"] if "username" in changes else list(changes)
    try:
        user.save(update_fields=fields)
    except IntegrityError:
        raise AlreadyRegistered(TAKEN["username"]) from None
    if changes.keys() & {"full_name", "username"}:
        _tell_of_profile(user)
    return user


def deactivate_user(*, actor: User, user: User) -> None:
    """Shut somebody out, as staff: every session ends and no new one begins.

    Raises PermissionDenied.
    """
    policies.require(policies.can_deactivate_user(actor, user))
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    _end_sessions(user.pk)


def reactivate_user(*, actor: User, user: User) -> None:
    """Let somebody in again, as staff. Their ended sessions stay ended. Raises PermissionDenied."""
    policies.require(policies.can_manage_user(actor, user))
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = True


def unlock(*, name: str) -> int:
    """Forget the failed log-ins of an account (e-mail or user name) or an address.

    Returns how many counts were dropped. For the operator's shell.
    """
    try:
        user = User.objects.get_by_name(name)
    except User.DoesNotExist:
        return back_off.forget(name=name)
    return sum(back_off.forget(name=each) for each in {user.email_key, user.username_key})


def forget_failures(*, actor: User, failures: Iterable[LoginFailure]) -> int:
    """Forget, as staff, all counts of the accounts and addresses that these are about.

    Returns of how many subjects. Raises PermissionDenied.
    """
    policies.require(policies.can_unlock(actor))
    people = {failure.user for failure in failures if failure.user}
    for user in people:
        unlock(name=user.email)
    nobodys = {
        (("account", failure.account) if failure.account else ("address", failure.address))
        for failure in failures
        if not failure.user
    }
    for field, value in nobodys:
        back_off.forget_counts(**{field: value})
    return len(people) + len(nobodys)


def _tell_of_profile(user: User) -> None:
    """Tell the devices of all who see somebody, and their own, how they are shown from now on."""
    event = realtime.Event("profile", partial(events.profile, user), protocol=2)
    to = run(acquaintances.of(user.pk)) | {user.pk}
    run(realtime.publish(event, to=to))


def _usual_networks(user_id: ObjectId) -> set[str]:
    """Where somebody has logged in from, as far as their sessions are remembered."""
    sessions = Session.objects.filter(user_id=user_id).order_by()
    addresses = sessions.values_list("address", flat=True).distinct()
    return {network_of(address) for address in addresses if address}


def _set_password(user: User, password: str | None) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    _end_sessions(user.pk)


def _end_sessions(user_id: ObjectId, session_ids: Iterable[ObjectId] | None = None) -> None:
    """End all of somebody's sessions, or some: in the database first, then their sockets."""
    sessions = Session.objects.filter(user_id=user_id, ended_at=None)
    if session_ids is not None:
        sessions = sessions.filter(pk__in=list(session_ids))
    sessions.update(ended_at=now())
    realtime.end_sessions(user_id=user_id, session_ids=session_ids)
