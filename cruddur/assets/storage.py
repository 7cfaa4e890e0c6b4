"""Static files in production: the stylesheets and scripts joined, everything named by its content and compressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from . import bundle

MANIFEST = "css/app.css"
IMPORT = re.compile(r'@import url\("(?P<name>[^"]+)"\) layer\((?P<layer>[^)]+)\);')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def joined(manifest: str, *, read: Callable[[str], str]) -> str:
    """Replace each `@import url("x") layer(y);` of a stylesheet by `@layer y { … }` around what `read(x)` returns.

    Comments are left out: they are for whoever reads the source.
    """
    text = IMPORT.sub(lambda found: f"@layer {found['layer']} {{\n{read(found['name']).strip()}\n}}", manifest)
    return COMMENT.sub("", text)


class JoinedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """whitenoise's storage with css/app.css and each entry module as one file: few requests before the first paint."""

    joins_modules = True  # so pages need no import map

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if not dry_run:
            # Made before any is saved, as the entries are themselves what is replaced.
            texts = {f"js/{entry}.js": self._joined_modules(entry) for entry in bundle.ENTRIES}
            texts[MANIFEST] = joined(self._text(MANIFEST), read=lambda name: self._text(f"css/{name}"))
            for name, text in texts.items():
                self.delete(name)
                self.save(name, ContentFile(text.encode()))
            paths = {**paths, **{name: (self, name) for name in texts}}
        yield from super().post_process(paths, dry_run, **options)

    def _joined_modules(self, entry: str) -> str:
        return bundle.joined(entry, read=lambda module: self._text(f"js/{module}.js"))

    def _text(self, name: str) -> str:
        with self.open(name) as file:
            return str(file.read().decode())
