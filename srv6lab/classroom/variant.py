"""A lab as one learner has it: the same lab with other addresses, SIDs and names, from the learner's key.

The texts stay as their author wrote them, comments and layout included; only tokens are replaced. What comes of it is
loaded and compared with the lab part by part, so a variant is the lab under a change of names, or there is none. The order
of services stays: nothing in a file says which of them may change places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from srv6lab.classroom.addresses import Network, Renumbering, Shape, digits_in, in_documentation
from srv6lab.classroom.dice import Dice
from srv6lab.classroom.digits import Digits, together, told_apart
from srv6lab.classroom.rewriting import Rewriting, addresses_in
from srv6lab.topology.load import Lab
from srv6lab.topology.model import Topology

TOPOLOGY = "topology.yml"
_THROWS = 40
_NUMBERED = re.compile(r"[A-Za-z].*?([0-9]+)")
_NUMBER = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True)
class Variant:
    """The texts of a learner's lab by their paths in its folder, how they came of the lab's, and the prefixes and SIDs by
    which its packets are told from another learner's."""

    texts: Mapping[str, str]
    rewriting: Rewriting
    marks: frozenset[Network]


@dataclass(frozen=True)
class Pattern:
    """What every variant of a lab is made of: its `texts`, `topology.yml` among them, and what of it may change."""

    lab: Lab
    texts: Mapping[str, str]

    @cached_property
    def said(self) -> frozenset[Network]:
        """The addresses of its file."""
        return frozenset(addresses_in(self.texts[TOPOLOGY]))

    @cached_property
    def shape(self) -> Shape:
        named = {one for text in self.texts.values() for one in addresses_in(text) if one.version == 6}
        return _shape(self.lab.topology, self.said | named)

    @cached_property
    def six(self) -> frozenset[IPv6Address]:
        every = (one.network_address for one in self.shape.used)
        return frozenset(one for one in every if isinstance(one, IPv6Address))

    @cached_property
    def digits(self) -> tuple[set[str], set[str]]:
        """Those of numbers in addresses, and those of functions."""
        return digits_in(self.shape, self.six)

    @cached_property
    def protected(self) -> frozenset[str]:
        return frozenset(filter(None, _protected(self.lab.topology)))

    @cached_property
    def numbered(self) -> tuple[str, ...]:
        """The names with a number; none where short SIDs are, whose digits are what such a lab is about."""
        if any(_short_sids(self.lab.topology)):
            return ()
        every = dict.fromkeys(_names(self.lab.topology))
        return tuple(one for one in every if one not in self.protected and _NUMBERED.fullmatch(one))

    @cached_property
    def tied(self) -> frozenset[str]:
        """The digits that stay."""
        if any(_short_sids(self.lab.topology)):
            return frozenset("123456789abcdef")
        return frozenset(digit for name in _tied(self.protected, self.numbered) for digit in _digits(name))

    @cached_property
    def marks(self) -> frozenset[Network]:
        return frozenset(one for one in _marks(self.lab.topology) if not in_documentation(one))


def variant(pattern: Pattern, key: str) -> Variant:
    """The variant of a lab for a learner's key."""
    rewriting = rewriting_for(pattern, key)
    pages = {
        path: rewriting.page(text) if path.endswith(".md") else rewriting.text(text)
        for path, text in pattern.texts.items()
    }
    marks = frozenset(map(rewriting.renumbering.of_network, pattern.marks))
    return Variant(pages, rewriting, marks - pattern.marks)


def rewriting_for(pattern: Pattern, key: str) -> Rewriting:
    """What a learner's key makes of a lab's tokens."""
    lab = pattern.lab.topology.name
    in_numbers, in_functions = pattern.digits
    used = in_numbers | {digit for name in pattern.numbered for digit in _digits(name)}
    for throw in range(_THROWS):
        digits = told_apart(Dice(key, lab, "digits", throw), used, pattern.tied)
        functions = together(Dice(key, lab, "functions", throw), in_functions)
        names = {old: _renamed(old, digits) for old in pattern.numbered}
        if throw < _THROWS // 2 and _idle(functions, in_functions, names):
            continue
        renumbering = Renumbering(f"{key}\0{lab}", pattern.shape, digits, functions)
        if _apart(renumbering, pattern, names):
            return Rewriting(renumbering, names, pattern.protected, pattern.said)
    renumbering = Renumbering(f"{key}\0{lab}", pattern.shape, Digits(), Digits())
    return Rewriting(renumbering, {}, pattern.protected, pattern.said)


