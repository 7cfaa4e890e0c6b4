"""The service module of the conversations table: every request, key, expression, condition and retry."""
