"""Entities and pure rules: transitions, folders, text, timestamps. No I/O, and no import from other layers."""
