"""The project. `__version__` is the one of pyproject.toml and of CHANGELOG.md."""

__version__ = "0.2.0"
