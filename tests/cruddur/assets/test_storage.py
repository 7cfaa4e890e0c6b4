"""What `collectstatic` makes for production."""

import re
from pathlib import Path

import pytest
from django.templatetags.static import static


def served(root: Path, name: str) -> str:
    return (root / static(name).removeprefix("/static/")).read_text()


def test_the_stylesheets_are_one_file_in_their_layers(production_static_files: Path) -> None:
    css = served(production_static_files, "css/app.css")

    assert "@import" not in css
    assert "/*" not in css
    assert css.index("@layer tokens {") < css.index("@layer base {") < css.index("@layer layout {")
    assert css.count("{") == css.count("}")
    assert ".message__bubble" in css
    assert "--accent:" in css


def test_every_file_is_named_by_its_content_and_compressed(production_static_files: Path) -> None:
    name = static("css/app.css").removeprefix("/static/")

    assert re.fullmatch(r"css/app\.[0-9a-f]{12}\.css", name)
    assert (production_static_files / f"{name}.gz").exists()
    assert (production_static_files / f"{name}.gz").stat().st_size < 8_000


@pytest.mark.parametrize("entry", ["app", "visitor"])
def test_an_entry_module_is_one_file_with_all_that_it_imports(production_static_files: Path, entry: str) -> None:
    script = served(production_static_files, f"js/{entry}.js")

    assert re.search(r"^(import|export)\b", script, re.MULTILINE) is None
    assert "resolvedOptions().timeZone" in script
