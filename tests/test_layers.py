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
    "cruddur/address_limits.py": "cruddur/web/address_limits.py",
    "cruddur/addresses.py": "cruddur/web/cached_urls.py",
    "cruddur/body_limit.py": "cruddur/web/body_limit.py",
    "cruddur/client_address.py": "cruddur/web/client_address.py",
    "cruddur/command_line.py": "cruddur/cli/command_line.py",
    "cruddur/command_reference.py": "cruddur/cli/command_reference.py",
    "cruddur/commands.py": "cruddur/cli/base_command.py",
    "cruddur/consent.py": "cruddur/cli/confirm.py",
    "cruddur/cookies.py": "cruddur/web/cookies.py",
    "cruddur/current_request.py": "cruddur/observability/request_context.py",
    "cruddur/database_problems.py": "cruddur/postgres/postgres_errors.py",
    "cruddur/database_roles.py": "cruddur/postgres/roles.py",
    "cruddur/database_server.py": "cruddur/postgres/server.py",
    "cruddur/database_sessions.py": "cruddur/postgres/connections.py",
    "cruddur/database_tls.py": "cruddur/postgres/tls.py",
    "cruddur/errors.py": "cruddur/web/errors.py",
    "cruddur/flash_messages.py": "cruddur/web/flash_messages.py",
    "cruddur/housekeeping.py": "cruddur/postgres/housekeeping.py",
    "cruddur/javascript.py": "cruddur/assets/bundle.py",
    "cruddur/log.py": "cruddur/observability/log.py",
    "cruddur/loopback.py": "cruddur/net.py",
    "cruddur/manifest.py": "cruddur/web/manifest.py",
    "cruddur/measuring.py": "cruddur/observability/metrics.py",
    "cruddur/middleware.py": "cruddur/web/middleware.py",
    "cruddur/origin.py": "cruddur/web/origin.py",
    "cruddur/preferences.py": "cruddur/web/preferences.py",
    "cruddur/program.py": "cruddur/cli/program.py",
    "cruddur/rate_limits.py": "cruddur/web/rate_limits.py",
    "cruddur/request_id.py": "cruddur/observability/request_id.py",
    "cruddur/session_table.py": "cruddur/postgres/connection_table.py",
    "cruddur/sql_literals.py": "cruddur/observability/redact_sql.py",
    "cruddur/stack.py": "cruddur/cli/target.py",
    "cruddur/standard_streams.py": "cruddur/cli/standard_streams.py",
    "cruddur/static_files.py": "cruddur/assets/storage.py",
    "cruddur/telemetry.py": "cruddur/observability/telemetry.py",
    "cruddur/terminal.py": "cruddur/cli/terminal.py",
    "cruddur/turns.py": "cruddur/web/concurrency_limit.py",
    "cruddur/well_formed.py": "cruddur/web/reject_malformed.py",
    "messaging/account_deletion.py": "messaging/actions/delete_account.py",
    "messaging/actions.py": "messaging/dynamodb/transactions.py",
    "messaging/allowances.py": "messaging/actions/send_limits.py",
    "messaging/amendments.py": "messaging/actions/edit_message.py",
    "messaging/answers.py": "messaging/dynamodb/response_parsing.py",
    "messaging/appending.py": "messaging/actions/send_message.py",
    "messaging/arranging.py": "messaging/actions/conversation_settings.py",
    "messaging/asked_keys.py": "messaging/dynamodb/requested_keys.py",
    "messaging/aws.py": "messaging/dynamodb/client.py",
    "messaging/blocking.py": "messaging/actions/block.py",
    "messaging/calls.py": "messaging/dynamodb/requests.py",
    "messaging/catching_up.py": "messaging/queries/sync.py",
    "messaging/connection.py": "messaging/dynamodb/connection.py",
    "messaging/conversations.py": "messaging/queries/conversations.py",
    "messaging/debug_panel.py": "messaging/views/debug_panel.py",
    "messaging/dynamodb.py": "messaging/dynamodb/table.py",
    "messaging/entry_table.py": "messaging/dynamodb/entry_table.py",
    "messaging/items.py": "messaging/dynamodb/items.py",
    "messaging/lambda_handler.py": "messaging/stream/lambda_handler.py",
    "messaging/last_sends.py": "messaging/queries/recent_sends.py",
    "messaging/leaving.py": "messaging/actions/leave_conversations.py",
    "messaging/lists.py": "messaging/domain/folders.py",
    "messaging/live/__init__.py": "messaging/realtime/__init__.py",
    "messaging/live/admission.py": "messaging/realtime/admission.py",
    "messaging/live/bus.py": "messaging/realtime/bus/__init__.py",
    "messaging/live/endpoint.py": "messaging/realtime/endpoint.py",
    "messaging/live/events.py": "messaging/realtime/events.py",
    "messaging/live/hub.py": "messaging/realtime/hub.py",
    "messaging/live/postgres_bus.py": "messaging/realtime/bus/postgres.py",
    "messaging/live/publishing.py": "messaging/realtime/publish.py",
    "messaging/live/redis_bus.py": "messaging/realtime/bus/redis.py",
    "messaging/live/rendering.py": "messaging/realtime/rendering.py",
    "messaging/live/session_store.py": "messaging/realtime/session_store.py",
    "messaging/live/sessions.py": "messaging/realtime/session_checks.py",
    "messaging/live/shutdown.py": "messaging/realtime/shutdown.py",
    "messaging/live/streams.py": "messaging/realtime/sse.py",
    "messaging/live/typing.py": "messaging/realtime/typing.py",
    "messaging/malformed.py": "messaging/dynamodb/malformed.py",
    "messaging/management/commands/ddb_import_reference.py": "legacy_import/management/",
    "messaging/message_requests.py": "messaging/actions/message_requests.py",
    "messaging/moving_in/__init__.py": "legacy_import/__init__.py",
    "messaging/moving_in/arriving.py": "legacy_import/write_conversation.py",
    "messaging/moving_in/importing.py": "legacy_import/run.py",
    "messaging/moving_in/merging.py": "legacy_import/merge_conversations.py",
    "messaging/moving_in/old_layout.py": "legacy_import/legacy_items.py",
    "messaging/moving_in/old_table.py": "legacy_import/legacy_table.py",
    "messaging/moving_in/old_times.py": "legacy_import/legacy_timestamps.py",
    "messaging/moving_in/pairing.py": "legacy_import/resolve_members.py",
    "messaging/moving_in/report.py": "legacy_import/report.py",
    "messaging/moving_in/survey.py": "legacy_import/survey.py",
    "messaging/operations/bulk.py": "messaging/dynamodb/bulk.py",
    "messaging/operations/item_kinds.py": "messaging/dynamodb/item_kinds.py",
    "messaging/operations/message_range.py": "messaging/dynamodb/message_range.py",
    "messaging/operations/metering.py": "messaging/dynamodb/metering.py",
    "messaging/operations/patience.py": "messaging/dynamodb/retry.py",
    "messaging/operations/schema.py": "messaging/dynamodb/schema.py",
    "messaging/operations/schema_differences.py": "messaging/dynamodb/schema_differences.py",
    "messaging/operations/tables.py": "messaging/dynamodb/tables.py",
    "messaging/personal_data.py": "messaging/queries/export_data.py",
    "messaging/planning/__init__.py": "messaging/operations/capacity/__init__.py",
    "messaging/planning/habits.py": "messaging/operations/capacity/habits.py",
    "messaging/planning/machines.py": "messaging/operations/capacity/machines.py",
    "messaging/planning/patterns.py": "messaging/operations/capacity/patterns.py",
    "messaging/planning/plan.py": "messaging/operations/capacity/plan.py",
    "messaging/planning/prices.py": "messaging/operations/capacity/prices.py",
    "messaging/presentation/__init__.py": "messaging/presenters/__init__.py",
    "messaging/presentation/amending.py": "messaging/presenters/edit_message.py",
    "messaging/presentation/body.py": "messaging/presenters/rich_text.py",
    "messaging/presentation/composer.py": "messaging/presenters/composer.py",
    "messaging/presentation/faces.py": "messaging/presenters/avatar.py",
    "messaging/presentation/inbox.py": "messaging/presenters/conversations.py",
    "messaging/presentation/links.py": "messaging/presenters/links.py",
    "messaging/presentation/message.py": "messaging/presenters/message.py",
    "messaging/presentation/options.py": "messaging/presenters/conversation_menu.py",
    "messaging/presentation/standing.py": "messaging/presenters/write_permission.py",
    "messaging/presentation/thread.py": "messaging/presenters/conversation.py",
    "messaging/presentation/times.py": "messaging/presenters/dates.py",
    "messaging/projection.py": "messaging/stream/projection.py",
    "messaging/readiness.py": "messaging/operations/readiness.py",
    "messaging/reconciliation/__init__.py": "messaging/operations/consistency/__init__.py",
    "messaging/reconciliation/comparison.py": "messaging/operations/consistency/comparison.py",
    "messaging/reconciliation/findings.py": "messaging/operations/consistency/findings.py",
    "messaging/reconciliation/looks.py": "messaging/operations/consistency/snapshot_reader.py",
    "messaging/reconciliation/reconcile.py": "messaging/operations/consistency/reconcile.py",
    "messaging/reconciliation/repairs.py": "messaging/operations/consistency/repairs.py",
    "messaging/reconciliation/settling.py": "messaging/operations/consistency/recheck.py",
    "messaging/send_queue.py": "messaging/actions/send_queue.py",
    "messaging/sends.py": "messaging/domain/send_history.py",
    "messaging/sequence.py": "messaging/domain/transitions.py",
    "messaging/signing_out.py": "messaging/actions/sign_out.py",
    "messaging/table.py": "messaging/dynamodb/table_definition.py",
    "messaging/text.py": "messaging/domain/text.py",
    "messaging/unread.py": "messaging/queries/unread_total.py",
    "messaging/values.py": "messaging/dynamodb/codec.py",
    "messaging/views/amending.py": "messaging/views/edit_message.py",
    "messaging/views/arranging.py": "messaging/views/conversation_settings.py",
    "messaging/views/blocking.py": "messaging/views/block.py",
    "messaging/views/inbox.py": "messaging/views/conversations.py",
    "messaging/views/live.py": "messaging/views/sync.py",
    "messaging/views/requests.py": "messaging/views/http.py",
    "messaging/views/sending.py": "messaging/views/send_message.py",
    "messaging/views/start.py": "messaging/views/start_conversation.py",
    "messaging/views/thread.py": "messaging/views/conversation.py",
    "messaging/watching.py": "messaging/dynamodb/request_log.py",
    "messaging/worker/__init__.py": "messaging/stream/__init__.py",
    "messaging/worker/active_worker.py": "messaging/stream/leader_lock.py",
    "messaging/worker/applying.py": "messaging/stream/apply.py",
    "messaging/worker/checkpoints.py": "messaging/stream/checkpoints.py",
    "messaging/worker/dead_letters.py": "messaging/stream/dead_letters.py",
    "messaging/worker/deletions.py": "messaging/stream/account_deletion_job.py",
    "messaging/worker/lag.py": "messaging/stream/lag.py",
    "messaging/worker/progress.py": "messaging/stream/consumer_types.py",
    "messaging/worker/shards.py": "messaging/dynamodb/shards.py",
    "messaging/worker/stream.py": "messaging/stream/consumer.py",
    "messaging/worker/stream_status.py": "messaging/stream/status.py",
    "moderation/admin/rights.py": "moderation/admin/permissions.py",
    "users/accounts.py": "users/cognito/provisioning.py",
    "users/browser_views.py": "users/browser_settings_views.py",
    "users/cognito.py": "users/cognito/client.py",
    "users/cognito_sentences.py": "users/cognito/error_messages.py",
    "users/deletion.py": "users/delete_account.py",
    "users/id_tokens.py": "users/cognito/id_tokens.py",
    "users/linking.py": "users/cognito/linking.py",
    "users/moving_in.py": "legacy_import/import_users.py",
    "users/oidc.py": "users/cognito/oidc.py",
    "users/old_people.py": "legacy_import/legacy_users.py",
    "users/pool.py": "users/cognito/pool.py",
    "users/rights.py": "users/permissions.py",
    "users/search_text.py": "users/search_index.py",
    "users/sign_in.py": "users/cognito/sign_in.py",
    "users/sign_in_views.py": "users/cognito/views.py",
    "users/signing_keys.py": "users/cognito/signing_keys.py",
    "users/typed_handles.py": "users/handle_lookup.py",
}
"""Files that are still to be moved, and where to: they are judged by that."""

BREACHES = {
    ("messaging/lists.py", "messaging/items.py"),
    ("messaging/sends.py", "messaging/values.py"),
    ("messaging/sequence.py", "messaging/items.py"),
}
"""Imports of a higher layer that are still to be removed. Only ever take rows away."""

IN_CIRCLES = {
    "cruddur.measuring",
    "cruddur.telemetry",
    "messaging.live.bus",
    "messaging.live.postgres_bus",
    "messaging.live.publishing",
    "messaging.live.redis_bus",
    "messaging.live.session_store",
    "messaging.live.sessions",
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


@pytest.mark.parametrize("module", ["messaging.lambda_handler", "messaging.worker.stream", "users.cognito"])
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
