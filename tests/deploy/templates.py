"""The CloudFormation templates as a test reads them: plain values, references resolved as one says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from deploy.stacks import ORDER, TEMPLATES


class _Loader(yaml.SafeLoader):
    """Knows the short forms of CloudFormation's functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


@cache
def template(part: str) -> dict[str, Any]:
    """Parse a template with its functions in their long form, as JSON would have them."""
    return dict(yaml.load(source(part), _Loader))  # noqa: S506 - a SafeLoader


@cache
def source(part: str) -> str:
    return (TEMPLATES / f"{part}.yaml").read_text()


def every_resource() -> list[tuple[str, str, dict[str, Any]]]:
    """Return the template, name and definition of each resource."""
    return [(part, name, resource) for part in ORDER for name, resource in template(part)["Resources"].items()]


def resolved(value: Any, known: Mapping[str, str]) -> Any:
    """Replace Ref and Sub in the value by known values. Raises KeyError for an unknown one."""
    match value:
        case {"Ref": name}:
            return known[name]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda match: known[match[1]], text)
        case dict():
            return {key: resolved(each, known) for key, each in value.items()}
        case list():
            return [resolved(each, known) for each in value]
    return value
