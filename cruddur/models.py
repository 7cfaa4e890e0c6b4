"""What the project itself keeps in Postgres."""

from __future__ import annotations

from django.db import models


class RateBucket(models.Model):
    """A token bucket: see `cruddur.web.rate_limits`, which alone reads and writes it."""

    key = models.CharField(max_length=120, primary_key=True)
    """The limit's name and whose bucket it is."""
    full_at = models.DateTimeField(db_index=True)
    """When the bucket will be full again. From then on the row says nothing, and is swept."""

    def __str__(self) -> str:
        return f"{self.key} is full at {self.full_at}"
