"""The ways of a route, each with the flows of a probe that take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from srv6lab.evidence.prediction import Choice
from srv6lab.predict.fib import Gateway, Link, NextHop, Sid, Steer, words_of_way
from srv6lab.predict.namespaces import ModeledLab, Namespace
from srv6lab.predict.parting import Parting, parting
from srv6lab.predict.walk import Walk, ip_of
from srv6lab.topology.scalars import Network


def parted(
    lab: ModeledLab, here: Namespace, walk: Walk, prefix: Network, ways: Sequence[NextHop]
) -> Iterator[tuple[NextHop, Walk]]:
    """The ways of a route, each with the flows that take it: a share of them, or whatever the node chooses."""
    if len(ways) == 1:
        yield ways[0], walk
        return
    first = ip_of(walk.packet)
    policy = here.hash_policy(prefix.version)
    known = {"copied": lab.copies_labels, "before": walk.share < 1}
    how = parting(walk.packet, policy, walk.came_in, walk.acted, **known)
    if how is Parting.SHARED:
        total = sum(map(_weight, ways))
        yield from ((way, replace(walk, share=walk.share * Fraction(_weight(way), total))) for way in ways)
        return
    key = f"{walk.place} {prefix} {first.source} {first.destination}"
    taken = [one.taken for one in walk.choices if one.key == key]  # a hash says the same twice
    for number, way in enumerate(ways):
        choice = Choice(key, walk.place, words_of_way(way), number, len(ways), how is Parting.TOGETHER)
        if not taken:
            yield way, replace(walk, choices=(*walk.choices, choice))
        elif number in taken:
            yield way, walk


def _weight(way: NextHop) -> int:
    return way.weight if isinstance(way, Gateway | Link | Steer | Sid) else 1
