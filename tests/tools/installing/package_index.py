"""A package index on loopback: wheels that a test makes, or the real index with newer releases of everything."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAR_NEWER = "9999.0"


def wheel(name: str, version: str, *, requires: Sequence[str] = (), files: dict[str, bytes] | None = None) -> bytes:
    """Return a wheel for any platform, with a module of its own name that says its version."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: fast\n"]
    metadata += [f"Requires-Dist: {each}\n" for each in requires]
    contents = {
        f"{name}.py": f'VERSION = "{version}"\n'.encode(),
        **(files or {}),
        f"{info}/METADATA": "".join(metadata).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*contents, f"{info}/RECORD"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in contents.items():
            archive.writestr(file, content)
    return buffer.getvalue()


class PackageIndex:
    """The pages and files of an index by path; notes what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.url = ""
        self.fallback: Callable[[str], bytes | None] = lambda path: None

    def add(self, name: str, version: str, content: bytes | None = None, *, requires: Sequence[str] = ()) -> str:
        """Add a release; return its line in a lock."""
        content = content or wheel(name, version, requires=requires)
        self.files[f"/files/{name}-{version}-py3-none-any.whl"] = content
        return f"{name}=={version} \\\n    --hash=sha256:{sha256(content).hexdigest()}\n"

    def answer(self, path: str) -> bytes | None:
        """Return what is at a path; None where nothing is."""
        self.requests.append(path)
        if path in self.files:
            return self.files[path]
        kind, _, name = path.strip("/").partition("/")
        found = [file for file in self.files if kind == "simple" and file.startswith(f"/files/{name}-")]
        links = [f'<a href="{file}#sha256={sha256(self.files[file]).hexdigest()}">{file[7:]}</a>' for file in found]
        return (
            "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()
            if links
            else (self.fallback(path))
        )


@contextmanager
def served(index: PackageIndex) -> Iterator[PackageIndex]:
    """Serve an index at its `url`; as a proxy, for any other host too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = index.answer(urlsplit(self.path).path)
            self.send_response(404 if content is None else 200)
            self.send_header(
                "Content-Type", "text/html" if self.path.rstrip("/").count(".whl") == 0 else "application/zip"
            )
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}"
    yield index
    server.shutdown()
    server.server_close()
    thread.join(60)
