"""The client address of a request."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from cruddur.web.client_address import client_network, take_for_network, warn_once
from cruddur.web.rate_limits import LIMITS


def network(address: str, **headers: str) -> str:
    return client_network(RequestFactory().get("/", REMOTE_ADDR=address, headers=headers))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("192.0.2.7:52113", "192.0.2.7"),
        ("[2001:db8:1:2::9]:443", "2001:0db8:0001:0002"),
        ("[2001:db8:1:2::9]", "2001:0db8:0001:0002"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("::FFFF:c000:0207", "192.0.2.7"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("192.0.2.7:123456", "unknown"),
        ("192.0.2.300:80", "unknown"),
        ("[192.0.2.7", "unknown"),
        ("_hidden", "unknown"),
        ("", "unknown"),
        ("x" * 200, "unknown"),
    ],
)
def test_client_is_an_ipv4_address_or_an_ipv6_network(address: str, expected: str) -> None:
    assert network(address) == expected


def test_header_is_ignored_without_a_proxy() -> None:
    assert network("192.0.2.7", x_forwarded_for="198.51.100.1") == "192.0.2.7"


def test_last_forwarded_address_is_used_behind_a_proxy(settings: Settings) -> None:
    settings.BEHIND_PROXY = True

    assert network("127.0.0.1", x_forwarded_for="203.0.113.9, 198.51.100.1") == "198.51.100.1"
    assert network("192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize("entry", ["198.51.100.1:4711", "[2001:db8::1]:4711", "::ffff:198.51.100.1"])
def test_port_in_the_header_is_ignored(settings: Settings, entry: str) -> None:
    settings.BEHIND_PROXY = True

    found = network("127.0.0.1", x_forwarded_for=f"203.0.113.9:1, {entry}")

    assert found in {"198.51.100.1", "2001:0db8:0000:0000"}


@pytest.mark.django_db
def test_invalid_address_takes_no_token_and_is_logged_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BEHIND_PROXY = True
    warn_once.cache_clear()
    for _ in range(2 * LIMITS["sign_ins"].at_once):
        request = RequestFactory().get("/", headers={"x-forwarded-for": "unknown"})
        take_for_network("sign_ins", request)

    assert [record.getMessage() for record in caplog.records] == [
        "X-Forwarded-For has no valid client address: sign-ins are not limited by address. "
        "Let the proxy append the client's address to X-Forwarded-For."
    ]
