"""Find people by typed handles, and suggest similar handles."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from cruddur.problem import Problem

from .models import User
from .people import person_by_handle
from .search import people_matching, ranked
from .search_index import plain

SUGGESTIONS = 3
BEGINNING = 2
"""Leading letters that a mistyped handle is assumed to have right."""
CANDIDATES = 1000
"""Maximum number of handles compared with a mistyped one; takes 20 ms."""


class NobodyCalled(Problem):
    """No person has this handle. The message suggests similar ones, if there are any."""


def person_meant(handle: str) -> User:
    """Return the person with this handle, also inactive ones. Case and a leading @ are ignored.

    One SQL statement. Raises NobodyCalled, after two more.
    """
    bare = handle.strip().removeprefix("@")
    # Python decodes invalid UTF-8 in arguments as surrogates, which Postgres rejects.
    person = person_by_handle(bare) if bare.isprintable() else None
    if person:
        return person
    near = near_handles(bare) if bare.isprintable() else []
    maybe = f" Did you mean {' or '.join(f'@{each}' for each in near)}?" if near else ""
    raise NobodyCalled(f"Nobody is called @{ascii(bare)[1:-1] if not bare.isprintable() else bare}.{maybe}")


def near_handles(handle: str) -> Sequence[str]:
    """Return handles of active people with this name or handle, else similarly spelled ones; closest first."""
    words = plain(handle).split()
    if not words:
        return []
    found = ranked(people_matching(words), words).values_list("handle", flat=True)[:SUGGESTIONS]
    if found:
        return list(found)
    begin_so = people_matching([f" {words[0][:BEGINNING]}"]).order_by("handle")
    by_plain = {plain(each): each for each in begin_so.values_list("handle", flat=True)[:CANDIDATES]}
    return [by_plain[each] for each in get_close_matches(words[0], by_plain, SUGGESTIONS)]
