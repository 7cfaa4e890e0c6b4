"""`python -m deploy.digests`: pin the images of Dockerfile and compose.yaml to the digests that their tags mean today.

A tag can be moved to another image, a digest is the hash of what it names. Asks the images' registries by their
standard API, with the anonymous token that they hand out, and writes `name:tag@sha256:…`. Needs nothing but Python.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cruddur.net import bypass_proxies, is_loopback
from cruddur.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
DOCKER_HUB = "https://registry-1.docker.io"
FILES = {
    "Dockerfile": re.compile(r"^(FROM )([^\s@]+:[^\s@:]+)(?:@sha256:[0-9a-f]{64})?(?=\s|$)", re.MULTILINE),
    "compose.yaml": re.compile(r"^(    image: )([^\s@]+:[^\s@:]+)(?:@sha256:[0-9a-f]{64})?$", re.MULTILINE),
}
"""Matches images with a tag. Those without one are build stages, or are built here."""
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""Prefer an index: it lists the image of each platform, so its digest works for all of them."""
LARGEST_MANIFEST = 4 * 1024 * 1024
SECONDS = 30.0


@dataclass(frozen=True)
class Image:
    """An image: the registry's origin, the repository and the tag."""

    registry: str
    repository: str
    tag: str


def image_from(reference: str) -> Image:
    """Return what a name such as `postgres:18` or `ghcr.io/owner/name:1` means."""
    name, _, tag = reference.rpartition(":")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Image(f"https://{first}", rest, tag)
    return Image(DOCKER_HUB, name if slash else f"library/{name}", tag)


def pin(root: Path, *, registry: str | None = None) -> dict[str, str]:
    """Write the digests into the files below `root`; return each image's. Writes nothing unless all are found.

    `registry` is the origin of a mirror that is asked in the place of the images' own registries. Raises Problem.
    """
    texts = {name: (root / name).read_text(encoding="utf-8") for name in FILES}
    references = {found[2] for name, text in texts.items() for found in FILES[name].finditer(text)}
    digests = {each: digest_of(image_from(each), registry=registry) for each in sorted(references)}
    for name, text in texts.items():
        pinned = FILES[name].sub(lambda found: f"{found[1]}{found[2]}@{digests[found[2]]}", text)
        draft = root / f"{name}.new"
        draft.write_text(pinned, encoding="utf-8")
        draft.replace(root / name)
    return digests


def digest_of(image: Image, *, registry: str | None = None) -> str:
    """Return the digest of what the tag means now, computed from the manifest itself. Raises Problem."""
    origin = registry or image.registry
    url = f"{origin}/v2/{image.repository}/manifests/{image.tag}"
    headers = {"Accept": ", ".join(MANIFESTS)}
    try:
        body, told = _get(url, headers)
    except urllib.error.HTTPError as error:
        if error.code != 401:  # noqa: PLR2004 - not signed in
            raise _problem(image, origin, f"it answered {error.code}") from error
        try:
            token = _token(error.headers.get("WWW-Authenticate", ""), image, origin)
            body, told = _get(url, {**headers, "Authorization": f"Bearer {token}"})
        except urllib.error.HTTPError as refused:
            raise _problem(image, origin, f"it answered {refused.code}") from refused
        except OSError as away:
            raise _problem(image, origin, "it does not answer") from away
    except OSError as error:
        raise _problem(image, origin, "it does not answer") from error
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if told and told != digest:
        raise _problem(image, origin, "what it sent is not what its digest says")
    return digest


def _token(challenge: str, image: Image, origin: str) -> str:
    """Return the anonymous token that a registry's challenge says where to get."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge)) if challenge.lower().startswith("bearer ") else {}
    realm = asked.get("realm", "")
    if urllib.parse.urlsplit(realm).scheme != "https" and not is_loopback(realm):
        raise _problem(image, origin, "it does not say where to get a token")
    query = {"service": asked.get("service", ""), "scope": f"repository:{image.repository}:pull"}
    answer, _ = _get(f"{realm}?{urllib.parse.urlencode(query)}", {})
    try:
        found: Any = json.loads(answer)
        token = found.get("token") or found["access_token"]
    except (ValueError, KeyError, AttributeError) as error:
        raise _problem(image, origin, "it gives no token") from error
    return str(token)


def _get(url: str, headers: dict[str, str]) -> tuple[bytes, str]:
    """Return the body and the digest that the answer names. A redirect is an HTTPError: a token is for one host."""
    request = urllib.request.Request(url, headers={"User-Agent": "cruddur-digests", **headers})  # noqa: S310 - http(s)
    with urllib.request.build_opener(_NoRedirects).open(request, timeout=SECONDS) as answer:
        body = answer.read(LARGEST_MANIFEST + 1)
        if len(body) > LARGEST_MANIFEST:
            raise OSError
        return body, answer.headers.get("Docker-Content-Digest", "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _problem(image: Image, origin: str, what: str) -> Problem:
    return Problem(f"{origin} has no digest of {image.repository}:{image.tag} for us: {what}. Nothing was changed.")


def main() -> int:
    """Return the exit code: 0 done, 1 not."""
    parser = argparse.ArgumentParser(prog="deploy.digests", description=__doc__)
    parser.add_argument("--registry", metavar="ORIGIN", help="a mirror to ask, as in https://mirror.example.com")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    bypass_proxies()
    try:
        for reference, digest in pin(options.root, registry=options.registry).items():
            sys.stdout.write(f"{reference}@{digest}\n")
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main, is_loaded=True))
