"""Delete everything that was generated, unless the stack is running (`make clean`). Needs only Python itself."""

import shutil
from pathlib import Path

from . import lock, postgres_home
from .terminal import say

CACHES = (".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "staticfiles", "test-results")


def clean(root: Path, local: Path) -> int:
    """Delete the state with all data, the virtualenv and the caches. Raises Problem if the stack is running."""
    if local.exists():
        with lock.held(local):
            say(f"Deleting {local} with all its data, the virtualenv and the caches …")
            postgres_home.remove(local / "postgres")
            shutil.rmtree(local)
    for name in CACHES:
        shutil.rmtree(root / name, ignore_errors=True)
    for directory in [*root.glob("__pycache__"), *root.glob("*/**/__pycache__")]:
        shutil.rmtree(directory, ignore_errors=True)
    for file in root.glob(".coverage*"):
        file.unlink()
    return 0
