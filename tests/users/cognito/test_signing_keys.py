"""The cache of Cognito's keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.users.provider import Provider
from users.cognito.signing_keys import KeysUnavailable, SigningKeys, UnknownKey


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def keys(provider: Provider) -> SigningKeys:
    return SigningKeys(f"{provider.url}/jwks.json")


class Clock:
    """The monotonic clock of the cache, put forward by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("users.cognito.signing_keys.time.monotonic", clock)
    return clock


def test_keys_are_fetched_once(keys: SigningKeys, provider: Provider) -> None:
    assert keys.key("key-1", timeout=2) is keys.key("key-1", timeout=2)
    assert provider.asked("/jwks.json") == 1


def test_new_key_is_found(keys: SigningKeys, provider: Provider, clock: Clock) -> None:
    keys.key("key-1", timeout=2)
    provider.keys = ["key-1", "key-2"]
    clock.seconds += 61

    assert keys.key("key-2", timeout=2).key_id == "key-2"


def test_forged_key_ids_cause_one_fetch_a_minute(keys: SigningKeys, provider: Provider, clock: Clock) -> None:
    keys.key("key-1", timeout=2)
    clock.seconds += 61

    for number in range(20):
        with pytest.raises(UnknownKey):
            keys.key(f"forged-{number}", timeout=2)

    assert provider.asked("/jwks.json") == 2


def test_last_keys_are_used_while_cognito_is_away(keys: SigningKeys, provider: Provider, clock: Clock) -> None:
    keys.key("key-1", timeout=2)
    provider.stop()
    clock.seconds += 3 * 24 * 3600

    assert keys.key("key-1", timeout=2).key_id == "key-1"


@pytest.mark.parametrize("kids", [[], ["key-2"]])
def test_withdrawn_key_is_dropped_unless_all_are(
    keys: SigningKeys, provider: Provider, clock: Clock, kids: list[str]
) -> None:
    keys.key("key-1", timeout=2)
    provider.keys = kids
    clock.seconds += 25 * 3600

    if kids:
        with pytest.raises(UnknownKey):
            keys.key("key-1", timeout=2)
    else:
        assert keys.key("key-1", timeout=2).key_id == "key-1"


def test_missing_keys_are_unavailable(keys: SigningKeys, provider: Provider) -> None:
    provider.stop()

    with pytest.raises(KeysUnavailable):
        keys.key("key-1", timeout=2)


def test_failed_first_fetch_is_retried_soon(keys: SigningKeys, provider: Provider, clock: Clock) -> None:
    provider.keys_status = 503
    with pytest.raises(KeysUnavailable):
        keys.key("key-1", timeout=2)
    provider.keys_status = 200
    clock.seconds += 1.5

    assert keys.key("key-1", timeout=2).key_id == "key-1"
