"""People, the devices they are logged in on, failed log-ins, and who is online.

Nothing but `accounts.actions` (and `accounts.presence`, for its leases) writes these.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from chatservice.mongo.indexes import TTLIndex
from chatservice.mongo.models import Document
from chatservice.timestamps import now

from . import names

TAKEN = {"email": "Email already registered", "username": "Username already registered"}
"""What clients of the contract compare with, letter for letter: never translated."""


class KeyField(models.CharField):
    """Keeps the key (`names.key_of`) of another field of the same document, at every save."""

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        kwargs.setdefault("max_length", names.KEY_LENGTH)
        kwargs |= {"unique": True, "blank": True, "editable": False}
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["unique"], kwargs["blank"], kwargs["editable"]
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = names.key_of(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, key)
        return key


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this e-mail address, however it is spelled. Raises User.DoesNotExist."""
        return self.get(email_key=names.key_of(username or ""))

    def get_by_name(self, name: str) -> "User":
        """The user with this e-mail address or, if there is none, this user name.

        Raises User.DoesNotExist.
        """
        key = names.key_of(name)
        user = self.filter(email_key=key).first() or self.filter(username_key=key).first()
        if user is None:
            raise self.model.DoesNotExist
        return user

    def check_free(self, *, email: str | None = None, username: str | None = None) -> None:
        """Raise ValidationError, code `taken`, that names what is in use: the e-mail first.

        What is None is not looked at.
        """
        given = {"email": email, "username": username}
        keys = {f"{name}_key": names.key_of(text) for name, text in given.items() if text}
        # One query: between two, a sign-up that takes both would be seen by its user name alone.
        either = [models.Q((field, key)) for field, key in keys.items()]
        owners = list(self.filter(reduce(or_, either))) if either else []
        taken = {
            name: ValidationError(TAKEN[name], code="taken")
            for name in given
            for owner in owners
            if getattr(owner, f"{name}_key") == keys.get(f"{name}_key")
        }
        if taken:
            raise ValidationError(taken)

    def create_user(
        self, email: str, username: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Store a new person and return it; without a password, nobody can log in as them.

        Raises ValidationError naming the fields: what is invalid, or (code `taken`) in use. The
        password is taken as it is: whoever asks people for one validates it.
        """
        user = self.model(email=email, username=username, **fields)
        user.clean_fields(exclude=["password"])
        user.clean()
        self.check_free(email=email, username=username)  # before the costly hash
        user.set_password(password)
        try:
            user.save(using=self._db, force_insert=True)
        except IntegrityError:
            # Another sign-up came between the look and the insert: the unique index has decided,
            # and looking again says which of the two names was lost, in the promised order.
            self.check_free(email=email, username=username)
            raise
        return user

    def create_superuser(
        self, email: str, username: str, password: str | None = None, **fields: Any
    ) -> "User":
        """`create_user` for somebody who may do everything."""
        return self.create_user(
            email, username, password, **{**fields, "is_staff": True, "is_superuser": True}
        )


class User(Document, AbstractBaseUser, PermissionsMixin):
    """Somebody with an account. Never deleted, only deactivated: what they wrote keeps its sender.

    The e-mail address never changes either; tokens and the log of rooms name people by it.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Notifications(models.TextChoices):
        ON = "on", _("Of every message")
        MENTIONS = "mentions", _("Only when I am mentioned")
        OFF = "off", _("Never")

    email = models.EmailField(_("e-mail address"), max_length=names.EMAIL_LENGTH, unique=True)
    email_key = KeyField(of="email")
    username = models.CharField(
        _("user name"),
        max_length=names.USERNAME_LENGTH,
        validators=[names.validate_username],
    )
    username_key = KeyField(of="username")
    full_name = models.CharField(
        _("full name"),
        max_length=names.FULL_NAME_LENGTH,
        blank=True,
        default="",
        validators=[names.validate_full_name],
    )
    language = models.CharField(
        _("language"),
        max_length=12,
        blank=True,
        default="",
        choices=settings.LANGUAGES,
        help_text=_("Empty: whichever the browser asks for."),
    )
    theme = models.CharField(
        _("appearance"), max_length=8, choices=Theme, default=Theme.SYSTEM.value
    )
    enter_sends = models.BooleanField(
        _("Enter sends"),
        default=True,
        help_text=_("And Shift with Enter begins a new line; otherwise the other way round."),
    )
    notifications = models.CharField(
        _("notifications"),
        max_length=8,
        choices=Notifications,
        default=Notifications.ON.value,
        help_text=_("Of which messages the browser tells while the chat is out of sight."),
    )
    avatar_version = models.CharField(
        _("picture"), max_length=16, blank=True, default="", editable=False
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Deactivate people instead of deleting them: what they wrote keeps its sender, "
            "and every device of theirs is logged out at once."
        ),
    )
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May log in to these administration pages.")
    )
    created_at = models.DateTimeField(_("signed up"), default=now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["username"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["email_key"]

    def __str__(self) -> str:
        return self.email

    @property
    def avatar_url(self) -> str | None:
        """Where the person's picture is, root-relative; another address with every change."""
        if not self.avatar_version:
            return None
        return f"/auth/users/{self.pk}/avatar?v={self.avatar_version}"

    def clean(self) -> None:
        """Raise ValidationError for a user name that could be taken for another's e-mail."""
        try:
            names.validate_username_for(self.username, self.email)
        except ValidationError as error:
            raise ValidationError({"username": error}) from None


class Avatar(Document):
    """The picture of a person, small and made anew; see `accounts.avatars`. Never changed."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    version = models.CharField(max_length=16, unique=True)
    content = models.BinaryField()
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return f"{self.user_id} · {self.version}"


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self) -> "SessionQuerySet":
        """Those that still let their device in."""
        return self.filter(ended_at=None, expires_at__gt=now())

    def visible_to(self, user: User) -> "SessionQuerySet":
        """A person's own log-ins that are still live."""
        return self.live().filter(user=user)


class Session(Document):
    """One log-in on one device. Every token and every web cookie names its session.

    Ending the session is the one way of taking back all that was issued for it.
    """

    user = models.ForeignKey(
        User, models.CASCADE, related_name="sessions", db_index=False, verbose_name=_("person")
    )
    created_at = models.DateTimeField(_("logged in"), default=now, editable=False)
    last_used_at = models.DateTimeField(
        _("last used"),
        default=now,
        editable=False,
        help_text=_("When the device last logged in, renewed its tokens or opened a page."),
    )
    user_agent = models.CharField(_("program"), max_length=256, blank=True, default="")
    address = models.CharField(_("address"), max_length=45, blank=True, default="")
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("forgotten"), editable=False)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("log-in")
        verbose_name_plural = _("log-ins")
        ordering = ["-last_used_at"]
        indexes = [
            models.Index(fields=["user", "ended_at"], name="accounts_session_user"),
            TTLIndex(fields=["expires_at"], expire_after_seconds=0, name="accounts_session_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {formats.date_format(self.created_at, 'SHORT_DATETIME_FORMAT')}"


class LoginFailure(Document):
    """How often logging in has failed lately, for one subject; see `accounts.back_off`."""

    class Kind(models.TextChoices):
        ACCOUNT_AND_ADDRESS = "account_and_address", _("an account, from one address")
        ACCOUNT = "account", _("an account, from anywhere")
        ADDRESS = "address", _("an address, for any account")

    kind = models.CharField(_("what is counted"), max_length=24, choices=Kind)
    account = models.CharField(
        _("account"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("A hash of the name that was given, which may have been a password."),
    )
    user = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("person"),
        help_text=_("Who goes by that name, if anybody does."),
    )
    address = models.CharField(_("address"), max_length=45, blank=True, default="")
    failures = models.IntegerField(_("failures"), default=0)
    blocked_until = models.DateTimeField(_("refused until"), null=True, blank=True)
    expires_at = models.DateTimeField(_("forgotten"))

    class Meta:
        verbose_name = _("failed log-in")
        verbose_name_plural = _("failed log-ins")
        ordering = ["-expires_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "address"], name="accounts_loginfailure_subject"
            ),
        ]
        indexes = [
            TTLIndex(
                fields=["expires_at"], expire_after_seconds=0, name="accounts_loginfailure_expiry"
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(filter(None, [self.account[:8], self.address]))


class PresenceLease(Document):
    """That a process has at least one open socket of a person; see `accounts.presence`."""

    process_id = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["process_id", "user"], name="accounts_presencelease_process_user"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "expires_at"], name="accounts_presencelease_user"),
            TTLIndex(
                fields=["expires_at"],
                expire_after_seconds=600,
                name="accounts_presencelease_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.process_id}"
