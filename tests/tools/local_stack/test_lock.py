from pathlib import Path

import pytest

from tools.local_stack import lock
from tools.local_stack.problem import Problem


def test_second_start_names_the_running_one(tmp_path: Path) -> None:
    with lock.held(tmp_path) as note:
        with pytest.raises(Problem, match="already running at an address it has not told yet"), lock.held(tmp_path):
            pass
        note("http://localhost:8000")

        with pytest.raises(Problem, match="already running at http://localhost:8000"), lock.held(tmp_path):
            pass


def test_lock_is_released_at_the_end(tmp_path: Path) -> None:
    with lock.held(tmp_path):
        pass

    with lock.held(tmp_path):
        pass
