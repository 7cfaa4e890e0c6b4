"""`make lighthouse`: Lighthouse on the list and on a conversation, with the static files of production."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from pytest_django import Settings

from messaging.realtime.endpoint import LiveApplication

from .conftest import CHROMIUM_ARGUMENTS, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent.parent
AT_LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100}


@pytest.fixture
def production(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """Serve bundled, hashed and compressed files beside the site that people sign in at; yield the address."""
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    storage = {"BACKEND": "cruddur.assets.storage.JoinedStaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    call_command("collectstatic", interactive=False, verbosity=0)
    sock = socket.create_server(("127.0.0.1", 0))
    application = LiveApplication(get_asgi_application())
    server = uvicorn.Server(
        uvicorn.Config(application, proxy_headers=False, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://localhost:{sock.getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


def measure(url: str, port: int, report: Path) -> dict[str, float]:
    """Return Lighthouse's scores of a page (0 to 100) for a phone on a slow network, and its layout shift."""
    command = ["tools/bench/lighthouse/node_modules/.bin/lighthouse", url, "--quiet", "--output=json"]
    options = [f"--output-path={report}", f"--only-categories={','.join(AT_LEAST)}", "--max-wait-for-load=15000"]
    chromium = [f"--port={port}", "--disable-storage-reset"]
    subprocess.run([*command, *options, *chromium], cwd=ROOT, check=True, timeout=150)
    found = json.loads(report.read_text())
    scores = {name: round(100 * category["score"]) for name, category in found["categories"].items()}
    return {**scores, "layout shift": found["audits"]["cumulative-layout-shift"]["numericValue"]}


def test_lighthouse_scores_meet_the_targets(
    sign_in: SignIn, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    page = sign_in("andrewbrown")
    address = str(page.locator("a.conversation__name").first.get_attribute("href"))
    cookies = page.context.cookies()
    page.goto("about:blank")
    production = request.getfixturevalue("production")  # not before: signing in needs the other files
    reports = Path(request.config.rootpath) / ".local"
    reports.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert page.context.browser
    chromium = page.context.browser.browser_type.launch_persistent_context(
        "",
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
        args=[*CHROMIUM_ARGUMENTS, f"--remote-debugging-port={port}"],
    )
    chromium.add_cookies([{key: each[key] for key in ("name", "value", "domain", "path")} for each in cookies])  # type: ignore[misc]
    found = {
        name: measure(production + path, port, reports / f"lighthouse-{name}.json")
        for name, path in {"conversations": "/messages", "conversation": address}.items()
    }
    chromium.close()
    with capsys.disabled():
        print(*(f"\n{name}: {scores}" for name, scores in found.items()))  # noqa: T201 # what it is for

    for scores in found.values():
        assert all(scores[name] >= least for name, least in AT_LEAST.items())
        assert scores["layout shift"] == 0
