import pytest

from tools.local_stack.ports import free_port, listener
from tools.local_stack.problem import Problem


def test_it_names_the_variable_when_a_port_is_in_use() -> None:
    with listener(0, variable="PORT") as sock:
        port = sock.getsockname()[1]

        with pytest.raises(Problem, match=rf"Port {port} is in use by another program: .* `make run PORT={port + 1}`"):
            listener(port, variable="PORT")


def test_free_port_is_found() -> None:
    port = free_port()

    with listener(port, variable="PORT") as sock:
        assert sock.getsockname() == ("127.0.0.1", port)
