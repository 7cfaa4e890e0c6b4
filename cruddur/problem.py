"""What can be foreseen to go wrong. Knows no Django, so that the doors can raise it."""


class Problem(Exception):
    """The argument is a sentence for the person at the keyboard: what is wrong, and what to do about it."""
