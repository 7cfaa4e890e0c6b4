#!/usr/bin/env python
"""Django's command line for Cruddur Messages."""

import os
import sys

from cruddur.cli.program import run


def main() -> int:
    """Import what takes long once Ctrl-C and the standard streams are taken care of."""
    from cruddur.cli.command_line import main as command_line  # noqa: PLC0415

    return command_line(sys.argv)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cruddur.settings")
    sys.exit(run(main))
