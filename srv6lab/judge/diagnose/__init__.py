"""A Verdict that isn't a pass → what likely caused it, and the read-only command that proves it.

From captures alone the answer is the set of causes that they can't tell apart. Where the lab runs, its nodes are
asked, and the first cause that is surely proven stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from srv6lab.errors import MachineError
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.observations import Sensor, Tracer
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import (
    Absent,
    AlertTally,
    ChangeFailed,
    CountDiffers,
    Item,
    Missing,
    PoliciesDiffer,
    RoutingLacks,
    Status,
    Suspect,
    TracerUnsound,
    Verdict,
)
from srv6lab.judge.diagnose.causes import CAUSES, Ask, proves, proves_surely, suspect
from srv6lab.judge.diagnose.drift import met, suspects_of_drift, without_learned
from srv6lab.judge.diagnose.everyday import misaddressed
from srv6lab.judge.diagnose.first_break import find_break, lost_traces, unlikely
from srv6lab.judge.diagnose.frames import unknown_neighbor
from srv6lab.judge.diagnose.in_vrfs import asked_in_vrfs
from srv6lab.judge.diagnose.lookups import refuses
from srv6lab.judge.diagnose.passing import passings
from srv6lab.judge.diagnose.silent_hops import silent
from srv6lab.judge.diagnose.suspects import (
    after_delivery,
    beyond_the_end,
    of_agent,
    of_daemons,
    of_segments,
    of_share,
    suspects_of,
    too_many,
    unknown,
    unsent,
)
from srv6lab.judge.diagnose.transfers import stalled
from srv6lab.judge.diagnose.unmodeled import beyond_the_model, without_unmodeled
from srv6lab.judge.parts import parts
from srv6lab.plan.nodes import Plan
from srv6lab.srv6.behaviors import REGISTRY

__all__ = ["CAUSES", "confirm", "diagnose"]

_UNSEEN = (TracerUnsound, Missing, CountDiffers, Absent)


def diagnose(
    plan: Plan,
    verdict: Verdict,
    predicted: Mapping[str, Prediction],
    found: Mapping[str, Found],
    tracers: Mapping[Point, Tracer],
    sensors: Mapping[str, Sensor],
    differences: Sequence[Difference] | None = None,
) -> tuple[Suspect, ...]:
    """The suspects of a verdict, none for a pass. `differences` from Day0 are None where nobody looked."""
    if verdict.status is Status.PASS:
        return ()
    tracers_lack = [*_of_tracers(verdict.items)]
    suspects = [] if verdict.status is Status.FAIL else [*tracers_lack]
    suspects += _of_routing(plan, verdict.items)
    suspects += [*_of_failed_change(plan, verdict.items), *misaddressed(plan, verdict.items)]
    for item in verdict.items:
        if item.field == "destination_mac" and item.status is Status.FAIL and item.point is not None:
            suspects += unknown_neighbor(plan.node(item.point.node), item.point.nic)
    for probe, prediction in predicted.items():
        for one, part in parts(found[probe], prediction):
            suspects += _of_walk(plan, part, one, tracers)
        mine = [item for item in verdict.items if item.probe == probe]
        for broken in unlikely(mine, prediction):
            suspects += [*suspects_of(plan, broken), *of_share(plan, broken)]
    suspects += _of_services(plan, verdict.items, sensors)
    suspects += too_many(plan, verdict.items)
    for item in verdict.items:
        suspects += of_segments(plan, item.note) if isinstance(item, PoliciesDiffer) else ()
    suspects = [*asked_in_vrfs(plan, suspects)]
    if differences is not None:
        touching = met(plan, differences, [*passings(plan, predicted)])
        told = {one.node for one in touching if one.section == "frr"}
        touching = without_learned(touching)
        suspects = [
            one for one in suspects if _may_be(one, differences, touching) and not _learned(plan, one, told)
        ]
        drifted = [*suspects_of_drift(verdict.items, predicted, touching)]
        suspects = [*(one for one in suspects if not _better_told(one, drifted)), *drifted]
    all_ = dict.fromkeys(
        [*without_unmodeled(plan, suspects, predicted), *tracers_lack] or _of_witnesses(verdict.items)
    )
    all_ |= dict.fromkeys(beyond_the_model(verdict.items, predicted))
    return tuple(replace(one, mend=one.mend.replace("lab=LAB", plan.running)) for one in all_)


def _may_be(one: Suspect, differences: Sequence[Difference], touching: Sequence[Difference]) -> bool:
    """Whether a cause may be the one, by what its node differs in from Day0; an address is asked for that a packet
    meets, and a route that refuses is one that is new: routers refuse the rest of their locators."""
    sections = CAUSES[one.cause].differs
    looked_at = touching if sections == ("address",) else differences
    here = [found for found in looked_at if found.node == one.node and found.section in sections]
    if one.cause == "route-discards":
        here = [found for found in here if any(refuses(line) for line in found.new)]
    return not sections or bool(here)


def _learned(plan: Plan, one: Suspect, told: Set[str]) -> bool:
    """Whether a router lacks a route that FRR should have told it, its own or another's, which isn't as it was."""
    node = next((node for node in plan.nodes if node.name == one.node), None)
    return bool(told) and one.cause == "route-missing" and node is not None and node.routing is not None


def _better_told(one: Suspect, drifted: Sequence[Suspect]) -> bool:
    """Whether what differs tells more than a last resort: `unknown`, or a tracer that may have begun too late."""
    return bool(drifted) and (one.cause == "unknown" or "late" in dict(one.about))


def confirm(suspects: Sequence[Suspect], ask: Ask) -> tuple[Suspect, ...]:
    """Ask the lab's nodes, in the order of likelihood, up to the first cause that is proven: it alone is left. Where
    none is, those are that may be innocent, what differs from Day0, and those that nobody could ask about."""
    left, maybe = [], []
    for one in suspects:
        if not one.argv:
            left.append(one)
            continue
        try:
            answer = ask(one.node, one.argv)
        except MachineError:  # it doesn't answer
            left.append(one)
            continue
        if proves(one, answer):
            if proves_surely(one, answer):
                return (replace(one, proven=True),)
            maybe.append(one)
    differs = [one for one in left if one.cause == "differs"]
    told = [one for one in maybe if differs and _tells(one, differs[0])]
    return tuple(dict.fromkeys([*told, *differs, *maybe, *left]))


def _tells(maybe: Suspect, differs: Suspect) -> bool:
    """Whether a cause that may be innocent tells all that differs where the walk broke."""
    sections = dict(differs.about).get("sections", "").split(",")
    return maybe.node == differs.node and set(sections) <= {*CAUSES[maybe.cause].differs}


def _of_walk(
    plan: Plan, prediction: Prediction, found: Found, tracers: Mapping[Point, Tracer]
) -> Iterator[Suspect]:
    if found.sent.token and not found.sent.sent:
        yield from unsent(plan, prediction.linux[0].hops[0]) if prediction.linux[0].hops else ()
        return
    broken = find_break(prediction, found, tracers)
    if broken is None:
        back = [trace.hops[-1] for trace in prediction.linux if trace.leg is Leg.BACK and trace.end.delivered]
        if back and found.sent.token and found.sent.received < found.sent.sent:
            yield from after_delivery(plan, back[0]) if found.counted else stalled(plan, prediction, found)
        for trace, strays in lost_traces(prediction, found):
            yield from beyond_the_end(plan, trace, strays)
        yield from silent(plan, prediction, found)
        return
    if broken.before is None and broken.trace.leg is Leg.BACK and not broken.seen:
        there = [
            trace.hops[-1] for trace in prediction.linux if trace.leg is Leg.THERE and trace.end.delivered
        ]
        yield from after_delivery(plan, there[0])
    yield from suspects_of(plan, broken)
    yield unknown(broken)


def _of_tracers(items: Sequence[Item]) -> Iterator[Suspect]:
    for item in items:
        if item.status is Status.INCONCLUSIVE and item.point is not None and isinstance(item, _UNSEEN):
            yield suspect("tracer", item.point.node, what=f"{item.point}: {item.note}")


def _of_routing(plan: Plan, items: Sequence[Item]) -> Iterator[Suspect]:
    """What of FRR doesn't run, agents that keep no policies, and the SIDs of VPNs on routers that lack something."""
    for item in items:
        if isinstance(item, RoutingLacks):
            yield from of_daemons(plan.node(item.node))
        elif isinstance(item, PoliciesDiffer):
            yield from of_agent(item.node)
    for item in items:
        routing = plan.node(item.node).routing if isinstance(item, RoutingLacks) else None
        for vrf in routing.vrfs if routing else ():
            for sid in vrf.sids:
                if "vrf" in REGISTRY[sid.behavior].needs:
                    yield suspect("vrf-strict-mode", item.field, behavior=sid.behavior)
                yield suspect("vpn-sid-not-installed", item.field, sid=sid.sid, vrf=vrf.name)


