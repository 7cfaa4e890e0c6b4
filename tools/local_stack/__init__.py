"""The local stack: what `make run` and the tests start, and how it is stopped. docs/local-stack.md tells the whole."""
