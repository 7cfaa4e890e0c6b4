"""The front page, profiles and one's own settings; the sign-in views by the names the settings use."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cruddur.web.preferences import preferences_of
from users.cognito.oidc import has_account_pages
from users.cognito.views import CallbackView, SignInView

from .authenticated import AuthenticatedHttpRequest
from .forms import BrowserForm, PrivacyForm, SettingsForm
from .models import User
from .people import person_by_handle
from .redirects import HttpResponseSeeOther, asked_next

__all__ = ["CallbackView", "SignInView", "landing", "own_settings", "privacy_settings", "profile"]


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(asked_next(request))
    there_are_pages = has_account_pages()
    context = {
        "sign_up_url": reverse("sign_up") if there_are_pages else None,
        "forgot_password_url": reverse("forgot_password") if there_are_pages else None,
        "next": asked_next(request),
    }
    return render(request, "landing.html", context)


@login_required
@require_safe
def profile(request: AuthenticatedHttpRequest, handle: str) -> HttpResponse:
    person = person_by_handle(handle)
    if person is None or not person.is_active:
        raise Http404("Nobody has this handle.")
    return render(request, "users/profile.html", {"person": person, "own": person == request.user})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_settings(request: AuthenticatedHttpRequest) -> HttpResponse:
    person = User.objects.get(pk=request.user.pk)
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return HttpResponseSeeOther(reverse("settings"))
    # The form writes what was typed into its instance: the page names the person as stored.
    chosen = preferences_of(request)
    browser_form = BrowserForm(initial={"theme": chosen.theme, "single_keys": chosen.single_keys})
    context = {
        "form": form,
        "browser_form": browser_form,
        "privacy_form": PrivacyForm(instance=request.user),
        "person": request.user,
    }
    return render(request, "users/settings.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def privacy_settings(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Who may write first; what is no choice of the form changes nothing."""
    form = PrivacyForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
    return HttpResponseSeeOther(reverse("settings"))
