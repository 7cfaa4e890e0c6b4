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
            "users/authenticated.py",
            "users/browser_settings_views.py",
            "users/cognito/views.py",
            "users/forms.py",
            "users/management/",
            "users/redirects.py",
            "users/urls.py",
            "users/views.py",
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

MOVING: dict[str, str] = {
    "cruddur/web/address_limits.py": "cruddur/web/address_limits.py",
    "cruddur/web/cached_urls.py": "cruddur/web/cached_urls.py",
    "cruddur/web/body_limit.py": "cruddur/web/body_limit.py",
    "cruddur/web/client_address.py": "cruddur/web/client_address.py",
    "cruddur/cli/command_line.py": "cruddur/cli/command_line.py",
    "cruddur/cli/command_reference.py": "cruddur/cli/command_reference.py",
    "cruddur/cli/base_command.py": "cruddur/cli/base_command.py",
    "cruddur/cli/confirm.py": "cruddur/cli/confirm.py",
    "cruddur/web/cookies.py": "cruddur/web/cookies.py",
    "cruddur/observability/request_context.py": "cruddur/observability/request_context.py",
    "cruddur/postgres/postgres_errors.py": "cruddur/postgres/postgres_errors.py",
    "cruddur/postgres/roles.py": "cruddur/postgres/roles.py",
    "cruddur/postgres/server.py": "cruddur/postgres/server.py",
    "cruddur/postgres/connections.py": "cruddur/postgres/connections.py",
    "cruddur/postgres/tls.py": "cruddur/postgres/tls.py",
    "cruddur/web/errors.py": "cruddur/web/errors.py",
    "cruddur/web/flash_messages.py": "cruddur/web/flash_messages.py",
    "cruddur/postgres/housekeeping.py": "cruddur/postgres/housekeeping.py",
    "cruddur/assets/bundle.py": "cruddur/assets/bundle.py",
    "cruddur/observability/log.py": "cruddur/observability/log.py",
    "cruddur/net.py": "cruddur/net.py",
    "cruddur/web/manifest.py": "cruddur/web/manifest.py",
    "cruddur/observability/metrics.py": "cruddur/observability/metrics.py",
    "cruddur/web/middleware.py": "cruddur/web/middleware.py",
    "cruddur/web/origin.py": "cruddur/web/origin.py",
    "cruddur/web/preferences.py": "cruddur/web/preferences.py",
    "cruddur/cli/program.py": "cruddur/cli/program.py",
    "cruddur/web/rate_limits.py": "cruddur/web/rate_limits.py",
    "cruddur/observability/request_id.py": "cruddur/observability/request_id.py",
    "cruddur/postgres/connection_table.py": "cruddur/postgres/connection_table.py",
    "cruddur/observability/redact_sql.py": "cruddur/observability/redact_sql.py",
    "cruddur/cli/target.py": "cruddur/cli/target.py",
    "cruddur/cli/standard_streams.py": "cruddur/cli/standard_streams.py",
    "cruddur/assets/storage.py": "cruddur/assets/storage.py",
    "cruddur/observability/telemetry.py": "cruddur/observability/telemetry.py",
    "cruddur/cli/terminal.py": "cruddur/cli/terminal.py",
    "cruddur/web/concurrency_limit.py": "cruddur/web/concurrency_limit.py",
    "cruddur/web/reject_malformed.py": "cruddur/web/reject_malformed.py",
    "messaging/actions/delete_account.py": "messaging/actions/delete_account.py",
    "messaging/dynamodb/transactions.py": "messaging/dynamodb/transactions.py",
    "messaging/actions/send_limits.py": "messaging/actions/send_limits.py",
    "messaging/actions/edit_message.py": "messaging/actions/edit_message.py",
    "messaging/dynamodb/response_parsing.py": "messaging/dynamodb/response_parsing.py",
    "messaging/actions/send_message.py": "messaging/actions/send_message.py",
    "messaging/actions/conversation_settings.py": "messaging/actions/conversation_settings.py",
    "messaging/dynamodb/requested_keys.py": "messaging/dynamodb/requested_keys.py",
    "messaging/dynamodb/client.py": "messaging/dynamodb/client.py",
    "messaging/actions/block.py": "messaging/actions/block.py",
    "messaging/dynamodb/requests.py": "messaging/dynamodb/requests.py",
    "messaging/queries/sync.py": "messaging/queries/sync.py",
    "messaging/dynamodb/connection.py": "messaging/dynamodb/connection.py",
    "messaging/queries/conversations.py": "messaging/queries/conversations.py",
    "messaging/views/debug_panel.py": "messaging/views/debug_panel.py",
    "messaging/dynamodb/table.py": "messaging/dynamodb/table.py",
    "messaging/dynamodb/entry_table.py": "messaging/dynamodb/entry_table.py",
    "messaging/dynamodb/items.py": "messaging/dynamodb/items.py",
    "messaging/stream/lambda_handler.py": "messaging/stream/lambda_handler.py",
    "messaging/queries/recent_sends.py": "messaging/queries/recent_sends.py",
    "messaging/actions/leave_conversations.py": "messaging/actions/leave_conversations.py",
    "messaging/domain/folders.py": "messaging/domain/folders.py",
    "messaging/realtime/__init__.py": "messaging/realtime/__init__.py",
    "messaging/realtime/admission.py": "messaging/realtime/admission.py",
    "messaging/realtime/bus/__init__.py": "messaging/realtime/bus/__init__.py",
    "messaging/realtime/endpoint.py": "messaging/realtime/endpoint.py",
    "messaging/realtime/events.py": "messaging/realtime/events.py",
    "messaging/realtime/hub.py": "messaging/realtime/hub.py",
    "messaging/realtime/bus/postgres.py": "messaging/realtime/bus/postgres.py",
    "messaging/realtime/publish.py": "messaging/realtime/publish.py",
    "messaging/realtime/bus/redis.py": "messaging/realtime/bus/redis.py",
    "messaging/realtime/rendering.py": "messaging/realtime/rendering.py",
    "messaging/realtime/session_store.py": "messaging/realtime/session_store.py",
    "messaging/realtime/session_checks.py": "messaging/realtime/session_checks.py",
    "messaging/realtime/shutdown.py": "messaging/realtime/shutdown.py",
    "messaging/realtime/sse.py": "messaging/realtime/sse.py",
    "messaging/realtime/typing.py": "messaging/realtime/typing.py",
    "messaging/dynamodb/malformed.py": "messaging/dynamodb/malformed.py",
    "legacy_import/management/commands/ddb_import_reference.py": "legacy_import/management/",
    "messaging/actions/message_requests.py": "messaging/actions/message_requests.py",
    "legacy_import/__init__.py": "legacy_import/__init__.py",
    "legacy_import/write_conversation.py": "legacy_import/write_conversation.py",
    "legacy_import/run.py": "legacy_import/run.py",
    "legacy_import/merge_conversations.py": "legacy_import/merge_conversations.py",
    "legacy_import/legacy_items.py": "legacy_import/legacy_items.py",
    "legacy_import/legacy_table.py": "legacy_import/legacy_table.py",
    "legacy_import/legacy_timestamps.py": "legacy_import/legacy_timestamps.py",
    "legacy_import/resolve_members.py": "legacy_import/resolve_members.py",
    "legacy_import/report.py": "legacy_import/report.py",
    "legacy_import/survey.py": "legacy_import/survey.py",
    "messaging/dynamodb/bulk.py": "messaging/dynamodb/bulk.py",
    "messaging/dynamodb/item_kinds.py": "messaging/dynamodb/item_kinds.py",
    "messaging/dynamodb/message_range.py": "messaging/dynamodb/message_range.py",
    "messaging/dynamodb/metering.py": "messaging/dynamodb/metering.py",
    "messaging/dynamodb/retry.py": "messaging/dynamodb/retry.py",
    "messaging/dynamodb/schema.py": "messaging/dynamodb/schema.py",
    "messaging/dynamodb/schema_differences.py": "messaging/dynamodb/schema_differences.py",
    "messaging/dynamodb/tables.py": "messaging/dynamodb/tables.py",
    "messaging/queries/export_data.py": "messaging/queries/export_data.py",
    "messaging/operations/capacity/__init__.py": "messaging/operations/capacity/__init__.py",
    "messaging/operations/capacity/habits.py": "messaging/operations/capacity/habits.py",
    "messaging/operations/capacity/machines.py": "messaging/operations/capacity/machines.py",
    "messaging/operations/capacity/patterns.py": "messaging/operations/capacity/patterns.py",
    "messaging/operations/capacity/plan.py": "messaging/operations/capacity/plan.py",
    "messaging/operations/capacity/prices.py": "messaging/operations/capacity/prices.py",
    "messaging/presenters/__init__.py": "messaging/presenters/__init__.py",
    "messaging/presenters/edit_message.py": "messaging/presenters/edit_message.py",
    "messaging/presenters/rich_text.py": "messaging/presenters/rich_text.py",
    "messaging/presenters/composer.py": "messaging/presenters/composer.py",
    "messaging/presenters/avatar.py": "messaging/presenters/avatar.py",
    "messaging/presenters/conversations.py": "messaging/presenters/conversations.py",
    "messaging/presenters/links.py": "messaging/presenters/links.py",
    "messaging/presenters/message.py": "messaging/presenters/message.py",
    "messaging/presenters/conversation_menu.py": "messaging/presenters/conversation_menu.py",
    "messaging/presenters/write_permission.py": "messaging/presenters/write_permission.py",
    "messaging/presenters/conversation.py": "messaging/presenters/conversation.py",
    "messaging/presenters/dates.py": "messaging/presenters/dates.py",
    "messaging/stream/projection.py": "messaging/stream/projection.py",
    "messaging/operations/readiness.py": "messaging/operations/readiness.py",
    "messaging/operations/consistency/__init__.py": "messaging/operations/consistency/__init__.py",
    "messaging/operations/consistency/comparison.py": "messaging/operations/consistency/comparison.py",
    "messaging/operations/consistency/findings.py": "messaging/operations/consistency/findings.py",
    "messaging/operations/consistency/snapshot_reader.py": "messaging/operations/consistency/snapshot_reader.py",
    "messaging/operations/consistency/reconcile.py": "messaging/operations/consistency/reconcile.py",
    "messaging/operations/consistency/repairs.py": "messaging/operations/consistency/repairs.py",
    "messaging/operations/consistency/recheck.py": "messaging/operations/consistency/recheck.py",
    "messaging/actions/send_queue.py": "messaging/actions/send_queue.py",
    "messaging/domain/send_history.py": "messaging/domain/send_history.py",
    "messaging/domain/transitions.py": "messaging/domain/transitions.py",
    "messaging/actions/sign_out.py": "messaging/actions/sign_out.py",
    "messaging/dynamodb/table_definition.py": "messaging/dynamodb/table_definition.py",
    "messaging/domain/text.py": "messaging/domain/text.py",
    "messaging/queries/unread_total.py": "messaging/queries/unread_total.py",
    "messaging/dynamodb/codec.py": "messaging/dynamodb/codec.py",
    "messaging/views/edit_message.py": "messaging/views/edit_message.py",
    "messaging/views/conversation_settings.py": "messaging/views/conversation_settings.py",
    "messaging/views/block.py": "messaging/views/block.py",
    "messaging/views/conversations.py": "messaging/views/conversations.py",
    "messaging/views/sync.py": "messaging/views/sync.py",
    "messaging/views/http.py": "messaging/views/http.py",
    "messaging/views/send_message.py": "messaging/views/send_message.py",
    "messaging/views/start_conversation.py": "messaging/views/start_conversation.py",
    "messaging/views/conversation.py": "messaging/views/conversation.py",
    "messaging/dynamodb/request_log.py": "messaging/dynamodb/request_log.py",
    "messaging/worker/__init__.py": "messaging/stream/__init__.py",
    "messaging/stream/leader_lock.py": "messaging/stream/leader_lock.py",
    "messaging/stream/apply.py": "messaging/stream/apply.py",
    "messaging/stream/checkpoints.py": "messaging/stream/checkpoints.py",
    "messaging/stream/dead_letters.py": "messaging/stream/dead_letters.py",
    "messaging/stream/account_deletion_job.py": "messaging/stream/account_deletion_job.py",
    "messaging/stream/lag.py": "messaging/stream/lag.py",
    "messaging/stream/consumer_types.py": "messaging/stream/consumer_types.py",
    "messaging/dynamodb/shards.py": "messaging/dynamodb/shards.py",
    "messaging/stream/consumer.py": "messaging/stream/consumer.py",
    "messaging/stream/status.py": "messaging/stream/status.py",
    "moderation/admin/permissions.py": "moderation/admin/permissions.py",
    "users/cognito/provisioning.py": "users/cognito/provisioning.py",
    "users/browser_settings_views.py": "users/browser_settings_views.py",
    "users/cognito/client.py": "users/cognito/client.py",
    "users/cognito/error_messages.py": "users/cognito/error_messages.py",
    "users/delete_account.py": "users/delete_account.py",
    "users/cognito/id_tokens.py": "users/cognito/id_tokens.py",
    "users/cognito/linking.py": "users/cognito/linking.py",
    "legacy_import/import_users.py": "legacy_import/import_users.py",
    "users/cognito/oidc.py": "users/cognito/oidc.py",
    "legacy_import/legacy_users.py": "legacy_import/legacy_users.py",
    "users/cognito/pool.py": "users/cognito/pool.py",
    "users/permissions.py": "users/permissions.py",
    "users/search_index.py": "users/search_index.py",
    "users/cognito/sign_in.py": "users/cognito/sign_in.py",
    "users/cognito/views.py": "users/cognito/views.py",
    "users/cognito/signing_keys.py": "users/cognito/signing_keys.py",
    "users/handle_lookup.py": "users/handle_lookup.py",
}
"""Files that are still to be moved, and where to: they are judged by that."""

