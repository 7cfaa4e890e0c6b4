"""Imports run one way, in no circle, and what the Lambda shares with the worker knows no Django."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from .imports import circles, imports_of, module_name

ROOT = Path(__file__).parents[1]

# The projects, from the bottom. A file imports from its own project and from those before it.
PROJECTS = ("cruddur", "users", "messaging", "moderation", "legacy_import", "tools", "deploy")
ASSEMBLES = {"cruddur/asgi.py"}
"""Puts all parts of the site together, so it may import from every project."""

# The layers of each project, from the bottom. A row is a folder with all below it, or a file; the longest row counts.
# A file imports from its own layer and from those before it.
LAYERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "cruddur": (
        (
            "cruddur/__init__.py",
            "cruddur/asgi_types.py",
            "cruddur/migrations/",
            "cruddur/models.py",
            "cruddur/net.py",
            "cruddur/problem.py",
            "cruddur/text.py",
            "cruddur/value_formats.py",
            "cruddur/variables.py",
            "cruddur/environment.py",
            "cruddur/observability/",
            "cruddur/postgres/postgres_errors.py",
        ),
        ("cruddur/cli/", "cruddur/web/", "cruddur/assets/"),
        ("cruddur/postgres/",),
        (
            "cruddur/apps.py",
            "cruddur/asgi.py",
            "cruddur/checks.py",
            "cruddur/management/",
            "cruddur/settings.py",
            "cruddur/templatetags/",
            "cruddur/urls.py",
        ),
    ),
    "users": (
        (
            "users/__init__.py",
            "users/delete_account.py",
            "users/handle_lookup.py",
            "users/handles.py",
            "users/migrations/",
            "users/models.py",
            "users/people.py",
            "users/permissions.py",
            "users/search.py",
            "users/search_index.py",
            "users/synthetic.py",
        ),
        ("users/cognito/", "users/sessions/"),
        (
            "users/admin.py",
            "users/admin_lookups.py",
            "users/admin_site.py",
            "users/apps.py",
            "users/cognito/views.py",
            "users/forms.py",
            "users/http.py",
            "users/management/",
            "users/oidc.py",
            "users/urls.py",
            "users/views/",
        ),
    ),
    "messaging": (
        ("messaging/__init__.py", "messaging/domain/", "messaging/migrations/", "messaging/models.py"),
        ("messaging/dynamodb/",),
        ("messaging/actions/", "messaging/queries/", "messaging/presenters/", "messaging/realtime/"),
        ("messaging/stream/", "messaging/operations/"),
        (
            "messaging/apps.py",
            "messaging/forms.py",
            "messaging/management/",
            "messaging/middleware.py",
            "messaging/templatetags/",
            "messaging/urls.py",
            "messaging/views/",
        ),
    ),
    "moderation": (
        (
            "moderation/__init__.py",
            "moderation/audit.py",
            "moderation/decisions.py",
            "moderation/migrations/",
            "moderation/models.py",
            "moderation/notices.py",
            "moderation/people.py",
            "moderation/personal_data.py",
            "moderation/queue.py",
            "moderation/reading.py",
            "moderation/reports.py",
            "moderation/snapshots.py",
        ),
        (
            "moderation/admin/",
            "moderation/admin_config.py",
            "moderation/admin_site.py",
            "moderation/apps.py",
            "moderation/forms.py",
            "moderation/urls.py",
            "moderation/views.py",
        ),
    ),
    "legacy_import": (("legacy_import/",), ("legacy_import/management/",)),
    "tools": (("tools/local_stack/",), ("tools/",)),
    "deploy": (("deploy/",),),
}

BREACHES: set[tuple[str, str]] = set()
"""Imports of a higher layer that are still to be removed. Only ever take rows away."""

FILES = {
    module_name(path.relative_to(ROOT)): path.relative_to(ROOT)
    for project in PROJECTS
    for path in sorted((ROOT / project).rglob("*.py"))
    if not {"node_modules", "__pycache__"} & set(path.parts)
}
IMPORTS = {
    module: dict(sorted(imports_of(path, (ROOT / path).read_text(encoding="utf-8"), FILES), reverse=True))
    for module, path in FILES.items()
}
"""For each module those it imports, each with the first line that does."""


def rows(project: str) -> dict[str, int]:
    """Return the rows of a project with the height of their layer."""
    return {row: height for height, layer in enumerate(LAYERS[project]) for row in layer}


def row_of(path: Path) -> str | None:
    """Return the longest row that holds a file, None for a file that no row knows."""
    name = str(path)
    holding = [row for row in rows(path.parts[0]) if name == row or (row.endswith("/") and name.startswith(row))]
    return max(holding, key=len, default=None)


def place(path: Path) -> tuple[int, int]:
    """Return how high a file is: its project, then its layer in it."""
    row = row_of(path)
    assert row, f"{path} is in no layer: add its folder to LAYERS"
    return PROJECTS.index(path.parts[0]), rows(path.parts[0])[row]


@pytest.mark.parametrize(
    "module", ["messaging.stream.lambda_handler", "messaging.stream.consumer", "users.cognito.client"]
)
def test_framework_free_module_imports_without_django(module: str) -> None:
    script = f"import sys, {module}; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_every_package_is_a_project() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages - {"tests"} == set(PROJECTS), "add it to PROJECTS and LAYERS"


def test_every_file_has_a_layer() -> None:
    unknown = [str(path) for path in FILES.values() if row_of(path) is None]

    assert unknown == [], "add their folder to LAYERS"


def test_every_row_has_a_file() -> None:
    used = {row_of(path) for path in FILES.values()}

    assert [row for project in PROJECTS for row in rows(project) if row not in used] == []


def test_no_row_is_in_two_layers() -> None:
    every = [row for project in PROJECTS for layer in LAYERS[project] for row in layer]

    assert sorted(every) == sorted(set(every))
    assert [row for project in PROJECTS for row in rows(project) if not row.startswith(f"{project}/")] == []


def test_no_module_imports_one_of_a_higher_layer() -> None:
    upward = {
        (str(FILES[module]), str(FILES[imported])): line
        for module, imports in IMPORTS.items()
        for imported, line in imports.items()
        if str(FILES[module]) not in ASSEMBLES and place(FILES[imported]) > place(FILES[module])
    }
    new = [f"{low}:{line} imports {high}" for (low, high), line in upward.items() if (low, high) not in BREACHES]

    assert new == [], "a lower layer imports a higher one"
    assert upward.keys() >= BREACHES, "take what is mended out of BREACHES"


def test_no_modules_import_each_other_in_a_circle() -> None:
    found = [
        ", ".join(f"{FILES[low]}:{IMPORTS[low][high]} imports {high}" for low, high in pairwise(circle))
        for circle in circles(IMPORTS)
    ]

    assert found == [], "these imports are a circle: " + "; ".join(found)


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a.b"}),
        ("from a import name", {"a"}),
        ("from a.b import name", {"a.b"}),
        ("from . import b", {"a.b"}),
        ("from .b import name", {"a.b"}),
        ("from .. import b", {"a.b"}),
        ("def f():\n    from a import b", {"a.b"}),
        ("if TYPE_CHECKING:\n    from a import b\nelse:\n    import c", {"c"}),
        ("import os", set()),
    ],
)
def test_imports_are_read_from_the_source(source: str, imported: set[str]) -> None:
    file = Path("a/d/__init__.py") if ".." in source else Path("a/d.py")

    assert {name for name, _ in imports_of(file, source, ["a", "a.b", "a.d", "c"])} == imported


def test_a_circle_is_named_once_and_by_its_shortest_way() -> None:
    graph = {"a": ["b", "c"], "b": ["c"], "c": ["a", "d"], "d": []}

    assert circles(graph) == [["a", "c", "a"]]
    assert circles({"a": ["b"], "b": []}) == []
