"""Cognito as provider for mozilla-django-oidc, with checks that the library lacks. docs/people.md lists them."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import requests
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from cruddur.net import is_loopback
from users.models import User

from .id_tokens import TokenRefused, verified_claims
from .sign_in import SignInFailed, SignInRefused, identity_of, person_of
from .signing_keys import KeysUnavailable, signing_keys

logger = logging.getLogger(__name__)


class CognitoUnavailable(SignInFailed):
    heading = _("Sign-in is not available right now")
    explanation = _("The sign-in service does not answer. Nothing is lost: try again in a moment.")
    status = 503


class CognitoBroken(SignInFailed):
    heading = _("Sign-in does not work right now")
    explanation = _("The sign-in service gave an answer that makes no sense here. Try again in a moment.")
    status = 502


class CodeRefused(SignInFailed):
    """The code was already used, has expired or belongs to another sign-in."""

    heading = _("This sign-in has expired")
    explanation = _("It took too long, or it was used already. Sign in again.")
    status = 400


class CognitoBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Signs people in by the ID token only: no lookup by e-mail, no userinfo request, no stored tokens."""

    def authenticate(
        self, request: HttpRequest | None, *, nonce: str = "", code_verifier: str = "", **credentials: Any
    ) -> User | None:
        """Return the person that the code in the callback's query proves. Raises `SignInFailed` or `HandleNeeded`."""
        if request is None or not nonce or not code_verifier or not request.GET.get("code"):
            return None
        id_token = self.id_token(code=request.GET["code"], code_verifier=code_verifier)
        try:
            claims = verified_claims(
                id_token,
                keys=signing_keys(settings.OIDC_OP_JWKS_ENDPOINT),
                issuer=settings.OIDC_OP_ISSUER,
                client_id=settings.OIDC_RP_CLIENT_ID,
                nonce=nonce,
                timeout=settings.OIDC_TIMEOUT,
            )
        except TokenRefused as refused:
            logger.warning("ID token refused: %s", refused)
            raise SignInRefused from None
        except KeysUnavailable:
            raise CognitoUnavailable from None
        return person_of(identity_of(claims))

    def id_token(self, *, code: str, code_verifier: str) -> str:
        """Fetch the ID token for the code from the token endpoint. Raises the fitting kind of `SignInFailed`."""
        try:
            response = requests.post(
                settings.OIDC_OP_TOKEN_ENDPOINT,
                data={
                    "grant_type": "authorization_code",
                    "client_id": settings.OIDC_RP_CLIENT_ID,
                    "client_secret": settings.OIDC_RP_CLIENT_SECRET,
                    "code": code,
                    "code_verifier": code_verifier,
                    "redirect_uri": callback_url(),
                },
                timeout=settings.OIDC_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            logger.warning("Token endpoint: %s", type(error).__name__)
            raise CognitoUnavailable from None
        answer = json_object(response)
        id_token = answer.get("id_token")
        if response.status_code == requests.codes.ok and isinstance(id_token, str):
            return id_token
        # Only error codes of RFC 6749 are logged: the rest of the body is not under our control.
        code_of_error = answer.get("error") if answer.get("error") in TOKEN_ERRORS else "no known error code"
        logger.warning("Token endpoint: status %d, %s", response.status_code, code_of_error)
        if response.status_code >= requests.codes.server_error:
            raise CognitoUnavailable
        raise CodeRefused if code_of_error == "invalid_grant" else CognitoBroken

    def get_user(self, user_id: UUID | str) -> AbstractBaseUser | None:
        """Return the session's person, or None once the account is closed, which ends the session."""
        return User.objects.filter(pk=user_id, is_active=True).first()


TOKEN_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
)


def json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def is_configured() -> bool:
    return bool(settings.COGNITO_DOMAIN and settings.OIDC_RP_CLIENT_ID and settings.COGNITO_USER_POOL_ID)


def has_account_pages() -> bool:
    """Return whether Cognito has pages to sign up and to reset a password. The emulator has none."""
    return is_configured() and not is_loopback(settings.COGNITO_DOMAIN)


def callback_url() -> str:
    return f"{settings.APP_URL}{reverse('oidc_authentication_callback')}"


def cognito_sign_out_url(request: HttpRequest) -> str:
    """Return the address where Cognito ends its own session, then redirects to the site's front page."""
    query = urlencode({"client_id": settings.OIDC_RP_CLIENT_ID, "logout_uri": f"{settings.APP_URL}/"})
    return f"{settings.COGNITO_DOMAIN}/logout?{query}"
