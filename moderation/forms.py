"""The forms of moderation."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from users.forms import LinesField

from .models import NOTE_MAX_CHARS, Reason

BIGINT_MAX = 2**63 - 1


class ReportForm(forms.Form):
    """What is wrong with a message or a conversation."""

    reason = forms.ChoiceField(
        choices=Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong."), "invalid_choice": _("Choose what is wrong.")},
    )
    # The browser's maxlength counts UTF-16: an emoji twice.
    note = LinesField(
        max_length=NOTE_MAX_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"class": "input", "rows": 3, "maxlength": None}),
        error_messages={"max_length": _("This can have %(limit_value)d characters at most.")},
    )


class NoticeForm(forms.Form):
    """The notice that somebody has read."""

    notice = forms.IntegerField(min_value=1, max_value=BIGINT_MAX)
