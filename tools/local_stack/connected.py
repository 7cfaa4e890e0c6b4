"""`python -m tools.local_stack.connected COMMAND …`: run a command with the certificates and proxies of pip.

npm and pip-audit need the same network settings but do not read pip's configuration. Variables that are already set
stay.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import os
import sys
from pathlib import Path

from . import pip_settings
from .installers import a_pip
from .problem import Problem
from .terminal import complain


def main() -> int:
    """Become the command; return 1 where that is not possible."""
    parser = argparse.ArgumentParser(prog="tools.local_stack.connected", description=__doc__)
    parser.add_argument("command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = [options.command, *options.arguments]
    try:
        with a_pip(Path(sys.prefix)) as pip:
            settings = pip_settings.read(pip)
    except Problem as problem:
        complain(str(problem))
        return 1
    try:
        os.execvpe(command[0], command, {**pip_settings.for_others(settings), **os.environ})  # noqa: S606 - no shell
    except OSError as error:
        complain(f"{command[0]} cannot be started: {error.strerror}.")
        return 1


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