BREACHES = {
    ("messaging/domain/folders.py", "messaging/dynamodb/items.py"),
    ("messaging/domain/send_history.py", "messaging/dynamodb/codec.py"),
    ("messaging/domain/transitions.py", "messaging/dynamodb/items.py"),
}
"""Imports of a higher layer that are still to be removed. Only ever take rows away."""

IN_CIRCLES = {
    "cruddur.observability.metrics",
    "cruddur.observability.telemetry",
    "messaging.realtime.bus",
    "messaging.realtime.bus.postgres",
    "messaging.realtime.publish",
    "messaging.realtime.bus.redis",
    "messaging.realtime.session_store",
    "messaging.realtime.session_checks",
}
"""Modules that are still to be taken out of their circles."""

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
    name = MOVING.get(str(path), str(path))
    project = name.partition("/")[0]
    holding = [row for row in rows(project) if name == row or (row.endswith("/") and name.startswith(row))]
    return max(holding, key=len, default=None)


def place(path: Path) -> tuple[int, int]:
    """Return how high a file is: its project, then its layer in it."""
    row = row_of(path)
    assert row, f"{path} is in no layer: add its folder to LAYERS"
    project = row.partition("/")[0]
    return PROJECTS.index(project), rows(project)[row]


@pytest.mark.parametrize(
    "module", ["messaging.stream.lambda_handler", "messaging.stream.consumer", "users.cognito.client"]
)
def test_it_imports_without_django(module: str) -> None:
    script = f"import sys, {module}; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_every_file_has_a_layer() -> None:
    unknown = [str(path) for path in FILES.values() if row_of(path) is None]

    assert unknown == [], "add their folder to LAYERS"


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
        if not set(circle) <= IN_CIRCLES
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
