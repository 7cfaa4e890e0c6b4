"""What the DynamoDB commands have in common: which stack they act on, and one sentence for what can be foreseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError

from messaging.aws import AwsProblem, explained_errors


@contextmanager
def foreseen() -> Iterator[None]:
    """Turn the problems a developer can solve into CommandError: no stack, no table, no database, no credentials."""
    try:
        with explained_errors():
            yield
    except (AwsProblem, ImproperlyConfigured) as error:
        raise CommandError(str(error)) from error
    except OperationalError as error:
        msg = "The database does not answer: start the local stack with `make run`, or check DATABASE_URL."
        raise CommandError(msg) from error
    except ProgrammingError as error:
        raise CommandError("The database lacks its tables: run `manage.py migrate`.") from error
