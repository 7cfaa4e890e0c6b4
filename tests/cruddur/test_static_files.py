"""What `collectstatic` makes for production."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.templatetags.static import static
from pytest_django import Settings

STORAGE = "cruddur.static_files.JoinedStaticFilesStorage"


@pytest.fixture
def collected(tmp_path: Path, settings: Settings) -> Path:
    """The directory that the web server serves."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": STORAGE}}
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def served(collected: Path, name: str) -> str:
    return (collected / static(name).removeprefix("/static/")).read_text()


def test_the_stylesheets_are_one_file_in_their_layers(collected: Path) -> None:
    css = served(collected, "css/app.css")

    assert "@import" not in css
    assert "/*" not in css
    assert css.index("@layer tokens {") < css.index("@layer base {") < css.index("@layer layout {")
    assert css.count("{") == css.count("}")
    assert ".message__bubble" in css
    assert "--accent:" in css


def test_every_file_is_named_by_its_content_and_compressed(collected: Path) -> None:
    name = static("css/app.css").removeprefix("/static/")

    assert re.fullmatch(r"css/app\.[0-9a-f]{12}\.css", name)
    assert (collected / f"{name}.gz").exists()
    assert (collected / f"{name}.gz").stat().st_size < 8_000


@pytest.mark.parametrize("entry", ["app", "visitor"])
def test_an_entry_module_is_one_file_with_all_that_it_imports(collected: Path, entry: str) -> None:
    script = served(collected, f"js/{entry}.js")

    assert re.search(r"^(import|export)\b", script, re.MULTILINE) is None
    assert "timezone=" in script
