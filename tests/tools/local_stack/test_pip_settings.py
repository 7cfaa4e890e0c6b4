from pathlib import Path

import pytest

from tools.local_stack import pip_settings

LISTING = """\
:env:.default-timeout='180'
:env:.find-links='/not/there'
global.constraint='/etc/constraints.txt'
global.extra-index-url='https://one.example/simple\\nfile:///two/simple'
global.find-links='/opt/wheels'
global.index-url='https://global.example/simple'
install.index-url='https://user:secret@packages.example/simple'
install.target='/somewhere'
download.index-url='https://download.example/simple'
global.cert='/etc/ssl/company.pem'
global.proxy='proxy.example:3128'
global.trusted-host='one.example two.example'
"""


def test_environment_wins_over_files_and_other_settings_are_left_out() -> None:
    settings = pip_settings.parse(LISTING)

    assert settings["index-url"] == "https://user:secret@packages.example/simple"
    assert settings["find-links"] == "/not/there"
    assert settings["timeout"] == "180"
    assert not {"constraint", "target"} & settings.keys()


def test_uv_gets_index_certificates_and_proxy_of_pip() -> None:
    environment = pip_settings.for_uv(
        pip_settings.parse(LISTING), {"PATH": "/bin", "UV_CONSTRAINT": "/x", "UV_PYTHON": "3"}
    )

    assert environment == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://user:secret@packages.example/simple",
        "UV_INDEX": "https://one.example/simple file:///two/simple",
        "UV_INSECURE_HOST": "one.example two.example",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/ssl/company.pem",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://proxy.example:3128"),
    }


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_index_that_uv_itself_is_told_wins(name: str) -> None:
    environment = pip_settings.for_uv(pip_settings.parse(LISTING), {name: "https://uv.example/simple"})

    assert environment[name] == "https://uv.example/simple"
    assert "https://user:secret@packages.example/simple" not in environment.values()


def test_directory_of_certificates_is_told_as_such(tmp_path: Path) -> None:
    assert pip_settings.connections({"cert": str(tmp_path)}, {}) == {"SSL_CERT_DIR": str(tmp_path)}


def test_machine_s_own_certificates_count_where_pip_names_none() -> None:
    assert pip_settings.connections({}, {}) == {"UV_SYSTEM_CERTS": "1"}
    assert pip_settings.connections({}, {"REQUESTS_CA_BUNDLE": "/a.pem"}) == {"SSL_CERT_FILE": "/a.pem"}


def test_links_that_exist_are_kept_and_others_left_out(tmp_path: Path) -> None:
    links = f"{tmp_path} {tmp_path.as_uri()} /not/there file:///not/there https://links.example/"

    kept = pip_settings.for_uv({"find-links": links}, {})["UV_FIND_LINKS"].split(",")

    assert kept == [str(tmp_path), tmp_path.as_uri(), "https://links.example/"]


def test_pip_gets_these_settings_and_no_others() -> None:
    environment = pip_settings.for_pip({"index-url": "https://a.example"}, {"PIP_TARGET": "/x", "HOME": "/root"})

    assert environment["PIP_INDEX_URL"] == "https://a.example"
    assert environment["PIP_CONFIG_FILE"] == "/dev/null"
    assert environment["HOME"] == "/root"
    assert "PIP_TARGET" not in environment
