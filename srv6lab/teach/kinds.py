"""The kinds of things that questions ask for: how each is read from a learner's words, and what is nearly right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srv6lab.plan.nodes import Plan
from srv6lab.teach import spelling
from srv6lab.topology.questions import FieldKind


def _far(_said: Any, _right: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """`words` say what it is and how it is written; `near` what to say of an answer that has the right idea ("" of others)."""

    words: str
    read: Callable[[str], Any]
    near: Callable[[Any, Any], str] = _far


def _reversed(said: Sequence[Any], right: Sequence[Any]) -> str:
    if len(right) < 2 or tuple(said) != tuple(reversed(right)):
        return ""
    return "these are the right ones in the other order: on the wire the last segment comes first (RFC 8754 section 2)"


def _unflavored(said: tuple[str, frozenset[str]], right: tuple[str, frozenset[str]]) -> str:
    if said[0] != right[0] or said[1] == right[1]:
        return ""
    return "the behavior is right, its flavors aren't: name both, or none where it has none"


def _without_ends(said: Sequence[str], right: Sequence[str]) -> str:
    if len(right) > 2 and tuple(said) in (right[1:], right[:-1], right[1:-1]):
        return "the nodes at both ends are part of the way"
    return "that is the way back" if tuple(said) == tuple(reversed(right)) and len(right) > 1 else ""


OF_FIELDS: Mapping[FieldKind, Kind] = {
    "address": Kind("an IP address", spelling.address),
    "mac": Kind("a MAC address", spelling.mac),
    "number": Kind("a number", spelling.number),
    "protocol": Kind("a protocol, by its name or its number", spelling.protocol),
    "segments": Kind("a list of SIDs, in the order of the wire", spelling.addresses, _reversed),
    "flag": Kind("yes or no", spelling.flag),
}
NUMBER = Kind("a number of packets", spelling.number)
BEHAVIOR = Kind("a behavior, such as End.T, with its flavors if it has any", spelling.behavior, _unflavored)


def node(plan: Plan) -> Kind:
    return Kind(_named("a node", _nodes(plan)), spelling.one_of(_nodes(plan)))


def nodes(plan: Plan) -> Kind:
    return Kind(_named("a list of nodes", _nodes(plan)), spelling.several_of(_nodes(plan)), _without_ends)


def place(plan: Plan) -> Kind:
    """A namespace may be named alone where only one node has one of that name; then so may the service in it."""
    known = {name: name for name in _nodes(plan)}
    spaces = [(one.name, service) for one in plan.nodes for service in one.services if service.netns]
    for owner, service in spaces:
        whole = f"{owner}/{service.netns}"
        known[whole] = whole
        if sum(other.netns == service.netns for _, other in spaces) == 1:
            known.setdefault(service.netns, whole)
        known.setdefault(service.name, whole)
    by_folded = {name.casefold(): whole for name, whole in known.items()}
    words = _named("a node", _nodes(plan)) + (", or a namespace in one as node/netns" if spaces else "")
    return Kind(words, by_folded.get, _of_its_node)


def _of_its_node(said: str, right: str) -> str:
    return "the node is right; say which namespace in it" if right.startswith(f"{said}/") else ""


def _nodes(plan: Plan) -> list[str]:
    return [one.name for one in plan.nodes]


def _named(what: str, names: Iterable[str]) -> str:
    """With the names that there are, if a line holds them."""
    every = ", ".join(names)
    return f"{what} ({every})" if len(every) < 80 else what
