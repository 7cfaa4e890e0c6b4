"""A bare Django site, which shows what a page takes at least."""

BARE_PAGE = "bare Django page"
"""The name of its page among what is measured."""
