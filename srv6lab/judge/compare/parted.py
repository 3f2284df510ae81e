"""Flows that a node's hash can't tell apart, and that went several ways all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from srv6lab.evidence.prediction import Choice, Trace
from srv6lab.evidence.verdict import CountDiffers, Item, Status


def parted(taken: Sequence[tuple[Trace, Collection[object]]]) -> Iterator[Item]:
    """`taken` has the walk of each packet. An item for each route by which some went one way and some another, though
    it sends all of them the same."""
    ways: dict[str, Counter[str]] = {}
    chosen: dict[str, Choice] = {}
    for trace, _ in taken:
        for choice in trace.choices:
            if choice.all_:
                chosen.setdefault(choice.key, choice)
                ways.setdefault(choice.key, Counter())[choice.way] += 1
    for key, counts in ways.items():
        if len(counts) > 1:
            captured = " and ".join(f"{count} to {way}" for way, count in counts.items())
            place = chosen[key].place
            yield CountDiffers(
                status=Status.FAIL,
                field="packets",
                predicted="all by one way",
                captured=captured,
                alone=None,
                note=f"the hash of {place} doesn't tell these flows apart",
            )
