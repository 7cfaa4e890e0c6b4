"""Pages of a Query or Scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.paginate import Page, paginate, read_page

ITEMS: list[Any] = [{"sk": {"S": str(number)}} for number in range(5)]


def ask(*, Limit: int, ExclusiveStartKey: int = 0) -> dict[str, Any]:  # noqa: N803 - as the API names them
    """Answer as DynamoDB does; its start keys are positions here."""
    end = ExclusiveStartKey + Limit
    following = {"LastEvaluatedKey": end} if end < len(ITEMS) else {}
    return {"Items": ITEMS[ExclusiveStartKey:end], **following}


def test_every_page_is_read_up_to_the_last() -> None:
    pages = list(paginate(ask, {"Limit": 2}))

    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [item for page in pages for item in page.items] == ITEMS
    assert list(map(str, (page.following for page in pages))) == ["2", "4", "None"]


def test_page_is_read_when_it_is_taken() -> None:
    asked: list[int] = []

    def counted(**request: Any) -> dict[str, Any]:
        asked.append(1)
        return ask(**request)

    next(paginate(counted, {"Limit": 2}))

    assert len(asked) == 1


def test_request_may_change_between_pages() -> None:
    request = {"Limit": 1}
    sizes = []
    for page in paginate(ask, request):
        sizes.append(len(page.items))
        request["Limit"] = 4

    assert sizes == [1, 4]


def test_reading_begins_after_the_start_key() -> None:
    assert read_page(ask, {"Limit": 9}, start=3).items == ITEMS[3:]  # type: ignore[arg-type]
    assert [page.items for page in paginate(ask, {"Limit": 9}, start=3)] == [ITEMS[3:]]  # type: ignore[arg-type]


def test_failed_page_is_repeated_without_the_pages_before_it() -> None:
    failures = [False, True, False, False]

    def attempt(call: Callable[[], Page]) -> Page:
        while failures.pop(0):
            pass
        return call()

    assert [len(page.items) for page in paginate(ask, {"Limit": 2}, attempt=attempt)] == [2, 2, 1]


def test_failure_ends_reading_without_retries() -> None:
    def fail(**_: Any) -> Any:
        raise Unavailable

    with pytest.raises(Unavailable):
        next(paginate(fail, {}))
