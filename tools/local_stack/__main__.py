"""Start the local stack, or delete what it made: see `tools/local_stack/command_line.py`."""

import sys

from cruddur.cli.program import run


def main() -> int:
    """Import the command line late, so that Ctrl-C works at once."""
    from .command_line import main as command_line  # noqa: PLC0415

    return command_line()


if __name__ == "__main__":
    # Its output is only informative: it continues if nobody reads it.
    sys.exit(run(main, needs_output=False))
