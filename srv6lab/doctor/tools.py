"""The tools that a lab is made of, with their versions; which there are stands in `scripts/setup`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from srv6lab.engines import ENGINES
from srv6lab.host.packages import Tool, listed, remedy, where
from srv6lab.host.system import System

from .asking import ABSENT, Answer
from .findings import Finding, State

AREA = "tools"
# `--version` is what most tools take.
_ASKED = {"ip": "-V", "tc": "-V", "ping": "-V"} | {one.name: one.version for one in ENGINES.values()}
# The last of these words that stands before a number, else the first number, is the version.
_VERSION = re.compile(r"(?:iproute2-(?:ss)?|iputils[ -]s?|[Vv]ersion |v)?(\d+(?:\.\d+)+|\d{6,})")
# Engines that `scripts/setup` can't install, since Debian has none of them.
OTHER_ENGINES = tuple(
    Tool("", one.name, one.package, "intrusion detection, where a system has it")
    for one in ENGINES.values()
    if not one.in_debian
)


def of_groups(groups: Iterable[str]) -> tuple[Tool, ...]:
    """The commands that the list has for these groups; what only setting up needs is no command."""
    return tuple(
        tool for tool in listed() if tool.group in groups and ":" not in tool.how and "/" not in tool.how
    )


def questions(tools: Iterable[Tool]) -> dict[str, tuple[str, ...]]:
    """How each tool that is there is asked for its version."""
    paths = {tool.how: where(tool.how) for tool in tools}
    return {how: (path, _ASKED.get(how, "--version")) for how, path in paths.items() if path}


def findings(tools: Iterable[Tool], answers: Mapping[str, Answer], system: System) -> tuple[Finding, ...]:
    """A finding a tool. One that is there but fails when it is asked is lacking: labs would see the same."""
    return tuple(_finding(tool, answers.get(tool.how, ABSENT), system) for tool in tools)


def version_in(text: str) -> str:
    """The version that a tool tells, or "" if it tells none."""
    found = _VERSION.search(text)
    return found[1] if found else ""


def _finding(tool: Tool, answer: Answer, system: System) -> Finding:
    if answer.ok:
        return Finding(AREA, tool.how, State.OK, version_in(answer.out), tool.purpose)
    if answer.code is None:
        return Finding(AREA, tool.how, State.LACKING, "", tool.purpose, remedy([tool], system))
    said = "gives no answer" if answer.late else f"fails: {' '.join(answer.out.split())[:120]}"
    return Finding(
        AREA, tool.how, State.LACKING, said, tool.purpose, f"install it again: {remedy([tool], system)}"
    )
