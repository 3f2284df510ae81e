"""The registry of behaviors as people read it: `invoke behaviors`, and the table in docs/behaviors.md.

What is shown of a record are its fields, whichever it has; nothing is known here of any one behavior.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from srv6lab.errors import UsageError
from srv6lab.srv6.behaviors import INSTEAD, NEEDS, REGISTRY, Behavior
from srv6lab.srv6.flavors import Flavored, flavored
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.suggest import closest, did_you_mean
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.vpn_sids import behaviors

from .table import aligned

SCHEMA = 1
_SHOWN = 3  # of the labs that have a behavior
_NOT_LINUX = "not as a seg6local action"
_HIDDEN = frozenset({"model"})
_HEADS = ("behavior", "IANA", "section", "does", "parameters", "Linux since", "labs")


Taught = Mapping[str, Sequence[str]]  # the labs that have a behavior, by its name


def behaviors_text(name: str, taught: Taught | None = None) -> str:
    """A line a record, or the one that is named in full; UsageError for a name that isn't there. With `taught` each says
    which labs have it, or why none has."""
    if name:
        one = named(name)
        return in_full(one) + (f"  {'taught by:':17} {_by_whom(one, taught)}\n" if taught is not None else "")
    if taught is None:
        return listing(REGISTRY.values())
    rows = [(*_HEADS, "taught by"), *((*_row(one), _by_whom(one, taught)) for one in REGISTRY.values())]
    return "\n".join([*aligned(rows), ""])


def behaviors_json(name: str, taught: Taught | None = None) -> str:
    """All records, or the one that is named."""
    found = [named(name)] if name else REGISTRY.values()
    about = [
        document(one) | ({"taught_by": [*taught.get(one.name, ())]} if taught is not None else {})
        for one in found
    ]
    return json.dumps({"schema": SCHEMA, "behaviors": about}, indent=2) + "\n"


def taught(course: Iterable[Topology]) -> dict[str, list[str]]:
    """The labs of a course that have each behavior, in the course's order."""
    found: dict[str, list[str]] = {}
    for lab in course:
        for name in sorted(_in_lab(lab)):
            found.setdefault(name, []).append(lab.name)
    return found


def _in_lab(lab: Topology) -> set[str]:
    """What its SIDs are bound to: its own, those of SR policies, and those that FRR binds for VPNs."""
    names = {one.behavior for one in lab.local_sids}
    paths = (path for policy in lab.policies for path in policy.candidate_paths)
    names |= {"End.B6.Encaps" for path in paths if path.binding_sid is not None}
    return names | {one for name, node in lab.nodes.items() for one in _of_vpns(lab, name, node)}


def _of_vpns(lab: Topology, name: str, node: Node) -> Iterator[str]:
    ends = [(end.vrf, link.prefixes) for link in lab.links for end in link.endpoints if end.node == name]
    for vrf, found in node.vpns.items():
        yield from behaviors(found, (one for of, prefixes in ends if of == vrf for one in prefixes))


def _by_whom(one: Behavior, taught: Taught) -> str:
    labs = taught.get(one.name, ())
    more = f" and {len(labs) - _SHOWN} more" if len(labs) > _SHOWN else ""
    return ", ".join(labs[:_SHOWN]) + more if labs else f"no lab: {one.why_not or 'none of them needs it'}"


def named(name: str) -> Behavior:
    """The record of that name, in whatever case it is written; UsageError with the nearest names."""
    by_name = {one.lower(): one for one in REGISTRY}
    if name.lower() in by_name:
        return REGISTRY[by_name[name.lower()]]
    near = [by_name[one] for one in closest(name.lower(), by_name)]
    mend = did_you_mean(near) if near else f"there are: {', '.join(REGISTRY)}"
    raise UsageError(f"there is no behavior {name!r}", mend)


def document(one: Behavior) -> dict[str, Any]:
    """A record as JSON has it: its fields by their names, whether it is modeled, and its flavors."""
    shown = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in _HIDDEN}
    since = {"kernel_since": _version(one.kernel_since)}
    flavors = [
        {"flavors": f.flavors, "code_point": f.code_point, "kernel_since": _version(f.kernel_since)}
        for f in flavored(one.name)
    ]
    return {**shown, **since, "modeled": bool(one.model), "flavors": flavors}


def listing(found: Iterable[Behavior]) -> str:
    """A line a behavior, in columns."""
    return "\n".join([*aligned([_HEADS, *map(_row, found)]), ""])


def table(found: Iterable[Behavior]) -> str:
    """The same as Markdown."""
    rows = [_HEADS, ("---",) * len(_HEADS), *(_row(one) for one in found)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def in_full(one: Behavior) -> str:
    """One record, a line a field, and under it what it can be bound with."""
    return "".join(f"{line}\n" for line in _lines(one))


def _row(one: Behavior) -> tuple[str, ...]:
    return (
        one.name,
        str(one.code_point or "-"),
        one.section,
        one.summary,
        ", ".join(one.parameters) or "-",
        _version(one.kernel_since) or "-",
        "yes" if one.in_labs else "no",
    )


def _lines(one: Behavior) -> Iterator[str]:
    shown = {
        "IANA code point": one.code_point or "none",
        "section": one.section,
        "does": one.summary,
        "parameters": one.parameters or "none",
        "Linux since": _version(one.kernel_since) or _NOT_LINUX,
        "needs": "; ".join(NEEDS[need] + INSTEAD.get(need, "") for need in one.needs)
        or "nothing of a kernel",
        "in labs": "yes" if one.in_labs else "no: Day0 can't install it",
        "in the model": "yes" if one.model else "no",
    }
    told = {
        "name",
        "code_point",
        "section",
        "summary",
        "parameters",
        "kernel_since",
        "needs",
        "in_labs",
        *_HIDDEN,
    }
    more = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in told}
    shown |= {name.replace("_", " "): value for name, value in more.items() if value}
    yield one.name
    for name, value in shown.items():
        yield f"  {name + ':':17} {_words(value)}"
    flavors = flavored(one.name)
    yield f"  {'flavors:':17} {'' if flavors else 'none'}".rstrip()
    width = max((len(_joined(f)) for f in flavors), default=0)
    for f in flavors:
        linux = f"Linux since {_version(f.kernel_since)}" if f.kernel_since else "not in Linux"
        yield f"    {_joined(f):{width}}  code point {f.code_point}, {linux}"
        if f.quirk:
            yield f"    {'':{width}}  {QUIRKS[f.quirk].what} ({f.quirk})"


def _joined(one: Flavored) -> str:
    return " + ".join(one.flavors)


def _words(value: object) -> str:
    if value is True:
        return "yes"
    return (
        ", ".join(str(one) for one in value)
        if isinstance(value, Sequence | frozenset) and not isinstance(value, str)
        else str(value)
    )


def _version(since: tuple[int, int] | None) -> str | None:
    return ".".join(str(number) for number in since) if since else None
