"""Detect changes of the project's code."""

import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles

from .terminal import complain

SUFFIXES = (".py", ".html", ".txt", ".json")
MILLISECONDS_BETWEEN_LOOKS = 150


def watched_directories(root: Path) -> list[Path]:
    """Return the project's packages and templates, without tests, virtualenv and generated files."""
    packages = [file.parent for file in root.glob("*/__init__.py")]
    return sorted(each for each in [*packages, root / "templates"] if each.is_dir() and each.name != "tests")


def changes(root: Path) -> Iterator[str]:
    """Yield forever, about seven times a second, the name of a changed file, or "" if none changed."""
    environment = root / ".env"
    before = modified(environment)
    for found in looks(root):
        names = [name for _, name in found if name.endswith(SUFFIXES)]
        now = modified(environment)
        if now != before:
            before = now
            names.append(str(environment))
        yield str(Path(names[0]).relative_to(root)) if names else ""


def looks(root: Path) -> Iterator[set[tuple[watchfiles.Change, str]]]:
    try:
        yield from watchfiles.watch(
            *watched_directories(root.resolve()),
            watch_filter=None,
            step=50,
            debounce=400,
            rust_timeout=MILLISECONDS_BETWEEN_LOOKS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
    except (OSError, RuntimeError) as error:
        complain(f"Changes of the code are not noticed ({error}): restart `make run` after them.")
    while True:
        time.sleep(MILLISECONDS_BETWEEN_LOOKS / 1000)
        yield set()


def modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
