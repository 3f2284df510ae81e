"""A short file of a large lab → the long one: includes, variables, ranges, groups, short links, pools.

A tree comes in and a tree goes out, before the model sees either. Each part of the new one keeps the place of the text
that it is made of, so whatever is wrong with it is said there. A file that uses nothing of this stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from srv6lab.errors import Problem
from srv6lab.topology.large.groups import with_groups
from srv6lab.topology.large.includes import with_includes
from srv6lab.topology.large.links import with_whole_links
from srv6lab.topology.large.pools import with_addresses
from srv6lab.topology.large.ranges import with_ranges
from srv6lab.topology.large.texts import with_vars, without_numbers
from srv6lab.topology.yaml.edit import entries, mapping
from srv6lab.topology.yaml.source import Source
from srv6lab.topology.yaml.tree import Node

_STEPS = (with_vars, with_ranges, with_groups, without_numbers, with_whole_links, with_addresses)


def spread(source: Source, folder: Path | None, before: tuple[Problem, ...]) -> tuple[Source, list[Problem]]:
    """The long file, and what is wrong with it, `before` included; TopologyError if nothing more can be said of it.

    `folder` is where included files are looked for.
    """
    source, problems = with_includes(source, folder, before)
    root = _without_notes(source.root)
    for step in _STEPS:
        root = step(root, problems)
    return replace(source, data=root.data, root=root), problems


def _without_notes(root: Node) -> Node:
    """Keys that begin with `x-` are the author's own, a place for anchors."""
    if not any(key.startswith("x-") for key in root.data):
        return root
    return mapping(root.mark, (one for one in entries(root) if not one[0].startswith("x-")))
