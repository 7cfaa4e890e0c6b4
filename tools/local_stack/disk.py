"""Check free disk space, and write files atomically."""

import os
import shutil
from pathlib import Path

from .problem import Problem

MEGABYTE = 1024 * 1024


def require_room(directory: Path, *, megabytes: int) -> None:
    """Raise Problem unless the disk of a directory has so much left."""
    free = shutil.disk_usage(directory).free // MEGABYTE
    if free < megabytes:
        raise Problem(
            f"The disk of {directory} is full ({free} MB left, {megabytes} MB needed): "
            "free some space and run this again."
        )


def write_atomically(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file in one step, so that no reader and no kill -9 ever leaves half of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
