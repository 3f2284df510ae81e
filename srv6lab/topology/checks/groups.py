"""Checks of groups: what machines are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.model import Hardware, Node


def _members(view: Facts) -> Iterator[tuple[str, str, Path]]:
    """Each group's name, each of its members, and where that stands."""
    for name, group in view.groups.items():
        for index, member in enumerate(group.members):
            yield name, member, ("groups", name, "members", index)


@check
def unknown_member(view: Facts, locate: Locate) -> Iterator[Problem]:
    for group, member, path in _members(view):
        if not view.knows(member):
            mend = did_you_mean(member, view.node_names, "name it under `nodes`")
            yield Problem(locate(path), f"group {group} has an unknown node {member}", mend)


@check
def member_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for (group, member), first, path in repeated(
        ((group, member), path) for group, member, path in _members(view)
    ):
        what = f"{member} is already in group {group} ({line_of(locate, first)})"
        yield Problem(locate(path), what, "keep one of the two")


@check
def groups_disagree(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Groups have no order, so nothing says which of two goes first."""
    for key in Hardware.model_fields:
        first: dict[str, tuple[str, Any]] = {}
        for name, group in view.groups.items():
            value = getattr(group, key)
            members = [one for one in group.members if value is not None and _asks(view.nodes.get(one), key)]
            torn = [one for one in members if first.setdefault(one, (name, value))[1] != value]
            if torn:
                other, before = first[torn[0]]
                what = f"{torn[0]} is also in group {other}, which says `{key}: {before}`"
                mend = f"say it under nodes.{torn[0]}, or take {_all(torn)} out of one of the two"
                yield Problem(locate(("groups", name, key)), what, mend)


def _asks(node: Node | None, key: str) -> bool:
    """Whether a node takes this from its groups; a version is that of its box, whoever says it."""
    if node is None or getattr(node, key) is not None:
        return False
    return not (key == "box_version" and node.box is not None)


def _all(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
