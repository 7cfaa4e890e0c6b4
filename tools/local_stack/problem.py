"""The exception for foreseeable failures."""


class Problem(Exception):
    """A failure that the developer can fix; the text is one sentence that says how."""
