"""Live updates: a change of a conversation reaches the open pages of its members at once. See docs/architecture.md."""
