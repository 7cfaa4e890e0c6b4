"""Cache Cognito's public signing keys in the process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache

import jwt
import requests

logger = logging.getLogger(__name__)

# Anyone can forge tokens with unknown key ids: they cause at most one request in this time.
SECONDS_BETWEEN_REFETCHES = 60.0
# Retry interval while no key is known, because every sign-in needs one.
SECONDS_BETWEEN_FIRST_FETCHES = 1.0
# Drops keys that Cognito withdrew. If the refresh fails, the old keys stay valid.
SECONDS_TO_LIVE = 24 * 3600.0


class KeysUnavailable(Exception):
    """Cognito's keys cannot be fetched, and none are cached."""


class UnknownKey(Exception):
    """Cognito has no signing key with this id."""


class SigningKeys:
    """The RSA keys published at one address; thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._fetched_at = float("-inf")

    def key(self, kid: str, *, timeout: float) -> jwt.PyJWK:
        """Return the key with this id; `timeout` is in seconds.

        Raises `UnknownKey`, or `KeysUnavailable` if none are known.
        """
        if kid in self._keys and not self._is_old():
            return self._keys[kid]
        with self._lock:
            # Another thread may have fetched the key while this one waited for the lock.
            if kid not in self._keys or self._is_old():
                self._refetch(timeout)
            if kid in self._keys:
                return self._keys[kid]
            if not self._keys:
                raise KeysUnavailable
            raise UnknownKey

    def _is_old(self) -> bool:
        return time.monotonic() - self._fetched_at > SECONDS_TO_LIVE

    def _refetch(self, timeout: float) -> None:
        pause = SECONDS_BETWEEN_REFETCHES if self._keys else SECONDS_BETWEEN_FIRST_FETCHES
        if time.monotonic() - self._asked_at < pause:
            return
        try:
            keys = fetch_keys(self.url, timeout=timeout)
        except (requests.RequestException, ValueError, jwt.PyJWTError) as error:
            logger.warning("Cognito's signing keys could not be fetched: %s", type(error).__name__)
            return
        finally:
            self._asked_at = time.monotonic()
        self._keys, self._fetched_at = keys, time.monotonic()


@cache
def signing_keys(url: str) -> SigningKeys:
    """Return this process's cache of the keys at this address."""
    return SigningKeys(url)


def fetch_keys(url: str, *, timeout: float) -> Mapping[str, jwt.PyJWK]:
    """Fetch the RSA signing keys by id.

    Raises errors of requests, ValueError or PyJWT's errors for an answer without keys.
    """
    response = requests.get(url, timeout=timeout, allow_redirects=False)
    response.raise_for_status()
    document = response.json()
    candidates = document.get("keys") if isinstance(document, dict) else None
    usable = [key for key in candidates if isinstance(key, dict)] if isinstance(candidates, list) else []
    keys = {key.key_id: key for key in jwt.PyJWKSet(usable).keys if key.key_id and key.key_type == "RSA"}
    if not keys:
        raise ValueError("no RSA keys")
    return keys
