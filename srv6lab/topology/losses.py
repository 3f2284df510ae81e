"""`losses`, the older way to say how many echo requests of a probe are answered:

    expect:
      losses: [{probe: ping, most: 1}]

It becomes the probe's `answered` before anything else looks at the file, at the place where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from srv6lab.errors import Problem
from srv6lab.suggest import or_all
from srv6lab.topology.yaml.source import Source
from srv6lab.topology.yaml.tree import Mark, Node


def answered(source: Source) -> list[Problem]:
    """Writes `answered` into the probes that losses name, and says what is wrong with those losses."""
    problems: list[Problem] = []
    for exercise in _items(source.root, "exercises"):
        named = ((_value(one, "id"), one) for one in _probes(exercise))
        probes = {name: one for name, one in named if isinstance(name, str)}
        for loss in _items(_child(exercise, "expect"), "losses"):
            if problem := _say(loss, probes, source):
                problems.append(problem)
    return problems


def _say(loss: Node, probes: dict[Any, Node], source: Source) -> Problem | None:
    """Nothing is said of what the model refuses anyway."""
    name, most = _value(loss, "probe"), _value(loss, "most")
    if not isinstance(name, str) or type(most) is not int:
        return None
    where = source.at(loss.children["probe"].mark)
    if name not in probes:
        return Problem(where, f"the exercise has no probe {name}", or_all(name, [*filter(None, probes)]))
    probe = probes[name]
    count, said = _value(probe, "icmp"), _value(probe, "answered")
    if type(count) is not int:
        return Problem(where, f"nothing answers probe {name}, so all of it is lost", "name one with `icmp`")
    if most >= count:
        return None
    word = f"at least {count - most}" if most else "all"
    if said not in (None, word):  # an alias may have brought the same probe here before
        what = f"probe {name} says that {said} of its echo requests are answered"
        return Problem(where, what, "keep one of the two")
    _put(probe, "answered", word, loss.mark)
    return None


def _probes(exercise: Node) -> Iterator[Node]:
    for part in (exercise, *_items(exercise, "steps")):
        for probe in (*_items(part, "probes"), *filter(None, [_child(part, "across")])):
            if isinstance(probe.data, dict):
                yield probe


def _child(node: Node | None, key: str) -> Node | None:
    child = node.children.get(key) if node and isinstance(node.children, dict) else None
    return child if isinstance(child, Node) else None


def _value(node: Node, key: str) -> Any:
    child = _child(node, key)
    return child.data if child else None


def _items(node: Node | None, key: str) -> list[Node]:
    child = _child(node, key)
    return child.children if child and isinstance(child.children, list) else []


def _put(node: Node, key: str, value: Any, mark: Mark) -> None:
    node.data[key], node.children[key], node.keys[key] = value, Node(mark, value), mark
