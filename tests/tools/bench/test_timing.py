"""Subjects take turns, and what is said of them follows from their times."""

import pytest

from tools.bench.bare import BARE_PAGE
from tools.bench.growth_figures import Sized, base
from tools.bench.growth_figures import figures as growth_figures
from tools.bench.pages import PAGES
from tools.bench.pages import figures as page_figures
from tools.bench.timing import Ask, Subject, at, measure, together


def subject(name: str, *times: float) -> Subject:
    return Subject(name, lambda number: lambda: 0.0, times=list(times))


def test_every_round_takes_every_subject_in_turn_and_begins_with_another_one() -> None:
    asked: list[str] = []

    def named(name: str) -> Subject:
        def ask() -> float:
            asked.append(name)
            return 0.001

        return Subject(name, lambda number: ask)

    subjects = [named("a"), named("b"), named("c")]
    measure(subjects, clients=1, rounds=2, each=2, warm_up=1)

    assert "".join(asked) == "abc" + "aabbcc" + "bbccaa"
    assert [each.times for each in subjects] == [[1.0] * 4] * 3


def test_each_client_has_what_it_asks_with_to_itself() -> None:
    numbers: list[int] = []

    def client(number: int) -> Ask:
        def ask() -> float:
            numbers.append(number)
            return 0.0

        return ask

    measure([Subject("a", client)], clients=3, rounds=2, each=1, warm_up=0)

    assert sorted(numbers) == [0, 0, 1, 1, 2, 2]


def test_percentiles_lie_among_the_times() -> None:
    assert at([5.0], 99) == 5.0
    assert at([1.0, 2.0, 3.0], 50) == 2.0
    assert 2.0 < at([1.0, 2.0, 3.0], 95) <= 3.0


def test_sequential_settings_are_added_in_order() -> None:
    assert together(subject("a", 1, 2), subject("b", 10, 30)) == [11, 32]


def test_a_page_is_compared_with_its_calls_and_the_bare_page() -> None:
    names = {each for page in PAGES for each in (page.name, page.calls, page.old) if each}
    subjects = [subject(name, *[8.0] * 4) for name in names] + [subject(BARE_PAGE, *[4.0] * 4)]

    found = {each.name: each for each in page_figures(subjects, 1)}

    thread = found["pages/thread/1 client/p50"]
    assert thread.versus == "pages/bare calls and page/thread/1 client/p50"
    assert thread.ratio == pytest.approx(8 / 12)
    assert found["pages/search/1 client/p50"].ratio == 2
    assert found["pages/thread/1 client/p50 beside old system"].ratio == 1


def test_growth_is_told_against_the_smallest_size_that_fills_a_page() -> None:
    assert base([10, 20, 1000]) == 20
    assert base([5, 10]) == 10
    sizes = [Sized("list", size, "conversations", subject("", time)) for size, time in ((10, 4), (20, 8), (1000, 16))]

    found = list(growth_figures([*sizes, Sized("list", 20, "conversations", subject("", 9), again=True)]))

    assert [(each.name.split("/")[2], each.ratio) for each in found] == [
        ("10 conversations", 0.5),
        ("20 conversations", None),
        ("20 conversations again", 9 / 8),
        ("1000 conversations", 2),
    ]
