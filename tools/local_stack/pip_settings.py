"""Read pip's configured package index, certificates and proxies, in the form that pip or uv reads.

Uses `pip config list`, which covers all of pip's sources: global, user and environment files, PIP_CONFIG_FILE and the
PIP_ variables. Other settings, for example constraints and targets, are ignored: only the locks say what is installed.
Needs only Python itself.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .problem import Problem

KEPT = (
    "cache-dir", "cert", "client-cert", "extra-index-url", "find-links", "index-url", "keyring-provider",
    "no-cache-dir", "no-index", "proxy", "retries", "timeout", "trusted-host",
)  # fmt: skip
OTHER_NAMES = {"default-timeout": "timeout", "pypi-url": "index-url"}
KEPT_OF_UV = re.compile(
    r"UV_(CACHE_DIR|CONCURRENT_\w+|CONFIG_FILE|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|HTTP_\w+|INDEX|INDEX_URL"
    r"|INDEX_\w+_(USERNAME|PASSWORD)|INSECURE_HOST|KEYRING_PROVIDER|LINK_MODE|NATIVE_TLS|NO_CACHE|NO_CONFIG|OFFLINE"
    r"|REQUEST_TIMEOUT|SYSTEM_CERTS)"
)
TRUE = ("1", "true", "yes", "on", "y", "t")


def read(pip: Sequence[str]) -> dict[str, str]:
    """Return pip's settings of KEPT by name, as the command `pip` resolves them. Raises Problem if it cannot."""
    answer = subprocess.run(
        [*pip, "config", "list"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if answer.returncode:
        said = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
        raise Problem(f"pip cannot read its configuration, put it right and run make again: {said[-1] if said else ''}")
    return parse(answer.stdout)


def parse(listing: str) -> dict[str, str]:
    """Read what `pip config list` prints: `section.name='value'` lines; the environment wins, then `install`."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in found and value:
            name = name.lower().replace("_", "-")
            found[section][OTHER_NAMES.get(name, name)] = str(ast.literal_eval(value))
    merged = {**found["global"], **found["install"], **found[":env:"]}
    return {name: value for name, value in merged.items() if name in KEPT and value.strip()}


def for_pip(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which pip uses these settings and no others."""
    kept = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
    given = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    return {**kept, **given, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def for_uv(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which uv uses the same index, certificates and proxies; uv's own variables win."""
    kept = {name: value for name, value in environment.items() if not name.startswith("UV_") or KEPT_OF_UV.match(name)}
    given = {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(settings.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(link for link in settings.get("find-links", "").split() if is_there(link)),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": re.sub(r"\..*", "", settings.get("timeout", "")),
        "UV_HTTP_RETRIES": settings.get("retries", ""),
        "UV_KEYRING_PROVIDER": "subprocess" if settings.get("keyring-provider") == "subprocess" else "",
    }
    if "UV_INDEX_URL" in kept:
        del given["UV_DEFAULT_INDEX"]
    if "UV_EXTRA_INDEX_URL" in kept:
        del given["UV_INDEX"]
    return {**{name: value for name, value in given.items() if value}, **kept, **connections(settings, environment)}


def connections(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the certificates and proxies of pip as the variables that any other client reads."""
    found: dict[str, str] = {}
    bundle = settings.get("cert") or environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")
    if bundle:
        found["SSL_CERT_DIR" if Path(bundle).is_dir() else "SSL_CERT_FILE"] = bundle
    elif "UV_NATIVE_TLS" not in environment:
        found["UV_SYSTEM_CERTS"] = environment.get("UV_SYSTEM_CERTS", "1")
    if "client-cert" in settings:
        found["SSL_CLIENT_CERT"] = settings["client-cert"]
    if "proxy" in settings:
        proxy = settings["proxy"] if "://" in settings["proxy"] else f"http://{settings['proxy']}"
        found |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
    return found


def for_others(settings: Mapping[str, str]) -> dict[str, str]:
    """Return pip's certificates and proxies as the variables that Node and Python's requests read."""
    found = {name: value for name, value in connections(settings, {}).items() if name.lower().endswith("_proxy")}
    if "cert" in settings:
        found["REQUESTS_CA_BUNDLE"] = settings["cert"]
        found["NODE_EXTRA_CA_CERTS"] = settings["cert"]
    return found


def is_asked_to_use_no_index(settings: Mapping[str, str]) -> bool:
    """Return whether pip may install from its find-links alone."""
    return settings.get("no-index", "").lower() in TRUE


def is_there(link: str) -> bool:
    """Return whether a location of find-links is an address, or a file or directory that exists: uv fails on others."""
    if link.startswith("file:"):
        return Path(unquote(urlsplit(link).path)).exists()
    return "://" in link or Path(link).expanduser().exists()
