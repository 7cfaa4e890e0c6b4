"""Start the local stack (`run`), Amazon's emulator beside it (`dynamodb-local`), or delete what they made (`clean`)."""

import argparse
import errno
import os
from pathlib import Path

from cruddur.cli.program import raise_when_stopped
from cruddur.net import bypass_proxies

from .problem import Problem
from .terminal import complain

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the command and return the exit code. Foreseeable failures print one sentence and return 1."""
    parser = argparse.ArgumentParser(prog="tools.local_stack", description=__doc__)
    parser.add_argument("command", choices=["run", "dynamodb-local", "clean"])
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the process that started it is gone")
    options = parser.parse_args()
    bypass_proxies()
    try:
        match options.command:
            case "clean":
                return clean()
            case "dynamodb-local":
                return dynamodb_local(with_parent=options.stop_with_parent)
        return run(with_parent=options.stop_with_parent)
    except Problem as problem:
        complain(str(problem))
    except PermissionError as error:
        complain(f"{error.filename or 'A file'} may not be written or read by this user: give it to this user.")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        complain(f"The disk of {error.filename or ROOT} is full: free some space and run this again.")
    return 1


def run(*, with_parent: bool) -> int:
    from .stopping import StopRequest  # noqa: PLC0415 - before what takes long to import

    request = StopRequest(with_parent=with_parent)
    request.listen()
    from .environment import read_configuration  # noqa: PLC0415
    from .supervisor import Supervisor  # noqa: PLC0415

    return Supervisor(ROOT, read_configuration(ROOT), request).run()


def dynamodb_local(*, with_parent: bool) -> int:
    from .stopping import StopRequest  # noqa: PLC0415

    request = StopRequest(with_parent=with_parent)
    request.listen()
    from . import dynamodb_local as amazons  # noqa: PLC0415
    from .environment import local_directory, read_port, read_values  # noqa: PLC0415

    values, name = read_values(ROOT), "DYNAMODB_PORT"
    given = {name: read_port(values, name)} if values.get(name) else {}
    return amazons.run(local_directory(ROOT), given=given, request=request)


def clean() -> int:
    raise_when_stopped()
    # Without the virtualenv, which it deletes.
    from .cleaning import clean as clean_all  # noqa: PLC0415

    return clean_all(ROOT, Path(os.environ.get("CRUDDUR_LOCAL_DIR") or ROOT / ".local").absolute())
