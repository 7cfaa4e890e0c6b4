"""The settings page and its three forms: profile, privacy, browser."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cruddur.web.preferences import preferences_of, remember
from users.forms import BrowserForm, PrivacyForm, SettingsForm
from users.http import AuthenticatedHttpRequest, HttpResponseSeeOther
from users.models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_settings(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the settings, and save the user's name and bio."""
    person = User.objects.get(pk=request.user.pk)
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return HttpResponseSeeOther(reverse("settings"))
    chosen = preferences_of(request)
    browser_form = BrowserForm(initial={"theme": chosen.theme, "single_keys": chosen.single_keys})
    context = {
        "form": form,
        "browser_form": browser_form,
        "privacy_form": PrivacyForm(instance=request.user),
        # Not the form's instance, which holds what was typed and not what is stored.
        "person": request.user,
    }
    return render(request, "users/settings.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def privacy_settings(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Save who may send the user a first message; ignore a value that the form does not offer."""
    form = PrivacyForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
    return HttpResponseSeeOther(reverse("settings"))


@login_required
@require_POST
def browser_settings(request: HttpRequest) -> HttpResponse:
    """Store theme and shortcuts in cookies of this browser; an unknown value falls back to the default."""
    form = BrowserForm(request.POST)
    response = HttpResponseSeeOther(reverse("settings"))
    remember(response, form.preferences())
    messages.success(request, _("Saved."))
    return response
