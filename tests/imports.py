"""Reads which module imports which, without importing anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def module_name(path: Path) -> str:
    """Return the dotted name of a file given relative to the root; a package's is that of its folder."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path, source: str, modules: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the modules among `modules` that a file imports, with the line.

    Imports inside functions count; those under `if TYPE_CHECKING` do not, because nothing runs them.
    """
    known = set(modules)
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in _executed(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((each.name, node.lineno) for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            for each in node.names:
                found = f"{origin}.{each.name}" if f"{origin}.{each.name}" in known else origin
                if found in known:
                    yield found, node.lineno


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node below one, without the bodies of `if TYPE_CHECKING`."""
    yield node
    is_for_types = isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING"
    for child in node.orelse if is_for_types and isinstance(node, ast.If) else ast.iter_child_nodes(node):
        yield from _executed(child)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return a shortest circle of each group of modules that import each other, as a path whose ends are equal."""
    reach = {module: _reachable(graph, module) for module in graph}
    groups = {frozenset(other for other in reach[module] if module in reach[other]) for module in graph}
    return sorted(
        min((_way_back(graph, each) for each in group), key=lambda way: (len(way), way)) for group in groups if group
    )


def _reachable(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for each in graph.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _way_back(graph: Mapping[str, Iterable[str]], start: str) -> list[str]:
    """Return the shortest path from a module that is in a circle back to itself."""
    paths = [[start]]
    seen: set[str] = set()
    for path in paths:
        for each in sorted(graph.get(path[-1], ())):
            if each == start:
                return [*path, each]
            if each not in seen:
                seen.add(each)
                paths.append([*path, each])
    raise AssertionError(f"{start} is in no circle")
