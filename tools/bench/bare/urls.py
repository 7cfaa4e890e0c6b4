"""The minimum for a page of the site in Django: session, user, the people it names, a plain list."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from users.models import User

TEXT = "x" * 90


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Return a line for each person whose uuid is given, using one SQL statement."""
    people = User.objects.in_bulk([UUID(uuid) for uuid in request.GET.getlist("uuid")])
    return render(request, "bare.html", {"people": people.values(), "text": TEXT})


urlpatterns = [path("", page), path("landing", page, name="landing")]
