"""A site that does what the web server's role forbids."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from messaging.dynamodb.connection import message_table


def scan(request: HttpRequest) -> HttpResponse:
    return HttpResponse(len(list(message_table().conversations())))


urlpatterns = [path("scan", scan)]
