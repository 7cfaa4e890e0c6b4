"""DynamoDB Local for the tests: one for each test process, and a new one for each test file.

At each write it scans the records of all streams that it ever had, on a single processor. Shared by the whole suite, it
would get slower with each test.
"""

import shutil
import tempfile
from pathlib import Path

from .aws import ROOT
from .dynamodb_local import DynamoDbLocal, fetched
from .environment import local_directory
from .ports import BROWSERS_REFUSE, free_port


class TestsDynamoDbLocal:
    """The emulator of this process, always on the same port."""

    __test__ = False

    def __init__(self, emulator: Path) -> None:
        """Start it. Raises Problem."""
        self.directory = Path(tempfile.mkdtemp(prefix="cruddur-dynamodb-"))
        self.server = DynamoDbLocal(self.directory / "run", emulator=emulator, port=free_port(among=BROWSERS_REFUSE))
        self.server.start()

    def environment(self) -> dict[str, str]:
        """Return the variables for cruddur/settings.py."""
        return dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"), self.server.url)

    def begin_anew(self) -> None:
        """Put another one, which is empty, in its place. Raises Problem."""
        self.server.stop()
        self.server.start()

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def emulator() -> Path:
    """Return the emulator's directory, shared with `.local`; fetch it if missing. Raises Problem."""
    return fetched(local_directory(ROOT))
