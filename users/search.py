"""Search people by name or handle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from cruddur.text import is_too_long

from .handles import skeleton
from .models import User
from .search_index import plain

PEOPLE_PER_PAGE = 20
QUERY_MAX_WORDS = 8
QUERY_MAX_CHARS = 100
"""Maximum characters of a query: more than a name and a handle have together."""


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of results; pages are numbered from 1."""

    people: Sequence[User]
    number: int
    total: int
    """Number of results on all pages."""

    @property
    def has_next(self) -> bool:
        return self.number * PEOPLE_PER_PAGE < self.total

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def find_people(*, query: str, exclude: User, page: int) -> PeoplePage:
    """Find active people but `exclude` whose name or handle contains every word of the query, in any order.

    An exact handle comes first, then names and handles with words that begin with the query, then by name. A blank
    query, or one of more than `QUERY_MAX_CHARS`, finds nobody. A page beyond the last returns the last. At most two
    SQL statements.
    """
    if is_too_long(query, at_most=QUERY_MAX_CHARS):
        return PeoplePage(people=(), number=1, total=0)
    words = plain(query.strip().removeprefix("@")).split()[:QUERY_MAX_WORDS]
    if not words:
        return PeoplePage(people=(), number=1, total=0)
    found = people_matching(words).exclude(pk=exclude.pk)
    total = found.count()
    number = min(max(page, 1), max(1, -(-total // PEOPLE_PER_PAGE)))
    if not total:
        return PeoplePage(people=(), number=1, total=0)
    first = (number - 1) * PEOPLE_PER_PAGE
    people = ranked(found, words)[first : first + PEOPLE_PER_PAGE]
    return PeoplePage(people=list(people), number=number, total=total)


def people_matching(words: Sequence[str]) -> QuerySet[User]:
    # "contains" escapes % and _ for LIKE.
    return User.objects.filter(*(Q(search_text__contains=word) for word in words), is_active=True)


def ranked(people: QuerySet[User], words: Sequence[str]) -> QuerySet[User]:
    all_begin_so = Q(*(Q(search_text__contains=f" {word}") for word in words))
    rank = Case(
        When(handle_skeleton=skeleton(" ".join(words)), then=Value(0)),
        When(all_begin_so, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return people.order_by(rank, "display_name", "handle")
