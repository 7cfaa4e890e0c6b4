"""Live updates: send each change of a conversation to its members' open pages. See docs/architecture.md."""
