"""What has to be done to a lab that is up so that it is as another plan has it: a value, made of what was laid for the
earlier plan and what is laid for the new one. Nothing is asked of a machine.

A node's things are taken away one by one; one whose role, VRFs or own commands are others is made anew, and with it its
ends of links. All nodes that nothing of that touches stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Point
from srv6lab.render.laid import Laid, LaidNic, LaidNode, Thing


@dataclass(frozen=True, slots=True)
class Step:
    """The nodes that go, and those that are `made`, each with why where it was there before; the NICs that are `cut`, and
    those that are `wired`; a NIC whose capture alone is called otherwise is `renamed`. `takes` are commands by node, the
    first first; Day0 is `run` in nodes. `differences` are for a person."""

    gone: tuple[str, ...]
    made: Mapping[str, str]
    cut: tuple[Point, ...]
    wired: tuple[Point, ...]
    renamed: tuple[Point, ...]
    takes: Mapping[str, tuple[str, ...]]
    run: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def touched(self) -> tuple[str, ...]:
        """All nodes that are not left alone."""
        return tuple(dict.fromkeys((*self.gone, *self.run)))

    def lines(self) -> Iterator[str]:
        """What it does, for a person."""
        for name in self.gone:
            yield f"{name}: taken away"
        for name, why in self.made.items():
            yield f"{name}: made anew, since {why}" if why else f"{name}: new"
        for point in self.cut:
            if point not in self.wired and point.node not in {*self.gone, *self.made}:
                yield f"{point}: taken away"
        for point in self.wired:
            if point.node not in self.made:
                yield f"{point}: {'laid anew' if point in self.cut else 'new'}"
        for point in self.renamed:
            yield f"{point}: its capture has another name"
        for one in self.differences:
            yield from one.sentences()


_NOT_ANEW: Mapping[str, str] = MappingProxyType({})


def step(before: Laid, after: Laid, rewritten: Collection[str], anew: Mapping[str, str] = _NOT_ANEW) -> Step:
    """From one to the other. `rewritten` are nodes whose Day0 is another; those that are to be made `anew` whatever the
    files say have each a reason."""
    gone = tuple(name for name in dict.fromkeys((*before.nodes, *anew)) if name not in after.nodes)
    made = {name: "" for name in after.nodes if name not in before.nodes}
    for name in after.nodes.keys() & before.nodes.keys():
        if why := anew.get(name) or _why_anew(before.nodes[name], after.nodes[name]):
            made[name] = why
    flux = _flux(before.nics, after.nics, {*gone, *made})
    while more := [name for name in _with_vrfs(after) if name not in made and _touches(flux, name)]:
        made |= dict.fromkeys(more, "a NIC beside its VRFs is another")
        flux = _flux(before.nics, after.nics, {*gone, *made})
    kept = [name for name in after.nodes if name not in made]
    run = [name for name in after.nodes if name in made or name in rewritten or _touches(flux, name)]
    takes = {
        name: tuple(dict.fromkeys(_takes(before.nodes[name], after.nodes[name], _touches(flux, name))))
        for name in kept
        if name in run
    }
    renamed = (
        Point.parse(text)
        for text, nic in after.nics.items()
        if text in before.nics and text not in flux and before.nics[text].trace != nic.trace
    )
    return Step(
        gone,
        {name: made[name] for name in after.nodes if name in made},
        tuple(Point.parse(text) for text in before.nics if text in flux),
        tuple(Point.parse(text) for text in after.nics if text in flux),
        tuple(renamed),
        {name: commands for name, commands in takes.items() if commands},
        tuple(run),
        tuple(
            one
            for name in after.nodes
            if name in before.nodes
            for one in _told(name, before.nodes[name], after.nodes[name])
        ),
    )


def _why_anew(before: LaidNode, after: LaidNode) -> str:
    """What of a node can't be changed while it lives; "" where nothing of that is another."""
    lost = [one for one in before.stays if one not in after.stays]
    other = [*lost, *sorted({*before.same} ^ {*after.same})]
    return f"its {other[0].partition(':')[0]} {'goes' if lost else 'changed'}" if other else ""


def _flux(before: Mapping[str, LaidNic], after: Mapping[str, LaidNic], places: Collection[str]) -> set[str]:
    """The NICs that aren't the same wires, with all that are at their other ends."""
    found = {
        text
        for text in (*before, *after)
        if Point.parse(text).node in places or _wire(before.get(text)) != _wire(after.get(text))
    }
    ends = {
        str(end) for nics in (before, after) for text in found if text in nics for end in nics[text].peers
    }
    return found | {end for end in ends if end in before or end in after}


def _wire(nic: LaidNic | None) -> object:
    return (nic.mac, nic.peers, nic.place) if nic else None


def _touches(flux: Collection[str], name: str) -> bool:
    return any(Point.parse(text).node == name for text in flux)


def _with_vrfs(laid: Laid) -> Iterator[str]:
    return (name for name, node in laid.nodes.items() if any(one.startswith("VRF ") for one in node.same))


def _takes(before: LaidNode, after: LaidNode, wired: bool) -> Iterator[str]:
    """The commands that take away what a node has no longer. A proxy hooks all NICs when it is told of a SID: with another
    NIC it is told again."""
    now = {one.key: one for one in after.things}
    for one in before.things:
        other = now.get(one.key)
        changed = one.renewed and other is not None and other.line != one.line
        if one.take and (other is None or changed or (wired and one.section == "proxy")):
            yield one.take


def _told(name: str, before: LaidNode, after: LaidNode) -> Iterator[Difference]:
    was, now = ({(one.section, one.line): one for one in node.things} for node in (before, after))
    sections = dict.fromkeys(section for section, _ in (*was, *now) if section)
    for section in sections:
        gone = _only(section, was, now)
        new = _only(section, now, was)
        if gone or new:
            yield Difference(name, "", section, gone, new)


def _only(
    section: str, mine: Mapping[tuple[str, str], Thing], other: Mapping[tuple[str, str], Thing]
) -> tuple[str, ...]:
    return tuple(line for of, line in mine if of == section and (of, line) not in other)
