"""A bare Django site, which shows the minimum cost of a page."""

BARE_PAGE = "bare Django page"
"""The name of its page among the subjects."""
