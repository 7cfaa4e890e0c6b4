"""Messages, times and people as pages show them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.domain.transitions import conversation_after, conversation_from_first, entry_from_conversation
from messaging.dynamodb.items import Message, format_created_at
from messaging.presenters.avatar import deleted_person, initials, person_view
from messaging.presenters.conversation import count_new, days, message_views
from messaging.presenters.dates import clock_time, day_label, list_time
from messaging.presenters.links import displayed_address
from messaging.presenters.rich_text import Part, is_emoji, parts
from messaging.queries.conversations import ConversationPage
from tests.messaging.talk import ANDREW, BAYKO, GROUP
from users.models import User

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def thread_of(*lines: tuple[UUID, datetime], read: int = 0, window: slice = slice(None)) -> ConversationPage:
    """Return the page of Andrew, who has read `read` of these messages."""
    messages = [
        Message(GROUP, format_created_at(at), seq, f"Line {seq}", uuid4(), by)
        for seq, (by, at) in enumerate(lines, start=1)
    ]
    conversation = conversation_from_first(messages[0], member_uuids=frozenset((ANDREW, BAYKO)))
    for message in messages[1:]:
        conversation = conversation_after(conversation, message)
    entry = entry_from_conversation(conversation, ANDREW)
    return ConversationPage(conversation, replace(entry, read_seq=read), messages[window])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bayko", "B"),
        ("Andrew Brown", "AB"),
        ("Bay Area Kites", "BK"),
        ("Jürgen Weiß", "JW"),
        ("Baykal Öztürk", "BÖ"),
        ("ßigrid", "ß"),
        ("Дніпро Юлія", "ДЮ"),
        ("نور الهاشمي", "ن"),
        ("林小雨", "林"),
        ("अर्जुन मेहता", "अ"),
        ("(the) moon", "TM"),
        ("  🦊  ", "🦊"),
        ("", ""),
    ],
)
def test_initials_follow_the_script_of_the_name(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_initials_keep_the_marks_of_a_letter() -> None:
    assert initials("E\u0301mile") == "E\u0301"


def test_colour_of_the_avatar_comes_from_the_uuid() -> None:
    person = User(uuid=UUID(int=13), handle="bayko", display_name="Bayko")

    assert (person_view(person).colour, person_view(person).url) == (5, "/@bayko")


def test_user_without_a_row_is_a_deleted_user() -> None:
    assert person_view(None) == deleted_person()
    assert (deleted_person().name, deleted_person().url) == ("Deleted user", "")


@pytest.mark.parametrize(
    ("at", "label"),
    [
        (NOON, "12:00"),
        (NOON - timedelta(hours=12), "00:00"),
        (NOON - timedelta(hours=12, minutes=1), "Yesterday"),
        (NOON - timedelta(days=2), "Thu"),
        (NOON - timedelta(days=6), "Sun"),
        (NOON - timedelta(days=7), "14 Nov"),
        (datetime(2025, 11, 21, 12, tzinfo=UTC), "21 Nov 2025"),
        (NOON + timedelta(days=1), "22 Nov"),
    ],
)
def test_list_time_is_short(at: datetime, label: str) -> None:
    assert list_time(at, now=NOON).label == label


def test_list_time_follows_the_active_time_zone() -> None:
    with timezone.override(ZoneInfo("Pacific/Kiritimati")):
        moment = list_time(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), now=NOON)

    assert (moment.label, moment.iso) == ("Yesterday", "2026-11-21T13:30:00+14:00")


def test_title_of_a_clock_time_is_complete() -> None:
    moment = clock_time(datetime(2026, 11, 18, 20, 5, 59, tzinfo=UTC))

    assert (moment.label, moment.title) == ("20:05", "Wednesday 18 November 2026 at 20:05")


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2026, 11, 21), "Today"),
        (date(2026, 11, 20), "Yesterday"),
        (date(2026, 11, 15), "Sunday"),
        (date(2026, 11, 14), "Saturday 14 November"),
        (date(2025, 12, 31), "Wednesday 31 December 2025"),
    ],
)
def test_day_label(day: date, label: str) -> None:
    assert day_label(day, today=date(2026, 11, 21)) == label


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://x.example/a_(b)?c=1.", ["https://x.example/a_(b)?c=1"]),
        ("www.cruddur.com and cruddur.com/about", ["https://www.cruddur.com", "https://cruddur.com/about"]),
        ("cruddur.com, readme.md, so.no, 10.0.0.1", []),
        ("javascript:alert(1) ftp://a.com/b data:text/html,x mailto:a@b.com //x.com/y a@b.com", []),
    ],
)
def test_unambiguous_addresses_become_links(text: str, links: list[str]) -> None:
    found = parts(text)

    assert [part.href for part in found if part.href] == links
    assert "".join(part.text for part in found) == text


CPU_SECONDS = 60
"""Of a process of its own, as a pattern that goes back and back cannot be interrupted; a second is enough."""
LONG_HOSTS = {
    "labels that two parts of a pattern match": "xn--aa.",
    "a symbol that a host can begin after": "1.|",
    "such symbols alone": "|",
    "letters and hyphens": "a-",
    "short labels": "a.",
}


@pytest.mark.parametrize("before", ["http://", "www.", "/"])
@pytest.mark.parametrize("repeated", LONG_HOSTS.values(), ids=LONG_HOSTS)
def test_links_are_found_in_linear_time(repeated: str, before: str) -> None:
    """A hundred times as long as a message; what takes twice as long for each label never ends."""
    lines = (
        "import resource, sys",
        f"resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))",
        "from messaging.presenters.rich_text import parts",
        f"text = sys.argv[1] + sys.argv[2] * ({100 * MESSAGE_MAX_CHARS} // len(sys.argv[2])) + 'a_/'",
        "assert ''.join(part.text for part in parts(text)) == text",
    )
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), before, repeated], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "address",
    [
        "http://user:pass@evil.example/", "https://apple.com@evil.example/", "https://apple.com%2f@evil.example",
        "http://evil.example/\u202egpj.exe", "http://evil\u200e.example/", "http://evil.example/?a=\u2066b",
        "http://evil.example/#\u061cb", "www.evil.example/\u200fb",
        "http://ap\u00adple.com/", "http://ap\u200bple.com/", "http://ap\u2060ple.com/",
        "http://apple.com\u2100.evil.example/", "http://apple.com\uff0f.evil.example/",
    ],
)  # fmt: skip
def test_misleading_address_is_not_linked(address: str) -> None:
    text = f"see {address} now"

    assert "".join(part.text for part in parts(text)) == text
    # What comes before such a character may be an address of its own.
    assert all(part.href in {"", "http://apple.com"} for part in parts(text))


@pytest.mark.parametrize("host", ["evil.example", "[2001:db8::1]", "127.0.0.1:80"])
def test_address_with_credentials_is_not_linked(host: str) -> None:
    for address in (f"http://user:pass@{host}/", f"https://apple.com@{host}", f"//a@{host}/"):
        assert displayed_address(address) is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://\u0430pple.com/", "http://xn--pple-43d.com/"),  # a Cyrillic a
        ("https://www.\u0430pple.com:8443/a?b#c", "https://www.xn--pple-43d.com:8443/a?b#c"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/", "https://xn--80ak6aa92e.com/"),  # Cyrillic as a whole
        ("http://g\u03bfogle.com", "http://xn--gogle-rce.com"),  # a Greek omicron
        ("http://b\u0301.example/", "http://xn--b-xbb.example/"),
        ("http://apple\u2044com.example/", "http://xn--applecom-i03d.example/"),
        ("http://\uff41pple.com/", "http://apple.com/"),
    ],
)
def test_confusable_host_is_shown_in_ascii(address: str, shown: str) -> None:
    (before, link, after) = parts(f"see {address} now")

    assert (before.text, after.text) == ("see ", " now")
    assert (link.text, link.href) == (shown, shown)


@pytest.mark.parametrize(
    "address",
    [
        "https://b\u00fccher.example/a", "https://\u4f8b\u3048.jp/", "https://\u30e9\u30fc\u30e1\u30f3tokyo.jp/",
        "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/", "https://\u0440\u043e\u0441\u0430.\u0440\u0444/",
        "https://\u03c0\u03b1\u03c1\u03ac\u03b4\u03b5\u03b9\u03b3\u03bc\u03b1.com", "https://xn--80ak6aa92e.com/", "HTTP://EXAMPLE.COM:80/a@b",
        "https://example.com/\u0430pple?q=b", "https://example.com/a\u200db",
    ],
)  # fmt: skip
def test_unambiguous_host_is_shown_as_written(address: str) -> None:
    assert Part(address, address) in parts(f"see {address} now")


def test_plain_text_is_one_part() -> None:
    assert parts("Hello <b>\n there") == [Part("Hello <b>\n there")]


@pytest.mark.parametrize("text", ["😂", "👍🏽👍🏿", "❤️", "🏳️‍🌈", "👩‍👩‍👧 🇦🇹", "1️⃣", "✨ ✨ ✨", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☝🏽", "🤷‍♂️\n"])
def test_one_to_three_emoji_are_recognized(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize("text", ["", "123", "ok 😂", "😂😂😂😂", "❤", "#", ":)", "é"])
def test_other_texts_are_not_emoji(text: str) -> None:
    assert not is_emoji(text)


def test_message_continues_the_one_before_within_five_minutes() -> None:
    minutes = [0, 5, 11, 12]
    writers = [BAYKO, BAYKO, BAYKO, ANDREW]
    thread = thread_of(*((by, NOON + timedelta(minutes=m)) for by, m in zip(writers, minutes, strict=True)), read=4)

    assert [bubble.continued for bubble in message_views(thread, {})] == [False, True, False, False]
    assert [bubble.own for bubble in message_views(thread, {})] == [False, False, False, True]


def test_message_continues_nothing_across_midnight_or_the_divider() -> None:
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    thread = thread_of(*((BAYKO, midnight + timedelta(minutes=m)) for m in (-1, 1, 2)), read=2)

    assert [(bubble.continued, bubble.new) for bubble in message_views(thread, {})] == [
        (False, 0),
        (False, 0),
        (False, 1),
    ]


def test_only_the_newest_own_message_is_marked_sent() -> None:
    thread = thread_of((ANDREW, NOON), (BAYKO, NOON + timedelta(1)), (ANDREW, NOON + timedelta(2)))

    assert [bubble.sent for bubble in message_views(thread, {})] == [False, False, True]


def test_days_follow_the_active_time_zone() -> None:
    late, early = datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
    thread = thread_of((BAYKO, late), (BAYKO, early))

    with timezone.override(ZoneInfo("Europe/Vienna")):
        assert [(day.date, day.label, len(day.messages)) for day in days(thread, {}, now=NOON)] == [
            ("2026-11-21", "Today", 2)
        ]
    assert [day.label for day in days(thread, {}, now=NOON)] == ["Yesterday", "Today"]


def _alternating(count: int) -> list[tuple[UUID, datetime]]:
    return [((ANDREW, BAYKO)[seq % 2], NOON + timedelta(minutes=seq)) for seq in range(count)]


def test_new_count_has_messages_of_others_after_the_last_read() -> None:
    assert count_new(thread_of(*_alternating(6), read=2)) == 2


def test_new_count_includes_messages_outside_the_window() -> None:
    lines = [(ANDREW, NOON), *((BAYKO, NOON + timedelta(minutes=seq)) for seq in range(1, 50))]

    assert count_new(thread_of(*lines, read=1, window=slice(-20, None))) == 49
    assert count_new(thread_of(*lines, read=1, window=slice(0, 20))) == 49
    assert count_new(thread_of(*lines, read=30, window=slice(0, 20))) == 20
    assert count_new(thread_of(*lines, read=50)) == 0
