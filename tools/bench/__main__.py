"""Run the measurements with `python -m tools.bench`: see `tools/bench/command_line.py`."""

import sys

from cruddur.cli.program import raise_when_stopped, run


def main() -> int:
    """Import what takes long once Ctrl-C and the standard streams are taken care of."""
    from .command_line import main as command_line  # noqa: PLC0415

    raise_when_stopped()
    return command_line()


if __name__ == "__main__":
    sys.exit(run(main))
