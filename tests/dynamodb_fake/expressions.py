"""Expressions, parsed once and evaluated on items: conditions, filters, key conditions, updates and projections."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from .values import NUMBERS, SETS, Item, Value, comparable, identity, invalid, number, number_text

TOKEN = re.compile(r"\s*([:#]?\w+|<>|<=|>=|\[\d+\]|[=<>(),.+\-])")
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains")
NO_SUCH_PATH = "The document path provided in the expression is invalid for update"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"
NOT_IN_ITEM = "The provided expression refers to an attribute that does not exist in the item"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is evaluated on."""

    item: Item
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


class Condition(Protocol):
    def holds(self, scope: Scope) -> bool: ...


class Operand(Protocol):
    def value(self, scope: Scope) -> Value | None: ...


# --- Operands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """An attribute, or a part of one: names, placeholders of names, and positions in lists."""

    parts: tuple[str | int, ...]

    def resolved(self, names: Mapping[str, str]) -> tuple[str | int, ...]:
        return tuple(names[part] if isinstance(part, str) and part.startswith("#") else part for part in self.parts)

    def value(self, scope: Scope) -> Value | None:
        found: Value | None = {"M": scope.item}
        for part in self.resolved(scope.names):
            found = _inside(found, part)
            if found is None:
                return None
        return found


def _inside(value: Value | None, part: str | int) -> Value | None:
    if value is None:
        return None
    if isinstance(part, int):
        members: list[Value] = value.get("L", [])
        return members[part] if part < len(members) else None
    attributes: Mapping[str, Value] = value.get("M", {})
    return attributes.get(part)


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str

    def value(self, scope: Scope) -> Value:
        return scope.values[self.name]


@dataclass(frozen=True, slots=True)
class Size:
    of: Operand

    def value(self, scope: Scope) -> Value | None:
        value = self.of.value(scope)
        if value is None:
            return None
        ((kind, content),) = value.items()
        if kind in ("S", "L", "M", *SETS):
            return {"N": str(len(content))}
        return {"N": str(len(b64decode(content)))} if kind == "B" else None


@dataclass(frozen=True, slots=True)
class IfNotExists:
    path: Path
    other: Operand

    def value(self, scope: Scope) -> Value | None:
        return self.path.value(scope) or self.other.value(scope)


@dataclass(frozen=True, slots=True)
class ListAppend:
    first: Operand
    second: Operand

    def value(self, scope: Scope) -> Value:
        lists = [_needed(each, scope) for each in (self.first, self.second)]
        if not all("L" in each for each in lists):
            raise invalid(WRONG_TYPE)
        return {"L": [*lists[0]["L"], *lists[1]["L"]]}


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of two numbers, or their difference."""

    first: Operand
    second: Operand
    sign: int

    def value(self, scope: Scope) -> Value:
        first, second = (_needed(each, scope) for each in (self.first, self.second))
        if "N" not in first or "N" not in second:
            raise invalid(WRONG_TYPE)
        return {"N": number_text(NUMBERS.add(number(first["N"]), self.sign * number(second["N"])))}


def _needed(operand: Operand, scope: Scope) -> Value:
    value = operand.value(scope)
    if value is None:
        raise invalid(NOT_IN_ITEM)
    return value


# --- Conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    conditions: tuple[Condition, ...]

    def holds(self, scope: Scope) -> bool:
        return all(each.holds(scope) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Or:
    conditions: tuple[Condition, ...]

    def holds(self, scope: Scope) -> bool:
        return any(each.holds(scope) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition

    def holds(self, scope: Scope) -> bool:
        return not self.condition.holds(scope)


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    left: Operand
    right: Operand

    def holds(self, scope: Scope) -> bool:
        left, right = self.left.value(scope), self.right.value(scope)
        if self.operator in ("=", "<>"):
            equal = left is not None and right is not None and identity(left) == identity(right)
            return equal == (self.operator == "=")
        return _ordered(self.operator, left, right)


def _ordered(operator: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or left.keys() != right.keys() or not left.keys() <= {"S", "N", "B"}:
        return False
    one, other = comparable(left), comparable(right)
    match operator:
        case "<":
            return bool(one < other)
        case "<=":
            return bool(one <= other)
        case ">":
            return bool(one > other)
    return bool(one >= other)


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    first: Operand
    last: Operand

    def holds(self, scope: Scope) -> bool:
        value, first, last = (each.value(scope) for each in (self.operand, self.first, self.last))
        if _ordered(">", first, last):
            raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
        return _ordered(">=", value, first) and _ordered("<=", value, last)


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    choices: tuple[Operand, ...]

    def holds(self, scope: Scope) -> bool:
        value = self.operand.value(scope)
        others = (choice.value(scope) for choice in self.choices)
        return value is not None and any(other and identity(other) == identity(value) for other in others)


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Operand, ...]

    def holds(self, scope: Scope) -> bool:
        first, *more = (each.value(scope) for each in self.arguments)
        match self.name:
            case "attribute_exists":
                return first is not None
            case "attribute_not_exists":
                return first is None
        if more[0] is None:
            return False
        match self.name:
            case "begins_with":
                return _begins_with(first or {}, more[0])
            case "attribute_type":
                return more[0].get("S") in (first or {})
        return first is not None and _contains(first, more[0])


def _begins_with(value: Value, prefix: Value) -> bool:
    if not prefix.keys() <= {"S", "B"}:
        raise invalid("Incorrect operand type for operator or function; operator or function: begins_with")
    return value.keys() == prefix.keys() and bool(comparable(value).startswith(comparable(prefix)))


def _contains(value: Value, part: Value) -> bool:
    ((kind, content),) = value.items()
    ((part_kind, part_content),) = part.items()
    if kind == "L":
        return any(identity(each) == identity(part) for each in content)
    if kind in SETS:
        return kind[0] == part_kind and any(identity({part_kind: each}) == identity(part) for each in content)
    return kind == part_kind and kind in ("S", "B") and (comparable(part) in comparable(value) or not part_content)


# --- Updates ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an update: SET, REMOVE, ADD or DELETE."""

    kind: str
    path: Path
    operand: Operand | None = None


