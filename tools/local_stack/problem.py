"""What can be foreseen to go wrong, told in one sentence."""


class Problem(Exception):
    """Something the developer can put right; the text is one sentence that says what to do."""
