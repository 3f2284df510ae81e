"""What somebody who uses the network would report: which probes aren't answered, what comes wrong; never where, nor why."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.observations import Observations
from srv6lab.evidence.verdict import AlertTally, CounterTally, Item, Status, Verdict
from srv6lab.plan.nodes import Plan


def symptoms(
    plan: Plan, exercise: str, before: Observations, after: Observations, verdict: Verdict
) -> tuple[str, ...]:
    """A sentence each, by what was observed before the lab broke and after it."""
    found = [*_unanswered(plan, exercise, before, after), *_tallies(verdict)]
    wrong = [one for one in verdict.items if one.status is Status.FAIL and one.probe]
    if not found and wrong:
        probes = ", ".join(dict.fromkeys(one.probe for one in wrong))
        found = [f"all is answered that should be, but not all packets of {probes} are as they should be"]
    return tuple(found) or (f"{exercise} doesn't come to what it should, though its packets look right",)


def _unanswered(plan: Plan, exercise: str, before: Observations, after: Observations) -> Iterator[str]:
    probes = {one.id: one for one in plan.exercise(exercise)[1].every_probe()}
    was = {one.probe: one.received for one in before.probes}
    for sent in after.probes:
        if sent.received < was.get(sent.probe, 0):
            probe = probes[sent.probe]
            many = f"{sent.received} of {was[sent.probe]}" if sent.received else "none"
            ends = f"from {probe.source} to {probe.to or probe.destination}"
            yield f"{sent.probe}, {probe.kind.words} {ends}: {many} answered"
    missing = [one for one in was if one not in {sent.probe for sent in after.probes}]
    if missing:
        yield f"the exercise doesn't go on: {', '.join(missing)} could not be sent"


def _tallies(verdict: Verdict) -> Iterator[str]:
    """What services counted, without how much."""
    wrong: list[Item] = [one for one in verdict.items if one.status is Status.FAIL]
    for kind, words in ((AlertTally, "alerts"), (CounterTally, "counters")):
        if any(isinstance(one, kind) for one in wrong):
            yield f"{words} of services aren't what they should be"
