"""Django's `migrate`, as the migration role, after which the application's role may use what was made."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from cruddur.postgres.roles import as_migration_role, grant, has_two_roles


class Command(migrate.Command):
    def handle(self, *arguments: Any, **options: Any) -> None:
        """Migrate. Raises WrongRole where the two URLs do not fit together."""
        only_looks = options["plan"] or options["check_unapplied"]
        with as_migration_role():
            super().handle(*arguments, **options)
            if has_two_roles() and not only_looks:
                grant(settings.DATABASES["default"]["USER"])
