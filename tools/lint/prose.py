"""Check that prose is plain English: `python -m tools.lint.prose`.

It reads comments, docstrings, documents, command output and test names. tools/lint/prose_budget.json says how often a
file still breaks a rule; more than that fails. The budget only falls: `--lower` takes out what has been mended, and
follows files that git says were moved.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Path(__file__).with_name("prose_budget.json")
VERBS = frozenset(Path(__file__).with_name("prose_verbs.txt").read_text(encoding="utf-8").split())
LONGEST_SENTENCE = 40
"""In words."""
FEWEST_WORDS = 3
"""Strings in the code with fewer words count as names or formats, not as sentences."""
TRANSLATES = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext"}
SKIPPED = ("tests/corpora/", "/migrations/", "tools/lint/test_prose.py")
"""Parts of paths: data, generated migrations, and examples of violations."""

# Rules for running text, each with a replacement.
WORDS = {
    "anew": (r"\banew\b", "again"),
    "whose-none": (r"\bwhose\b[^.;:]*\bis none\b", "say what is missing or invalid"),
    "is-no": (r"(?<!there )\b(?:is|are) no (?!longer\b|more\b)", "is not a …"),
    "as-long-a": (r"\bas long a\b", "how long …"),
    "likewise": (r"\blikewise\b", "say it"),
    "whom": (r"\bwhom\b", "name the person"),
    "such-as-is": (r"\bsuch as\b[^.;:,]*\bis\b", "for example"),
}
PATTERNS = {rule: re.compile(pattern, re.IGNORECASE) for rule, (pattern, _) in WORDS.items()}
ADVICE = {
    **{rule: f"write: {advice}" for rule, (_, advice) in WORDS.items()},
    "verb-first": "begin with a verb, as in `Return the …` (or add it to tools/lint/prose_verbs.txt)",
    "long-sentence": f"at most {LONGEST_SENTENCE} words in a sentence",
    "test-name": "name the behaviour, as in `test_repeated_send_returns_stored_message`",
}

Budget = dict[str, dict[str, int]]
"""By file and rule, how many violations there may be."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A place where a rule is broken."""

    file: str
    line: int
    rule: str
    text: str


def main() -> int:
    """Print the violations of each file that has more of a rule than its budget; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="tools.lint.prose", description=__doc__)
    parser.add_argument("--lower", action="store_true", help="take what has been mended out of the budget")
    parser.add_argument("--all", action="store_true", help="list what the budget allows, too")
    parser.add_argument("files", nargs="*", help="files and folders to check; everything without any")
    options = parser.parse_args()
    budget: Budget = json.loads(BUDGET.read_text(encoding="utf-8"))
    found = list(violations(tracked(options.files)))
    if options.lower:
        lowered = lower(follow_moves(budget, moves_since_the_budget()), violations(tracked([])))
        BUDGET.write_text(written(lowered), encoding="utf-8")
        budget = lowered
    shown = found if options.all else beyond(budget, found)
    sys.stdout.write("".join(f"{describe(each)}\n" for each in shown))
    return 1 if beyond(budget, found) else 0


def tracked(names: Iterable[str]) -> list[str]:
    """Return the files that git tracks, or would, below these names, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *names]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(name for name in set(listed) if not any(part in name for part in SKIPPED) and (ROOT / name).is_file())


def violations(files: Iterable[str]) -> Iterator[Violation]:
    """Yield what the rules find in files, each in the order of its lines."""
    for file in files:
        reader = reader_of(file)
        if reader:
            yield from sorted(check(file, (ROOT / file).read_text(encoding="utf-8")))


def check(file: str, text: str) -> Iterator[Violation]:
    """Yield what the rules find in the text of a file of this name."""
    reader = reader_of(file)
    for line, passage in reader(text) if reader else ():
        for rule, pattern in PATTERNS.items():
            for found in pattern.finditer(passage):
                around = passage[max(0, found.start() - 30) : found.end() + 30]
                yield Violation(file, line + passage.count("\n", 0, found.start()), rule, one_line(around))
    if file.endswith(".py"):
        tree = ast.parse(text)
        yield from check_functions(file, tree)
        yield from check_sentences(file, tree)


def reader_of(file: str) -> Callable[[str], Iterator[tuple[int, str]]] | None:
    """Return the function that yields the prose of a file with its lines, None for a file without prose."""
    path = Path(file)
    return READERS.get(path.suffix) or READERS.get(path.name) or READERS.get(file)


