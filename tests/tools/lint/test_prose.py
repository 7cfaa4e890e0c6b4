"""What the rules for prose find, where they look, and that the budget only falls."""

from __future__ import annotations

import json

import pytest

from tools.lint import prose
from tools.lint.prose import BUDGET, Violation, beyond, check, follow_moves, lower, violations, written


def rules(file: str, text: str) -> list[tuple[int, str]]:
    """Return the line and the rule of each violation."""
    return [(each.line, each.rule) for each in sorted(check(file, text))]


def function(docstring: str) -> str:
    return f'def f():\n    """{docstring}"""\n'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Made anew on each call", "anew"),
        ("Requests whose text is none", "whose-none"),
        ("An address that is no URL", "is-no"),
        ("Keys that are no uuids", "is-no"),
        ("As long a stream waits", "as-long-a"),
        ("Likewise.", "likewise"),
        ("The person whom it is told", "whom"),
        ("such as that the table is there", "such-as-is"),
    ],
)
def test_words_of_the_dialect_are_found(text: str, rule: str) -> None:
    assert rules("a.py", f"# {text}\n") == [(1, rule)]


@pytest.mark.parametrize("text", ["There is no table.", "It is no longer there.", "for example the table is there"])
def test_plain_words_are_not_found(text: str) -> None:
    assert rules("a.py", f"# {text}\n") == []


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("a.py", "x = 1  # made anew\n", 1),
        ("a.py", 'def f():\n    """Return.\n\n    Made anew.\n    """\n', 4),
        ("a.py", 'raise CommandError(f"{name} is made anew")\n', 1),
        ("a.py", "# It is\n# made\n# anew\n", 3),
        ("a.js", 'const url = "http://anew";\n// made anew\n', 2),
        ("a.css", "a { }\n/* one\n   made anew */\n", 3),
        ("a.html", "<p>anew</p>\n{# made anew #}\n", 2),
        ("a.html", "{% comment %}\nmade anew\n{% endcomment %}\n", 2),
        ("a.md", "# Title\n\nMade anew.\n", 3),
        ("Makefile", "pins: ## Made anew\n", 1),
        ("docs/a.yml", "key: value # made anew\n", 1),
    ],
)
def test_prose_is_read_where_it_stands(file: str, text: str, line: int) -> None:
    assert rules(file, text) == [(line, "anew")]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.py", 'NAMES = {"anew"}\n'),
        ("a.py", 'text = _("It is made anew")\n'),
        ("a.js", 'say("made anew");\n'),
        ("a.html", "<p>Made anew</p>\n"),
        ("a.md", "Say `anew`.\n\n```\nanew\n```\n"),
        ("a.png", "anew"),
    ],
)
def test_code_and_texts_of_pages_are_not_read(file: str, text: str) -> None:
    assert rules(file, text) == []


@pytest.mark.parametrize("docstring", ["Return the name.", "Yield: the names.", "Raise an error."])
def test_docstring_may_begin_with_a_verb(docstring: str) -> None:
    assert rules("a.py", function(docstring)) == []


@pytest.mark.parametrize("docstring", ["The name.", "Whether it is.", "Returns it.", "`x` is y.", "return it", "None."])
def test_docstring_of_a_function_begins_with_a_verb(docstring: str) -> None:
    assert rules("a.py", function(docstring)) == [(2, "verb-first")]


@pytest.mark.parametrize(
    "source",
    [
        'class A:\n    """A name."""\n',
        'x = 1\n"""A name."""\n',
        'class A:\n    @property\n    def name(self):\n        """A name."""\n',
        'def test_name():\n    """A name."""\n',
    ],
)
def test_docstring_of_anything_else_may_name_it(source: str) -> None:
    assert rules("a.py", source) == []


def test_long_sentence_is_found_at_its_line() -> None:
    long = " ".join(["word"] * 41)

    assert rules("a.py", f'"""Title.\n\nShort one.\n{long}.\n"""\n') == [(4, "long-sentence")]
    assert rules("a.py", f'"""Title.\n\n| {long} |\n"""\n') == []
    assert rules("a.py", f'"""{long[:-5]}."""\n') == []


@pytest.mark.parametrize("name", ["test_what_is_kept", "test_who_may_write", "test_nor_does_it"])
def test_name_of_a_test_says_a_behaviour(name: str) -> None:
    assert rules("test_a.py", f"def {name}(): ...\n") == [(1, "test-name")]


FIRST, SECOND = Violation("a.py", 1, "anew", "anew"), Violation("a.py", 9, "anew", "anew")


def test_violations_within_the_budget_pass() -> None:
    assert beyond({"a.py": {"anew": 2}}, [FIRST, SECOND]) == []


def test_new_violation_is_listed_with_all_of_its_rule_in_the_file() -> None:
    assert beyond({"a.py": {"anew": 1}}, [FIRST, SECOND]) == [FIRST, SECOND]
    assert beyond({"b.py": {"anew": 9}}, [FIRST]) == [FIRST]


def test_description_names_line_rule_and_advice() -> None:
    assert prose.describe(SECOND) == "a.py:9: anew: 'anew' - write: again"


def test_budget_falls_and_never_rises() -> None:
    assert lower({"a.py": {"anew": 3, "whom": 1}, "b.py": {"anew": 1}}, [FIRST]) == {"a.py": {"anew": 1}}
    assert lower({"a.py": {"anew": 1}}, [FIRST, SECOND]) == {"a.py": {"anew": 1}}
    assert lower({}, [FIRST]) == {}


def test_budget_of_a_moved_file_moves_with_it() -> None:
    assert follow_moves({"a.py": {"anew": 1}, "b.py": {"anew": 2}}, {"a.py": "c.py"}) == {
        "c.py": {"anew": 1},
        "b.py": {"anew": 2},
    }


def test_budget_has_a_line_for_each_file() -> None:
    assert (
        written({"b.py": {"anew": 1}, "a.py": {"whom": 2}}) == '{\n  "a.py": {"whom": 2},\n  "b.py": {"anew": 1}\n}\n'
    )
    assert json.loads(written({})) == {}


def test_budget_that_is_committed_is_written_by_the_command() -> None:
    text = BUDGET.read_text(encoding="utf-8")

    assert text == written(json.loads(text))


def test_prose_of_the_check_itself_is_plain() -> None:
    assert (
        list(violations(["tools/lint/prose.py", "tools/lint/dead_code.py", "tests/tools/lint/test_dead_code.py"])) == []
    )