def _apart(renumbering: Renumbering, pattern: Pattern, names: Mapping[str, str]) -> bool:
    """Whether no two addresses become one, and no name one that something else has."""
    fresh = set(names.values())
    different = len(set(map(renumbering.of, pattern.six))) == len(pattern.six)
    return different and not fresh & pattern.protected and len(fresh) == len(names)


def _shape(topology: Topology, used: frozenset[Network]) -> Shape:
    kept: set[Network] = {prefix for link in topology.links for prefix in link.prefixes}
    kept |= {port.prefix for service in topology.services.values() for port in service.ports}
    pools = topology.pools
    kept |= {pool for pool in (pools.links, pools.loopbacks, pools.locators) if pool}
    kept |= set(_short_sids(topology))
    nodes = topology.nodes.values()
    locators = {one.prefix for node in nodes for one in node.every_locator.values()}
    fixed = {loopback.ip for node in nodes for loopback in node.loopbacks}
    fixed |= {sid for node in nodes for vpn in node.vpns.values() for sid in vpn.sids if sid != "auto"}
    fixed |= {one.sid for one in topology.local_sids if one.by}
    six = {one for one in fixed if isinstance(one, IPv6Address)}
    return Shape(used, frozenset(kept), frozenset(locators), frozenset(six))


def _short_sids(topology: Topology) -> Iterator[IPv6Network]:
    """The blocks in which several SIDs stand in one address."""
    for sid in topology.local_sids:
        if sid.csid:
            yield IPv6Network((sid.sid, sid.csid.block), strict=False)
    for node in topology.nodes.values():
        for locator in node.every_locator.values():
            if locator.usid and locator.structure:
                yield IPv6Network((locator.prefix.network_address, locator.structure.block), strict=False)


def _marks(topology: Topology) -> Iterator[Network]:
    """What the packets of a lab are told by."""
    for link in topology.links:
        yield from link.prefixes
    for node in topology.nodes.values():
        yield from (one.prefix for one in node.every_locator.values())
    yield from (IPv6Network(one.sid) for one in topology.local_sids)


# --- names


def _names(topology: Topology) -> Iterator[str]:
    """The names of nodes, links and traces."""
    yield from topology.nodes
    for link in topology.links:
        yield link.name
        yield from (end.trace for end in link.endpoints if end.trace)


def _digits(name: str) -> str:
    return "".join(_NUMBER.findall(name))


def _renamed(name: str, digits: Digits) -> str:
    return _NUMBER.sub(lambda found: digits.of(found[0]), name)


def _idle(functions: Digits, used: set[str], names: Mapping[str, str]) -> bool:
    """Whether a throw has left something as it is that it might have changed."""
    return (bool(used) and functions.of("".join(sorted(used))) == "".join(sorted(used))) or (
        bool(names) and all(old == new for old, new in names.items())
    )


def _protected(topology: Topology) -> Iterator[str]:
    """Words that mean something else, whatever they look like."""
    yield from topology.services
    for service in topology.services.values():
        yield service.netns or ""
        for port in service.ports:
            yield from (port.outside, port.inside, port.trace or "")
    for node in topology.nodes.values():
        yield from (*node.vrfs, *node.locators)
    for link in topology.links:
        yield from (end.nic for end in link.endpoints)
    for exercise in topology.exercises:
        yield exercise.name
        yield from (probe.id for probe in exercise.every_probe())
        yield from _values(exercise.model_dump(mode="json"), "name")
    yield from topology.groups
    yield topology.name


def _values(data: Any, key: str) -> Iterator[str]:
    """All texts that stand under a key."""
    if isinstance(data, dict):
        if isinstance(data.get(key), str):
            yield data[key]
        for one in data.values():
            yield from _values(one, key)
    elif isinstance(data, list):
        for one in data:
            yield from _values(one, key)


def _tied(protected: frozenset[str], numbered: Iterable[str]) -> Iterator[str]:
    """The names that an exercise is called after."""
    words = {part for word in protected for part in re.split("[-_]", word)}
    yield from (name for name in numbered if name in words)


# --- whether it is the same lab


def same_lab(lab: Lab, other: Lab, say: Callable[[str], str]) -> bool:
    """Whether the other lab is the first one as `say` puts it, whatever of it was said shortly. All that both come to is
    compared, addresses that a file leaves to the loader among it."""
    before, after = (json.dumps(_said(one.topology), ensure_ascii=False) for one in (lab, other))
    return say(before) == after


def _said(topology: Topology) -> Any:
    """All that a topology says, but whose it is."""
    return topology.model_dump(mode="json", exclude={"learner"})
