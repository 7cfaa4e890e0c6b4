"""The forms of the admin's own pages."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.domain.entities import pair_group_uuid
from moderation.models import REASON_MAX_CHARS, Verdict
from users.models import User
from users.people import person_by_handle

REASON_MIN_CHARS = 10


def lines(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "cols": 60})


class DecisionForm(forms.Form):
    """The decision about a report."""

    verdict = forms.ChoiceField(label=_("Decision"), choices=Verdict.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX_CHARS,
        widget=lines(),
        help_text=_("For the record: moderators and administrators read it."),
    )
    text = forms.CharField(
        label=_("Words to the person"),
        max_length=REASON_MAX_CHARS,
        required=False,
        widget=lines(),
        help_text=_("With a warning: shown on their next page until they acknowledge it. Do not name who reported."),
    )

    def __init__(self, *arguments: Any, of_message: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not of_message:
            verdict = cast("forms.ChoiceField", self.fields["verdict"])
            verdict.choices = [each for each in Verdict.choices if each[0] != Verdict.DELETE_MESSAGE]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("verdict") == Verdict.WARN and not found.get("text") and "text" not in self.errors:
            self.add_error("text", _("Write what the person is to read."))
        return found


class StatedReasonForm(forms.Form):
    """Why a moderator has to read more of a conversation."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=REASON_MIN_CHARS,
        max_length=REASON_MAX_CHARS,
        widget=lines(),
        help_text=_("At least 10 characters. It stands in the audit log before anything is shown."),
    )


class ReasonForm(StatedReasonForm):
    """The two users whose conversation an administrator wants to read, and the reason."""

    one = forms.CharField(label=_("Handle"), max_length=64)
    other = forms.CharField(label=_("The other's handle"), max_length=64)
    field_order = ("one", "other", "reason")

    def clean_one(self) -> User:
        return self._person("one")

    def clean_other(self) -> User:
        return self._person("other")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "one" in found and found.get("one") == found.get("other"):
            self.add_error("other", _("These are the same person."))
        elif "one" in found and "other" in found:
            found["group_uuid"] = pair_group_uuid(found["one"].uuid, found["other"].uuid)
        return found

    def _person(self, name: str) -> User:
        person = person_by_handle(str(self.cleaned_data[name]).strip().removeprefix("@"))
        if person is None:
            raise forms.ValidationError(_("Nobody here has this handle."))
        return person
