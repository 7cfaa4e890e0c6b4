"""Checks of `make lint` beyond the standard tools."""
