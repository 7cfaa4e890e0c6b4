"""Entities and pure rules: transitions, folders, text. No I/O."""
