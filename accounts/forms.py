"""The forms of the account pages. What may be stored is decided by the actions."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from media_upload.content import INLINE_IMAGES

from . import actions
from .models import User
from .names import EMAIL_LENGTH, FULL_NAME_LENGTH, USERNAME_LENGTH
from .passwords import validate_new_password

LANGUAGE_NAMES = [
    (code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES
]
"""Each in its own language: who cannot read this page finds theirs."""

LONGEST_CREDENTIAL = 10_000
"""Characters of a password that are looked at; too long a one is wrong, and not a form error."""


TAKEN_IN_WORDS = {
    "email": _("This e-mail address has an account already."),
    "username": _("This user name is taken. Please choose another."),
}

NAME_ATTRIBUTES = {
    "autocomplete": "username",
    "autocapitalize": "none",
    "spellcheck": "false",
    "dir": "auto",
}


def password(autocomplete: str, **options: Any) -> forms.CharField:
    """A field for a password, which is taken as it is typed."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(widget=widget, strip=False, max_length=LONGEST_CREDENTIAL, **options)


class AccountForm(forms.Form):
    """A form that leads people to its first mistake."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def refuse(self, error: ValidationError) -> None:
        """Show what an action has to say about the fields."""
        self.add_error(None, error)

    first_field = ""
    """Where a form that was not sent yet, or whose mistake has no field, has the cursor."""

    def lead_to_mistake(self) -> None:
        """Have the cursor in the first field that has something wrong."""
        mistaken = [name for name in self.fields if name in self.errors]
        if name := next(iter(mistaken), self.first_field):
            self.fields[name].widget.attrs["autofocus"] = True


class LogInForm(AccountForm):
    username = forms.CharField(
        label=_("E-mail or user name"),
        max_length=LONGEST_CREDENTIAL,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
    )
    password = password("current-password", label=_("Password"))

    @property
    def first_field(self) -> str:
        """The password, where the name was typed already."""
        return "password" if self.is_bound else "username"


class SignUpForm(AccountForm):
    email = forms.CharField(
        label=_("E-mail address"),
        help_text=_("People invite you by it. It cannot be changed later."),
        max_length=EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "dir": "ltr"}),
    )
    username = forms.CharField(
        label=_("User name"),
        help_text=_("Short and unique, to be known by."),
        max_length=USERNAME_LENGTH,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
    )
    full_name = forms.CharField(
        label=_("Full name"),
        help_text=_("What others see beside your messages. You may leave it empty."),
        max_length=FULL_NAME_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )
    password = password(
        "new-password",
        label=_("Password"),
        help_text=_("At least 8 characters. A few words are easier to remember than one odd one."),
    )

    def clean(self) -> None:
        """Say at once all that is wrong, also while some fields are empty."""
        try:
            actions.check_sign_up(**self.cleaned_data)
        except ValidationError as error:
            self.refuse(error)

    def refuse(self, error: ValidationError) -> None:
        """Show what is wrong; of what is taken, not the contract's words: they are for programs."""
        for field, complaints in error.error_dict.items():
            for complaint in complaints:
                is_taken = complaint.code == "taken"
                self.add_error(field, TAKEN_IN_WORDS[field] if is_taken else complaint)


class ProfileForm(AccountForm):
    full_name = forms.CharField(
        label=_("Full name"),
        help_text=_("What others see beside your messages."),
        max_length=FULL_NAME_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )


class AvatarForm(AccountForm):
    file = forms.FileField(
        label=_("Picture"),
        help_text=_("Its middle is shown to people you share a room with. Nothing else is kept."),
        widget=forms.FileInput(attrs={"accept": ",".join(INLINE_IMAGES)}),
        error_messages={"required": _("Choose an image first.")},
    )


class PreferencesForm(AccountForm):
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As the browser asks")), *LANGUAGE_NAMES],
    )
    theme = forms.ChoiceField(
        label=_("Appearance"), choices=User.Theme.choices, widget=forms.RadioSelect
    )
    enter_sends = forms.TypedChoiceField(
        label=_("The Enter key"),
        choices=[
            ("yes", _("Sends; Shift with Enter begins a new line")),
            ("no", _("Begins a new line; Shift with Enter sends")),
        ],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    notifications = forms.ChoiceField(
        label=_("Notifications"),
        help_text=_("Shown by the browser, if you let it, while the chat is out of sight."),
        choices=User.Notifications.choices,
        widget=forms.RadioSelect,
    )


class PasswordForm(AccountForm):
    old_password = password("current-password", label=_("Present password"))
    new_password = password(
        "new-password",
        label=_("New password"),
        help_text=_("At least 8 characters. All your other devices are logged out."),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        self.person = person
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        """Look at the new password where the action does not: it gets both fields or none."""
        if self.errors and "new_password" in self.cleaned_data:
            try:
                validate_new_password(
                    self.cleaned_data["new_password"], self.person, field="new_password"
                )
            except ValidationError as error:
                self.refuse(error)
