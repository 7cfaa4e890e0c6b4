"""The base class of all admins of the site: query strings may filter only by listed lookups.

Django's own admin accepts any lookup of a field (`?note__icontains=`). Anyone who may open a list could use it to guess
the content of hidden fields letter by letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime

# The type stubs make ModelAdmin generic; the class itself takes no parameter.
if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin

Accepts = Callable[[str], bool]
YEARS = range(2000, 2200)


def one_of(*values: str) -> Accepts:
    """Accept these values."""
    return frozenset(values).__contains__


def text_up_to(chars: int) -> Accepts:
    """Accept text of at most so many characters."""
    return lambda value: len(value) <= chars


def is_moment(value: str) -> bool:
    """Accept a date with a time, as the links of Django's date filter have it, of a year that every part can store."""
    try:
        moment = parse_datetime(value)
    except ValueError:
        return False
    return moment is not None and moment.year in YEARS


class AllowListAdmin(AnyModelAdmin):
    """Refuse (400) every filter that `allowed_lookups` does not list, before a statement is sent to Postgres."""

    allowed_lookups: ClassVar[Mapping[str, Accepts]] = {}
    """Maps each query parameter that may filter to the values that it accepts."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        accepts = self.allowed_lookups.get(lookup)
        return accepts is not None and isinstance(value, str) and accepts(value)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == self.opts.pk.name

    def view_on_site(self, obj: Any) -> str | None:
        """Return the object's own page. Django's default leads through an address that finds any row of any table."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list or do what was chosen.

        Raise BadRequest for a parameter that is not listed, and for a selection that cannot be of this model.
        """
        try:
            for selected in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(selected, None)
            return super().changelist_view(request, extra_context)
        except ValidationError as error:
            raise BadRequest("no such selection") from error
        except (DisallowedModelAdminLookup, DisallowedModelAdminToField) as error:
            # Django would log a stray parameter as an error, with its traceback.
            raise BadRequest(str(error)) from error
