"""What people do: each module is one feature. Keyword-only functions that are given the time."""
