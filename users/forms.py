"""Forms for people's own profile and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cruddur.text import TextTooLong, is_blank, normalise_text
from cruddur.web.preferences import THEMES, Preferences

from .handles import MESSAGES, validate_handle
from .models import User
from .people import require_free

# Only the type stubs have a type parameter; Django's class takes none at runtime.
if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    ModelFormOfPeople = forms.ModelForm[User]
else:
    ModelFormOfPeople = forms.ModelForm


class ChooseHandleForm(forms.Form):
    """Choose a handle when the first sign-in provided no available one."""

    handle = forms.CharField(
        error_messages={"required": MESSAGES["handle_blank"]},
        widget=forms.TextInput(
            attrs={"class": "input", "autocapitalize": "none", "autocomplete": "username", "spellcheck": "false"}
        ),
    )

    def clean_handle(self) -> str:
        handle = validate_handle(self.cleaned_data["handle"])
        require_free(handle)
        return handle


class LinesField(forms.CharField):
    """Multi-line text of at most `max_length` characters. A line end counts as one character, as it is stored."""

    def to_python(self, value: object) -> str:
        if self.max_length is None:
            raise TypeError("a field of lines has a max_length")
        text = super().to_python(value) or ""
        try:
            return normalise_text(text, at_most=self.max_length)
        except TextTooLong:
            params = {"limit_value": self.max_length, "show_value": len(text)}
            raise ValidationError(self.error_messages["max_length"], code="max_length", params=params) from None


class SettingsForm(ModelFormOfPeople):
    """Edit name and bio. Lengths are in code points, as in Postgres and the browser's `[...text].length`."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["display_name", "bio"]
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"bio": LinesField}
        error_messages: ClassVar[dict[str, dict[str, StrOrPromise]]] = {
            "display_name": {
                "required": _("Enter a name."),
                "max_length": _("A name has %(limit_value)d characters at most."),
            },
            "bio": {"max_length": _("A bio has %(limit_value)d characters at most.")},
        }
        # The browser's maxlength counts UTF-16 units: an emoji counts twice.
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "display_name": forms.TextInput(attrs={"class": "input", "autocomplete": "name", "maxlength": None}),
            "bio": forms.Textarea(attrs={"class": "input", "rows": 3, "maxlength": None}),
        }

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if is_blank(name):
            raise ValidationError(_("Enter a name."), code="display_name_blank")
        return " ".join(name.split())

    def clean_bio(self) -> str:
        bio: str = self.cleaned_data["bio"]
        return "" if is_blank(bio) else bio


class PrivacyForm(ModelFormOfPeople):
    """Choose who may start a conversation."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["may_write"]
        widgets: ClassVar[dict[str, forms.Widget]] = {"may_write": forms.RadioSelect()}


class BrowserForm(forms.Form):
    """Choose the preferences of the current browser."""

    theme = forms.ChoiceField(
        required=False,
        choices=[("", _("System")), ("dark", _("Dark")), ("light", _("Light"))],
        widget=forms.RadioSelect,
    )
    single_keys = forms.BooleanField(
        required=False, widget=forms.CheckboxInput(attrs={"class": "switch", "role": "switch"})
    )

    def preferences(self) -> Preferences:
        """Return the chosen preferences; an unknown theme falls back to the system's."""
        self.full_clean()
        theme = self.cleaned_data.get("theme", "")
        return Preferences(theme=theme if theme in THEMES else "", single_keys=self.cleaned_data["single_keys"])
