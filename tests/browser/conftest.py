"""The whole site in front of a real Chromium: uvicorn on the test database, the emulator, the stream worker."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django import DjangoDbBlocker

from cruddur import asgi
from cruddur.asgi_types import Application
from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.realtime import publish, typing
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.dead_letters import PostgresDeadLetters
from tests.run_summary import NO_CHROMIUM
from tools.local_stack.ports import listener

from .chat import NOTE_EVENTS, session_of
from .secrets import LogCapture, Secrets
from .seeded import begin_after_the_seed, seed

PASSWORD = "Cruddur123!"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Browser]:
    """Start Chromium. Without it the tests are skipped, and in CI they fail."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    # Playwright's synchronous interface keeps an event loop in this thread, which Django would refuse to work in.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # The loop's context gets a connection of its own, so this one would never be closed.
    with django_db_blocker.unblock():
        connection.close()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
        # Close the connection of the tests that ran in that context, too.
        with django_db_blocker.unblock():
            connection.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def secrets() -> Iterator[Secrets]:
    """Collect the secrets that are typed in all browser tests; at their end no log may hold any of them."""
    with LogCapture() as capture:
        secrets = Secrets()
        yield secrets
    assert capture.lines or not secrets.noted
    assert secrets.found_in("\n".join(capture.lines)) == []


def other_sessions() -> list[tuple[str, str]]:
    """State and last statement of every connection but this one that the test database has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        return list(cursor.fetchall())


class WebServer:
    """uvicorn in a thread, at the address that the user pool sends people back to."""

    def __init__(self, application: Application) -> None:
        self.url: str = django_settings.APP_URL
        self.application = application
        self.start()

    def start(self) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        sock = listener(port, variable="APP_URL")
        # With the access log, and by the project's own settings of logs: what they write is looked through.
        config = uvicorn.Config(
            self.application,
            log_config=None,
            log_level="info",
            lifespan="on",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [sock]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), f"uvicorn cannot listen at port {port}"
            time.sleep(0.01)

    def wait_until_idle(self) -> None:
        """Wait until the requests of the last pages are answered: an aborted one may leave its connection open."""
        deadline = time.monotonic() + 20
        while self._server.server_state.tasks and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture(scope="session")
def web_server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, collected_static_files: Path
) -> Iterator[WebServer]:
    """Serve the site with production's static files: a page takes 3 of them, not 70.

    Once it has stopped, no connection may be open.
    """
    with override_settings(
        STATIC_ROOT=collected_static_files, WHITENOISE_USE_FINDERS=False, WHITENOISE_AUTOREFRESH=False
    ):
        web_server = WebServer(asgi.site(ASGIHandler()))
    yield web_server
    web_server.wait_until_idle()
    web_server.stop()
    with django_db_blocker.unblock():
        deadline = time.monotonic() + 60
        while other_sessions() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = other_sessions()
        connection.close()
    assert left == []


@pytest.fixture
def server(web_server: WebServer, production_static_files: Path) -> str:
    """Return the address of the web server, whose pages name production's static files."""
    return web_server.url


@pytest.fixture
def site(transactional_db: None, table: MessageTable, server: str) -> Iterator[str]:
    """Seed the site, run a stream worker beside it, and yield its address."""
    seed(table)
    typing.forget()  # its people are those of the last test's
    arn = stream_arn(table)
    begin_after_the_seed(arn)
    stop = threading.Event()

    def work() -> None:
        try:
            StreamConsumer(
                table,
                streams_client(),
                arn,
                PostgresCheckpoints(arn),
                PostgresDeadLetters(arn),
                projected=publish.conversations_changed,
            ).run(stop)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    yield server
    stop.set()
    worker.join(60)


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, site: str, secrets: Secrets) -> Iterator[Visit]:
    """Open a page of the site in a new browser profile.

    An error that it logs, or that its Content-Security-Policy reports, fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def visit(path: str = "/", **options: object) -> Page:
        context = browser.new_context(base_url=site, **options)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        context.add_init_script(NOTE_EVENTS)
        context.on("request", secrets.note_request)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        secrets.note_cookies(context)
        context.close()
    assert complaints == []


Enter = Callable[..., Page]


@pytest.fixture
def enter(visit: Visit) -> Enter:
    """Open the page of the conversations, or another one, for someone who is signed in already."""

    def enter(handle: str, path: str = "/messages", **options: object) -> Page:
        return visit(path, **session_of(handle), **options)

    return enter


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(visit: Visit) -> SignIn:
    """Sign in through Cognito's page, as a person does; returns the page of the conversations."""

    def sign_in(handle: str, **options: object) -> Page:
        page = visit(**options)
        page.get_by_role("button", name="Sign in to chat").click()
        fill_in_sign_in(page, handle)
        page.wait_for_url("**/messages")
        return page

    return sign_in


def fill_in_sign_in(page: Page, handle: str, *, password: str = PASSWORD) -> None:
    """Fill in the emulator's sign-in page and send it."""
    page.locator("[name=username]").fill(f"{handle}@cruddur.example")
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").click()
