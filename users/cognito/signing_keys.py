"""The public keys Cognito signs its tokens with, kept in the process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache

import jwt
import requests

logger = logging.getLogger(__name__)

# Tokens with an unknown key id, which anyone can forge, make at most one request in this time.
SECONDS_BETWEEN_REFETCHES = 60.0
# While there is no key at all every sign-in needs one; a Cognito that is away is asked this often.
SECONDS_BETWEEN_FIRST_FETCHES = 1.0
# So that a key Cognito withdrew is forgotten; without an answer the old ones stay.
SECONDS_TO_LIVE = 24 * 3600.0


class KeysUnavailable(Exception):
    """Cognito does not hand out its keys now, and none are known."""


class UnknownKey(Exception):
    """Cognito does not sign with such a key."""


class SigningKeys:
    """The RSA keys behind one address; safe between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._fetched_at = float("-inf")

    def key(self, kid: str, *, timeout: float) -> jwt.PyJWK:
        """The key of this id, `timeout` in seconds. Raises `UnknownKey`, or `KeysUnavailable` when none are known."""
        if kid in self._keys and not self._is_old():
            return self._keys[kid]
        with self._lock:
            # Whoever waited here while another thread fetched finds the answer in the cache.
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
    """The one cache of this process for this address."""
    return SigningKeys(url)


def fetch_keys(url: str, *, timeout: float) -> Mapping[str, jwt.PyJWK]:
    """RSA signing keys by id. Raises requests' errors, ValueError or PyJWT's errors for an answer without any."""
    response = requests.get(url, timeout=timeout, allow_redirects=False)
    response.raise_for_status()
    document = response.json()
    candidates = document.get("keys") if isinstance(document, dict) else None
    usable = [key for key in candidates if isinstance(key, dict)] if isinstance(candidates, list) else []
    keys = {key.key_id: key for key in jwt.PyJWKSet(usable).keys if key.key_id and key.key_type == "RSA"}
    if not keys:
        raise ValueError("no RSA keys")
    return keys
