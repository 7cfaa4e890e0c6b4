"""What docs/security.md claims and no other test held, and that each of its claims names its test."""
