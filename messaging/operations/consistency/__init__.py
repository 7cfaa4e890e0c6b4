"""Compare entries with conversations and conversations with messages, and repair them: `manage.py ddb_reconcile`."""