def updated(changes: tuple[Change, ...], scope: Scope) -> Item:
    """Return the item after an update, every operand of which is what it was before. Raises Refused."""
    paths = [change.path.resolved(scope.names) for change in changes]
    for place, path in enumerate(paths):
        if any(other[: len(path)] == path or path[: len(other)] == other for other in paths[:place]):
            raise invalid("Invalid UpdateExpression: Two document paths overlap with each other")
    news = [_new_value(change, scope) for change in changes]
    item = dict(scope.item)
    for path, new in zip(paths, news, strict=True):
        _put_in(item, path, new)
    return item


def _new_value(change: Change, scope: Scope) -> Value | None:
    if change.operand is None:
        return None
    value = _needed(change.operand, scope)
    match change.kind:
        case "ADD":
            return _added(change.path.value(scope), value)
        case "DELETE":
            return _without(change.path.value(scope), value)
    return value


def _added(old: Value | None, more: Value) -> Value:
    ((kind, content),) = more.items()
    if kind not in ("N", *SETS) or (old is not None and kind not in old):
        raise invalid(WRONG_TYPE)
    if old is None:
        return more
    if kind == "N":
        return {"N": number_text(NUMBERS.add(number(old["N"]), number(content)))}
    return {kind: [*old[kind], *(each for each in content if each not in old[kind])]}


def _without(old: Value | None, less: Value) -> Value | None:
    ((kind, content),) = less.items()
    if kind not in SETS or (old is not None and kind not in old):
        raise invalid(WRONG_TYPE)
    left = [each for each in old[kind] if each not in content] if old else []
    return {kind: left} if left else None


def _put_in(item: Item, path: tuple[str | int, ...], new: Value | None) -> None:
    """Set or remove what is at a path, in new containers: those of the old item stay as they are."""
    *way, last = path
    container: Any = item
    for part in way:
        inner = container.get(part) if isinstance(container, dict) and isinstance(part, str) else None
        if inner is None or not inner.keys() & {"M", "L"}:
            raise invalid(NO_SUCH_PATH)
        ((kind, content),) = inner.items()
        container[part] = {kind: content.copy()}
        container = container[part][kind]
    if isinstance(container, list) != isinstance(last, int):
        raise invalid(NO_SUCH_PATH)
    if isinstance(last, int):
        container[last : last + 1] = [] if new is None else [new]
    elif new is None:
        container.pop(last, None)
    else:
        container[last] = new


def projected(paths: tuple[Path, ...], scope: Scope) -> Item:
    """Return the top-level attributes that a projection names; it knows no parts of attributes."""
    names = [path.resolved(scope.names) for path in paths]
    if any(len(name) > 1 for name in names):
        raise NotImplementedError("a projection of a part of an attribute")
    return {str(name): scope.item[str(name)] for (name,) in names if name in scope.item}


# --- Parsers ----------------------------------------------------------------------------------------------------------


@cache
def condition(text: str) -> tuple[Condition, frozenset[str]]:
    """Parse a condition, a filter or a key condition; returns it with its placeholders. Raises Refused."""
    parser = _Parser(text)
    found = parser.any_of()
    parser.end()
    return found, parser.placeholders


