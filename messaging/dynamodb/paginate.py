"""The pages of a Query or Scan, each with the key where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from .client import translated_errors
from .codec import Item


class Page(NamedTuple):
    """The items of one answer, before or after a filter."""

    items: list[Item]
    following: Mapping[str, Any] | None
    """The start key of the next page; None at the end."""


Ask = Callable[..., Any]
"""A client's `query` or `scan`."""
Attempt = Callable[[Callable[[], Page]], Page]
"""Calls a function once, or with retries: `retry.with_retries`."""


def once(call: Callable[[], Page]) -> Page:
    return call()


def read_page(ask: Ask, request: Mapping[str, Any], start: Mapping[str, Any] | None = None) -> Page:
    """Read the page that begins after the key `start`, or the first one. 1 call. Raises Unavailable."""
    with translated_errors():
        answer = ask(**request, **({"ExclusiveStartKey": start} if start else {}))
    return Page(answer["Items"], answer.get("LastEvaluatedKey"))


def paginate(
    ask: Ask, request: Mapping[str, Any], *, start: Mapping[str, Any] | None = None, attempt: Attempt = once
) -> Iterator[Page]:
    """Yield the pages from `start` to the end, each read when it is taken. 1 call a page, made by `attempt`.

    The caller may change `request` between two pages. Raises Unavailable.
    """
    while True:
        page = attempt(partial(read_page, ask, request, start))
        yield page
        if page.following is None:
            return
        start = page.following
