"""Verify an ID token: its signature, issuer, audience, times and nonce."""

from __future__ import annotations

import hmac
import time
from typing import Any

import jwt

from .signing_keys import SigningKeys, UnknownKey

ALGORITHM = "RS256"
ID_TOKEN_USE = "id"  # noqa: S105 - no password
REQUIRED_CLAIMS = ["aud", "exp", "iat", "iss", "nonce", "sub", "token_use"]
# Allows for clock skew. A token is fetched and checked in one request, so an older one was not issued for it.
LEEWAY_SECONDS = 60
OLDEST_SECONDS = 600


class TokenRefused(Exception):
    """The token is invalid. The argument says why and is safe to log: it contains nothing of the token."""


def verified_claims(
    token: str, *, keys: SigningKeys, issuer: str, client_id: str, nonce: str, timeout: float
) -> dict[str, Any]:
    """Return the claims of an ID token that `issuer` issued to `client_id` in the sign-in with this nonce.

    `timeout` is in seconds, for fetching keys. Raises `TokenRefused`, or `KeysUnavailable` when it cannot be checked.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            keys.key(key_id(token), timeout=timeout),
            algorithms=[ALGORITHM],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED_CLAIMS, "strict_aud": True},
        )
    except UnknownKey:
        raise TokenRefused("unknown key") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenRefused(f"no {error.claim}") from None
    except jwt.PyJWTError as error:
        raise TokenRefused(type(error).__name__) from None
    # PyJWT also accepts times as strings and booleans.
    if type(claims["exp"]) is not int or type(claims["iat"]) is not int:
        raise TokenRefused("a time that is none")
    if claims["iat"] < time.time() - OLDEST_SECONDS:
        raise TokenRefused("issued long ago")
    if claims["token_use"] != ID_TOKEN_USE:
        raise TokenRefused("not an ID token")
    # Cognito sends no azp; if present it must be our client id (OpenID Connect Core 3.1.3.7).
    if claims.get("azp", client_id) != client_id:
        raise TokenRefused("another authorized party")
    if not nonce or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise TokenRefused("nonce of another sign-in")
    return claims


def key_id(token: str) -> str:
    header = jwt.get_unverified_header(token)
    if header.get("alg") != ALGORITHM:
        raise TokenRefused("algorithm")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRefused("no key id")
    return kid