@cache
def update(text: str) -> tuple[tuple[Change, ...], frozenset[str]]:
    """Parse an update; returns its changes with its placeholders. Raises Refused."""
    parser = _Parser(text)
    changes = tuple(parser.changes())
    parser.end()
    return changes, parser.placeholders


@cache
def projection(text: str) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Parse a projection; returns its paths with its placeholders. Raises Refused."""
    parser = _Parser(text)
    paths = parser.list_of(parser.path)
    parser.end()
    return paths, parser.placeholders


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        position = 0
        while text[position:].strip():
            found = TOKEN.match(text, position)
            if found is None:
                raise self._wrong(text[position:].strip()[0])
            self._tokens.append(found[1])
            position = found.end()
        self._tokens.reverse()
        self.placeholders = frozenset(token for token in self._tokens if token[0] in ":#")

    def _wrong(self, token: str) -> Exception:
        return invalid(f'Invalid expression: Syntax error; token: "{token}", in: "{self._text}"')

    def _next(self) -> str:
        return self._tokens[-1] if self._tokens else ""

    def _take(self, *expected: str) -> str:
        token = self._next()
        if not token or (expected and token.upper() not in expected):
            raise self._wrong(token or "<EOF>")
        return self._tokens.pop()

    def _takes(self, *tokens: str) -> bool:
        if self._next().upper() in tokens:
            self._tokens.pop()
            return True
        return False

    def end(self) -> None:
        if self._tokens:
            raise self._wrong(self._next())

    def list_of(self, parse: Any) -> Any:
        found = [parse()]
        while self._takes(","):
            found.append(parse())
        return tuple(found)

    def any_of(self) -> Condition:
        found = [self._all_of()]
        while self._takes("OR"):
            found.append(self._all_of())
        return found[0] if len(found) == 1 else Or(tuple(found))

    def _all_of(self) -> Condition:
        found = [self._one()]
        while self._takes("AND"):
            found.append(self._one())
        return found[0] if len(found) == 1 else And(tuple(found))

    def _one(self) -> Condition:
        if self._takes("NOT"):
            return Not(self._one())
        if self._takes("("):
            inside = self.any_of()
            self._take(")")
            return inside
        if self._next() in FUNCTIONS:
            name = self._take()
            self._take("(")
            arguments = self.list_of(self.operand)
            self._take(")")
            return Function(name, arguments)
        return self._comparison(self.operand())

    def _comparison(self, left: Operand) -> Condition:
        if self._takes("BETWEEN"):
            first = self.operand()
            self._take("AND")
            return Between(left, first, self.operand())
        if self._takes("IN"):
            self._take("(")
            choices = self.list_of(self.operand)
            self._take(")")
            return In(left, choices)
        return Compare(self._take(*COMPARISONS), left, self.operand())

    def operand(self) -> Operand:
        if self._next().startswith(":"):
            return Placeholder(self._take())
        if self._next() == "size":
            self._take()
            self._take("(")
            inside = self.operand()
            self._take(")")
            return Size(inside)
        return self.path()

    def path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self._next() == "." or self._next().startswith("["):
            token = self._take()
            parts.append(self._name() if token == "." else int(token[1:-1]))
        return Path(tuple(parts))

    def _name(self) -> str:
        token = self._take()
        if not re.fullmatch(r"#\w+|[A-Za-z_]\w*", token):
            raise self._wrong(token)
        return token

    def changes(self) -> Iterator[Change]:
        clauses = {"SET": self._set, "REMOVE": self._remove, "ADD": self._add, "DELETE": self._delete}
        done: set[str] = set()
        while self._tokens:
            clause = self._take(*(clauses.keys() - done)).upper()
            done.add(clause)
            yield from self.list_of(clauses[clause])

    def _set(self) -> Change:
        path = self.path()
        self._take("=")
        return Change("SET", path, self._sum())

    def _remove(self) -> Change:
        return Change("REMOVE", self.path())

    def _add(self) -> Change:
        return Change("ADD", self.path(), self.operand())

    def _delete(self) -> Change:
        return Change("DELETE", self.path(), self.operand())

    def _sum(self) -> Operand:
        first = self._term()
        if self._next() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            return Sum(first, self._term(), sign)
        return first

    def _term(self) -> Operand:
        if self._next() not in ("if_not_exists", "list_append"):
            return self.operand()
        name = self._take()
        self._take("(")
        first = self._term()
        self._take(",")
        second = self._term()
        self._take(")")
        if name == "list_append":
            return ListAppend(first, second)
        if not isinstance(first, Path):
            raise self._wrong(name)
        return IfNotExists(first, second)
