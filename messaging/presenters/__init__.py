"""What templates show, as plain values: pure functions from items and people to dataclasses. No I/O."""
