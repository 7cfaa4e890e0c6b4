"""Bundle the site's ES modules: static/js/realtime/sse.js is imported as "realtime/sse".

In development an import map in the page resolves these names. In production `collectstatic` joins each entry module
with everything it imports, so that a page loads one script. Joining knows the few forms of import and export that the
modules use and rejects all others.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static

# What pages load: "app" when somebody is signed in, "visitor" on all others.
ENTRIES = ("app", "visitor")

_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)\n", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r'^import (?:(?P<names>\{[^}]*\}|\* as \w+) from )?"(?P<module>[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (?P<name>\w+))", re.MULTILINE)
_REFUSED = re.compile(r"^[ \t]*(?:import|export)\b.*|\bimport\(.*|^await\b.*", re.MULTILINE)


class CannotJoin(Exception):
    """A module that joining does not understand; the message names it and what is in the way."""


def joined(entry: str, *, read: Callable[[str], str]) -> str:
    """Return the module `entry` and all that it imports as one; `read("realtime/sse")` returns a module's text.

    Each becomes a function that returns what it exports, after those that it imports. Lines of comment are left out.
    Raises CannotJoin for an import in a circle or a form that is not known.
    """
    done: dict[str, str] = {}
    _add(entry, done=done, path=(), read=read)
    return "\n".join(done.values())


def _add(module: str, *, done: dict[str, str], path: tuple[str, ...], read: Callable[[str], str]) -> None:
    if module in path:
        raise CannotJoin(f"{' imports '.join([*path, module])}: modules may not import in a circle.")
    if module in done:
        return
    text = _COMMENT.sub("", read(module).rstrip() + "\n")
    for found in _IMPORT.finditer(text):
        _add(found["module"], done=done, path=(*path, module), read=read)
    exports = [found["name"] for found in _EXPORT.finditer(text)]
    body = _EXPORT.sub("", _IMPORT.sub(_binding, text))
    if refused := _REFUSED.search(body):
        raise CannotJoin(f"{module}: joining does not know this form: {refused[0].strip()}")
    if any(line.count("`") % 2 for line in body.splitlines()):
        raise CannotJoin(f"{module}: a template literal over several lines cannot be told from comments.")
    done[module] = f"const {_variable(module)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();\n"


def _binding(found: re.Match[str]) -> str:
    names = found["names"]
    if names is None:
        return ""
    pattern = names.removeprefix("* as ").replace(" as ", ": ")
    return f"const {pattern} = {_variable(found['module'])};\n"


def _variable(module: str) -> str:
    return "$" + re.sub(r"\W", "_", module)


def import_map() -> str:
    """Return the import map of every module under static/js, as JSON; rebuilt when one was added or removed."""
    root = settings.BASE_DIR / "static" / "js"
    directories = [root, *(each for each in root.iterdir() if each.is_dir())]
    return _import_map(root, tuple(each.stat().st_mtime_ns for each in directories))


@functools.lru_cache(maxsize=1)
def _import_map(root: Path, _directories_as_of: tuple[int, ...]) -> str:
    files = sorted(file.relative_to(root) for file in root.rglob("*.js"))
    return json.dumps({"imports": {file.with_suffix("").as_posix(): static(f"js/{file.as_posix()}") for file in files}})
