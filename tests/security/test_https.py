"""The site as production configures it, in a process of its own: what https adds to an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cruddur.test_checks import PRODUCTION

ROOT = Path(__file__).parents[2]
VISIT = """
import json, sys
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
import django
django.setup()
from django.test import Client
client = Client(headers={"host": "messages.example.com"})
def visit(path, **how):
    answer = client.get(path, **how)
    return {"status": answer.status_code, **{name.lower(): value for name, value in answer.headers.items()}}
secure = {name: visit(name, secure=True) for name in ("/", "/nothing", "/healthz")}
plain = visit("/messages?before=1")
cookies = {name: {key: morsel[key] for key in ("secure", "httponly", "samesite", "domain", "path")}
           for name, morsel in client.cookies.items()}
names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME]
session = [settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE,
           settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH]
print(json.dumps({"secure": secure, "plain": plain, "cookies": cookies, "names": names, "session": session}))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "cruddur.settings", **PRODUCTION}
    done = subprocess.run(
        [sys.executable, "-c", VISIT], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_browsers_are_told_to_use_https_for_a_year(found: dict[str, Any]) -> None:
    for path, answer in found["secure"].items():
        assert answer["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload", path


@pytest.mark.slow
def test_http_leads_to_https(found: dict[str, Any]) -> None:
    assert found["plain"]["status"] == 301
    assert found["plain"]["location"] == "https://messages.example.com/messages?before=1"


@pytest.mark.slow
def test_cookies_of_session_and_form_belong_to_this_host_and_to_https(found: dict[str, Any]) -> None:
    """The prefix makes browsers insist on what is asserted: https, this host, every path."""
    assert found["names"] == ["__Host-session", "__Host-csrf"]
    assert found["cookies"]["__Host-csrf"] == {
        "secure": True, "httponly": True, "samesite": "Lax", "domain": "", "path": "/"
    }  # fmt: skip
    assert found["session"] == [True, True, "Lax", None, "/"]
