"""Compares entries with conversations and conversations with messages, and repairs: `manage.py ddb_reconcile`."""
