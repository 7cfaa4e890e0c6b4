"""The form of a message."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cruddur.text import TextTooLong, normalise_text
from messaging.domain.text import MESSAGE_MAX_CHARS, problem_with
from messaging.domain.timestamps import parse_created_at

FORM_INCOMPLETE = "form_incomplete"


def message_error(code: str, *, over: int = 0) -> str:
    """Say what is wrong with a text and what to do, for an error code of a message; `over`: characters too many."""
    if code == "message_exceed_max_chars":
        problem = ngettext(
            "%(over)s character too many. Shorten it to send it.",
            "%(over)s characters too many. Shorten it to send it.",
            over,
        )
        return problem % {"over": number_format(over, force_grouping=True)}
    return _("There is nothing to send yet. Write something first.")


class TextForm(forms.Form):
    """The text of a message. Error codes: message_blank, message_exceed_max_chars."""

    message = forms.CharField(required=False, strip=False)

    def clean_message(self) -> str:
        try:
            text = normalise_text(self.cleaned_data["message"], at_most=MESSAGE_MAX_CHARS)
        except TextTooLong as too_long:
            code = "message_exceed_max_chars"
            raise ValidationError(message_error(code, over=too_long.over), code=code) from None
        if problem := problem_with(text):
            raise ValidationError(message_error(problem, over=len(text) - MESSAGE_MAX_CHARS), code=problem)
        return text


class MessageForm(TextForm):
    """A message as a page posts it: the text, the uuid that makes a repeat a repeat, and what the page knew.

    Error codes: message_blank, message_exceed_max_chars; form_incomplete when the page's own fields are not as it
    wrote them.
    """

    message_uuid = forms.UUIDField(error_messages={"required": FORM_INCOMPLETE, "invalid": FORM_INCOMPLETE})
    after = forms.CharField(required=False)
    """created_at of the newest message the page knew when it was given the uuid; "" for none."""

    def clean_after(self) -> str:
        after: str = self.cleaned_data["after"]
        try:
            return after and parse_created_at(after) and after  # type: ignore[return-value]
        except ValueError as error:
            raise ValidationError(FORM_INCOMPLETE, code=FORM_INCOMPLETE) from error

    @property
    def incomplete(self) -> bool:
        """Whether the fields that the page writes itself are unusable, so that it has to write them anew."""
        return bool({"message_uuid", "after"} & self.errors.keys())

    @property
    def error_code(self) -> str:
        """The code of what is wrong, the text's first."""
        codes = self.errors.as_data()
        return (codes["message"][0].code or "") if "message" in codes else FORM_INCOMPLETE

    @property
    def error_text(self) -> str:
        """What is wrong and what to do, in a sentence or two."""
        if "message" in self.errors:
            return str(self.errors["message"][0])
        return _("This form was incomplete. What you wrote is kept: send it again.")
