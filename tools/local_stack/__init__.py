"""The local stack that `make run` and the tests start and stop. docs/local-stack.md describes it."""
