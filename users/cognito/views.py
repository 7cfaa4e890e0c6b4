"""Sign in with Cognito: redirect to its page, handle its callback, and choose a handle where needed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView, OIDCLogoutView

from cruddur.web.client_address import take_for_network
from cruddur.web.errors import forbidden
from cruddur.web.origin import is_part_of_a_page
from users.forms import ChooseHandleForm
from users.handles import HandleError
from users.http import HttpResponseSeeOther, requested_next, safe_next
from users.models import User

from .oidc import callback_url, has_account_pages, is_configured
from .sign_in import (
    AccountClosed,
    HandleNeeded,
    Identity,
    SignInFailed,
    SignInRefused,
    first_sign_in,
    wait_for_handle,
    waiting_identity,
)

# mozilla-django-oidc's session key for pending sign-ins: nonce, PKCE verifier and time by state.
ATTEMPTS = "oidc_states"
# Long enough to sign up, which includes waiting for an e-mail.
ATTEMPT_SECONDS = 3600


class NotConfigured(SignInFailed):
    heading = _("Sign-in is not set up")
    explanation = _("The settings of its Cognito user pool are missing: docs/people.md names them.")
    status = 503


class AttemptUnknown(SignInFailed):
    """The callback does not belong to a sign-in of this browser: forged, repeated, or begun too long ago."""

    heading = _("This sign-in has expired")
    explanation = _("It was begun too long ago, in another browser, or it was used already. Sign in again.")


class NoPendingSignIn(SignInFailed):
    heading = _("This sign-in has expired")
    explanation = _("It took longer than 15 minutes to choose a handle. Sign in again.")


@method_decorator(never_cache, name="dispatch")
class SignInView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Redirect to Cognito's sign-in page. Forms post here, for example the landing page's."""

    http_method_names: Sequence[str] = ("post",)
    cognito_page = "/oauth2/authorize"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.OIDC_OP_AUTH_ENDPOINT = settings.COGNITO_DOMAIN + self.cognito_page

    def post(self, request: HttpRequest) -> HttpResponse:
        next_url = requested_next(request)
        if request.user.is_authenticated:
            return redirect(next_url)
        if not is_configured():
            return failure_page(request, NotConfigured())
        if is_part_of_a_page(request):
            return forbidden(request)
        take_a_step(request)
        response: HttpResponseRedirect = super().get(request)
        # The library keeps one `next` per session, but two tabs need one each. The newest attempt is the last.
        request.session.pop("oidc_login_next", None)
        attempts = request.session[ATTEMPTS]
        attempts[next(reversed(attempts))]["next"] = next_url
        return response

    def get_extra_params(self, _request: HttpRequest) -> dict[str, str]:
        return {"redirect_uri": callback_url()}


class AccountPageView(SignInView):
    """Redirect to another page of Cognito, which ends in the same callback as signing in."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if is_configured() and not has_account_pages():
            raise Http404("The emulator has no such page.")
        return super().post(request)


class SignUpView(AccountPageView):
    cognito_page = "/signup"


class ForgotPasswordView(AccountPageView):
    cognito_page = "/forgotPassword"


@method_decorator(never_cache, name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Handle the redirect from Cognito. A signed-in user stays signed in unless another sign-in succeeds."""

    def get(self, request: HttpRequest) -> HttpResponse:
        # Count only callbacks with an attempt: other sites' pages could use up a network's rate limit with images.
        if is_part_of_a_page(request):
            return forbidden(request)
        try:
            require_attempt(request)
            take_a_step(request)
            attempt = take_attempt(request)
            next_url = safe_next(request, attempt.get("next"))
            person = person_of_callback(request, attempt)
        except HandleNeeded as needed:
            wait_for_handle(request.session, needed.identity, next_url=next_url)
            return redirect("choose_handle")
        except SignInFailed as failure:
            return failure_page(request, failure)
        sign_in(request, person)
        return redirect(next_url)


class SignOutView(OIDCLogoutView):  # type: ignore[misc]
    """End the session, then Cognito's. Accepts only POST."""

    http_method_names: Sequence[str] = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = super().post(request)
        # Browsers cache pages for the back button: the next user of the browser must not see them.
        response["Clear-Site-Data"] = '"cache"'
        return response


def take_a_step(request: HttpRequest) -> None:
    """Take a rate-limit token for a step of a sign-in from this network. Raise RateLimited."""
    take_for_network("sign_ins", request)


def require_attempt(request: HttpRequest) -> None:
    """Raise `AttemptUnknown` unless the query's state is that of a sign-in of this browser."""
    if request.GET.get("state", "") not in request.session.get(ATTEMPTS, {}):
        raise AttemptUnknown


def take_attempt(request: HttpRequest) -> dict[str, Any]:
    """Remove the sign-in of the query's state from the session and return it. Raise `AttemptUnknown`."""
    attempts = request.session.get(ATTEMPTS, {})
    attempt: dict[str, Any] | None = attempts.pop(request.GET.get("state", ""), None)
    if attempt is None:
        raise AttemptUnknown
    request.session.modified = True
    request.session.save()
    # Cognito is slow and another tab may write to the session meanwhile, so reload it when needed.
    request.session = type(request.session)(request.session.session_key)
    if time.time() - attempt["added_on"] > ATTEMPT_SECONDS:
        raise AttemptUnknown
    return attempt


def person_of_callback(request: HttpRequest, attempt: dict[str, Any]) -> User:
    if "error" in request.GET:
        raise SignInRefused
    person = auth.authenticate(request, nonce=attempt["nonce"], code_verifier=attempt["code_verifier"])
    if not isinstance(person, User):
        raise SignInRefused
    return person


def sign_in(request: HttpRequest, person: User) -> None:
    """Sign the user in, with a new session key even if they were signed in already."""
    if request.session.get(auth.SESSION_KEY) == str(person.pk):
        # Django would keep the session key of a user who is already signed in.
        del request.session[auth.SESSION_KEY]
    auth.login(request, person)


def failure_page(request: HttpRequest, failure: SignInFailed) -> HttpResponse:
    context = {"heading": failure.heading, "explanation": failure.explanation, "status": failure.status}
    return render(request, "users/sign_in_failed.html", context, status=failure.status)


@never_cache
def sign_in_failed(request: HttpRequest) -> HttpResponse:
    return failure_page(request, SignInFailed())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose_handle(request: HttpRequest) -> HttpResponse:
    waiting = waiting_identity(request.session)
    if waiting is None:
        return redirect(settings.LOGIN_REDIRECT_URL) if request.user.is_authenticated else no_pending_sign_in(request)
    identity, next_url = waiting
    take_for_network("handles", request)
    if request.method == "POST":
        return take_handle(request, identity, next_url)
    # Bound to the unavailable handle, so that the page shows the error.
    form = ChooseHandleForm({"handle": identity.handle} if identity.handle else None)
    return render(request, "users/choose_handle.html", {"form": form})


def take_handle(request: HttpRequest, identity: Identity, next_url: str) -> HttpResponse:
    form = ChooseHandleForm(request.POST)
    if form.is_valid():
        try:
            sign_in(request, first_sign_in(identity=identity, handle=form.cleaned_data["handle"]))
            return HttpResponseSeeOther(next_url)
        except HandleError as taken:
            form.add_error("handle", taken)
        except AccountClosed as closed:
            return failure_page(request, closed)
    return render(request, "users/choose_handle.html", {"form": form}, status=422)


def no_pending_sign_in(request: HttpRequest) -> HttpResponse:
    return failure_page(request, NoPendingSignIn())
