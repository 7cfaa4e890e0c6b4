"""Whoever gets an alarm finds what to do in docs/operations.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .templates import every_resource

RUNBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text().split("\n## At each alarm\n")[1]
HEADING = r"### [^\n]*deploy/templates/(\w+)\.yaml.*?\n"
SECTIONS = {match[1]: match[2] for match in re.finditer(rf"{HEADING}(.*?)(?=\n##)", RUNBOOK, re.DOTALL)}
ALARMS = [(part, name) for part, name, resource in every_resource() if resource["Type"] == "AWS::CloudWatch::Alarm"]


@pytest.mark.parametrize(("part", "name"), ALARMS)
def test_every_alarm_has_its_line_in_the_runbook(part: str, name: str) -> None:
    assert f"`{name}`" in SECTIONS[part]


def test_the_runbook_names_no_alarm_that_is_gone() -> None:
    named = {(part, name) for part, text in SECTIONS.items() for name in re.findall(r"`(\w+Alarm)`", text)}

    assert named == set(ALARMS)
