"""Whom a request comes from."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from cruddur.client_address import client_network


def network(address: str, **headers: str) -> str:
    return client_network(RequestFactory().get("/", REMOTE_ADDR=address, headers=headers))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("", "unknown"),
        ("x" * 200, "unknown"),
    ],
)
def test_it_is_an_address_or_the_network_of_a_customer(address: str, expected: str) -> None:
    assert network(address) == expected


def test_without_a_proxy_nobody_can_pretend_to_be_another() -> None:
    assert network("192.0.2.7", x_forwarded_for="198.51.100.1") == "192.0.2.7"


def test_behind_a_proxy_it_is_what_the_proxy_added(settings: Settings) -> None:
    settings.BEHIND_PROXY = True

    assert network("127.0.0.1", x_forwarded_for="203.0.113.9, 198.51.100.1") == "198.51.100.1"
    assert network("192.0.2.7") == "192.0.2.7"
