"""Addresses that become links, and how they are shown."""

from __future__ import annotations

import pytest

from messaging.presenters.links import displayed_address
from messaging.presenters.rich_text import Part, parts


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
