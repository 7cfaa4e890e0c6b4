"""Logs, request ids, metrics and telemetry."""
