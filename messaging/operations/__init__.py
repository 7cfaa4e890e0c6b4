"""Operate on the table, for the commands: schema, seeds, scans, and inspection of conversations."""
