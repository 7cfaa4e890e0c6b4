"""The forms of moderation."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from users.forms import LinesField

from .models import NOTE_MAX_CHARS, Reason

BIGINT_MAX = 2**63 - 1


class ReportForm(forms.Form):
    """Why a message or a conversation is reported."""

    reason = forms.ChoiceField(
        choices=Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong."), "invalid_choice": _("Choose what is wrong.")},
    )
    # No maxlength: browsers count UTF-16 units, so an emoji counts twice.
    note = LinesField(
        max_length=NOTE_MAX_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"class": "input", "rows": 3, "maxlength": None}),
        error_messages={"max_length": _("This can have %(limit_value)d characters at most.")},
    )


class NoticeForm(forms.Form):
    """The notice that the user has read."""

    notice = forms.IntegerField(min_value=1, max_value=BIGINT_MAX)
