"""Live updates: what changes in a conversation reaches the open pages of its members at once. docs/architecture.md."""