def read_python(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments, docstrings and sentences of a module. Texts for translation are not checked."""
    comments = [
        (token.start[0], token.string.lstrip("# "))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from joined(comments)
    tree = ast.parse(source)
    translated = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in TRANSLATES
        for each in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in translated and len(text.split()) >= FEWEST_WORDS:
                yield node.lineno, text


def joined(comments: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield comments of consecutive lines as one passage."""
    start, lines = 0, list[str]()
    for line, text in comments:
        if lines and line != start + len(lines):
            yield start, "\n".join(lines)
            lines = []
        start = start if lines else line
        lines.append(text)
    if lines:
        yield start, "\n".join(lines)


def check_functions(file: str, tree: ast.AST) -> Iterator[Violation]:
    """Yield docstrings of functions that do not begin with a verb, and test names that do not say a behaviour."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if re.match(r"test_(?:what|who|nor)_", node.name):
            yield Violation(file, node.lineno, "test-name", node.name)
        docstring = ast.get_docstring(node)
        if not docstring or node.name.startswith("test_") or is_property(node):
            continue
        first = docstring.split()[0].strip(".,:;")
        if first.lower() not in VERBS or not first[0].isupper():
            yield Violation(file, node.body[0].lineno, "verb-first", one_line(docstring))


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a method is read as an attribute, whose docstring names what it is."""
    return any("property" in ast.unparse(each) for each in node.decorator_list)


def check_sentences(file: str, tree: ast.AST) -> Iterator[Violation]:
    """Yield sentences of docstrings that are too long."""
    for node in ast.walk(tree):
        for line, docstring in docstrings_in(node):
            for start, sentence in sentences(docstring):
                if len(sentence.split()) > LONGEST_SENTENCE:
                    yield Violation(file, line + start, "long-sentence", one_line(sentence))


def docstrings_in(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the strings that stand as statements of their own in a body: docstrings, also those of attributes."""
    body = getattr(node, "body", None)
    for statement in body if isinstance(body, list) else ():
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield statement.lineno, text


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a text with the number of lines before each; lines of a table, list or code are none."""
    position = 0
    for part in re.split(r"(\n\s*\n|\n\s*(?=[-*|])|(?<=[.!?])\s+|:\s*\n)", text):
        if part.strip() and not re.match(r"\s*[|`]", part):
            yield text.count("\n", 0, position + len(part) - len(part.lstrip())), part
        position += len(part)


def read_markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text of a document without code and addresses."""
    without = re.sub(r"^```.*?^```", _blank, text, flags=re.DOTALL | re.MULTILINE)
    yield 1, re.sub(r"`[^`]*`|\]\([^)]*\)|https?:\S+", _blank, without)


def _blank(found: re.Match[str]) -> str:
    """Return as many lines as were found, empty, with a word in the place of code inside a sentence."""
    return "…" + "\n" * found[0].count("\n")


def read_scripts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of JavaScript or CSS."""
    tokens = re.compile(
        r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|/\*(?P<block>.*?)\*/|(?<![:\\/])//(?P<line>[^\n]*)""",
        re.DOTALL,
    )
    lines = []
    for found in tokens.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["block"] is not None:
            yield line, re.sub(r"\n[ \t]*\* ?", "\n", found["block"])
        elif found["line"] is not None:
            lines.append((line, found["line"].strip()))
    yield from joined(lines)


def read_templates(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a template; the texts of pages are not checked."""
    for found in re.finditer(r"\{#(.*?)#\}|\{% comment.*?%\}(.*?)\{% endcomment %\}|<!--(.*?)-->", text, re.DOTALL):
        yield text.count("\n", 0, found.start()) + 1, next(filter(None, found.groups()), "")


def read_hashes(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file in which they begin with a hash."""
    found = ((number, re.search(r"(?:^|\s)#+ (.*)", line)) for number, line in enumerate(text.splitlines(), 1))
    yield from joined((number, match[1]) for number, match in found if match)


READERS: Mapping[str, Callable[[str], Iterator[tuple[int, str]]]] = {
    ".py": read_python,
    ".md": read_markdown,
    ".js": read_scripts,
    ".css": read_scripts,
    ".html": read_templates,
    ".svg": read_templates,
    ".toml": read_hashes,
    ".yml": read_hashes,
    ".yaml": read_hashes,
    "Makefile": read_hashes,
    "Dockerfile": read_hashes,
    ".env.example": read_hashes,
    ".ci/run": read_hashes,
}
"""By suffix, name or path."""


def counts(found: Iterable[Violation]) -> Budget:
    """Return how many violations each file has, by rule."""
    counted = Counter((each.file, each.rule) for each in found)
    budget: Budget = {}
    for (file, rule), number in sorted(counted.items()):
        budget.setdefault(file, {})[rule] = number
    return budget


def beyond(budget: Budget, found: Iterable[Violation]) -> list[Violation]:
    """Return the violations of the rules that a file breaks more often than it may."""
    every = list(found)
    excess = {
        (file, rule)
        for file, rules in counts(every).items()
        for rule, number in rules.items()
        if number > budget.get(file, {}).get(rule, 0)
    }
    return [each for each in every if (each.file, each.rule) in excess]


def lower(budget: Budget, found: Iterable[Violation]) -> Budget:
    """Return the budget without what is no longer found; nothing in it rises."""
    lowered = {
        file: {rule: min(number, budget.get(file, {}).get(rule, 0)) for rule, number in rules.items()}
        for file, rules in counts(found).items()
    }
    kept = {file: {rule: number for rule, number in rules.items() if number} for file, rules in lowered.items()}
    return {file: rules for file, rules in kept.items() if rules}


def follow_moves(budget: Budget, moves: Mapping[str, str]) -> Budget:
    """Return the budget with the files that were moved under their new names."""
    return {moves.get(file, file): rules for file, rules in budget.items()}


def moves_since_the_budget() -> dict[str, str]:
    """Return the files that were moved since the budget was last written, by their names of then."""
    relative = str(BUDGET.relative_to(ROOT))
    last = _git("log", "-1", "--format=%H", "--", relative).strip()
    if not last:
        return {}
    lines = _git("diff", "--find-renames", "--diff-filter=R", "--name-status", last).splitlines()
    return {old: new for _, old, new in (line.split("\t") for line in lines)}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def written(budget: Budget) -> str:
    """Return the budget as its file has it: a line for each file, so that two changes seldom touch the same line."""
    lines = ",\n".join(f"  {json.dumps(file)}: {json.dumps(rules)}" for file, rules in sorted(budget.items()))
    return f"{{\n{lines}\n}}\n" if lines else "{}\n"


def describe(violation: Violation) -> str:
    """Return a violation as a line, with what to do."""
    place = f"{violation.file}:{violation.line}: {violation.rule}"
    return f"{place}: {violation.text!r} - {ADVICE[violation.rule]}"


def one_line(text: str) -> str:
    """Return the beginning of a text on one line."""
    return re.sub(r"\s+", " ", text).strip()[:80]


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