def _of_services(plan: Plan, items: Sequence[Item], sensors: Mapping[str, Sensor]) -> Iterator[Suspect]:
    """Alerts that didn't come, or that prove nothing: a sensor that is dead, or one with other rules."""
    if not any(isinstance(item, AlertTally) and item.status is not Status.PASS for item in items):
        return
    for name, sensor in sensors.items():
        node = plan.service(name)[0].name
        if sensor.alive and not sensor.drained:
            pid = f"/var/lib/srv6lab/services/{name}/pid"
            yield suspect("frozen", node, process=f"the sensor of service {name}", pid=pid)
        if not sensor.alive:
            yield suspect("service-not-running", node, service=name)
        elif not sensor.as_planned:
            yield suspect("service-rules", node, service=name)


def _of_failed_change(plan: Plan, items: Sequence[Item]) -> Iterator[Suspect]:
    """A change of the exercise that a node refused."""
    for item in items:
        if isinstance(item, ChangeFailed) and item.node:
            yield from (suspect("nic-down", item.node, nic=nic.name) for nic in plan.node(item.node).nics)


def _of_witnesses(items: Sequence[Item]) -> Iterator[Suspect]:
    """A witness that stands alone, where it isn't the lab."""
    for item in items:
        if item.alone in ("expected", "predicted"):
            name = "expectation" if item.alone == "expected" else "model"
            yield suspect(name, item.point.node if item.point else "", what=str(item.location or item.point))
