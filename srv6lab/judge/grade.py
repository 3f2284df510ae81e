"""Grade a folder of captures by one exercise.

It reads such a folder and nothing else, so a run is graded the same on any machine, and so are pcaps that somebody
hands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from srv6lab.capture import Capture, read_all
from srv6lab.capture.probes import find, heard
from srv6lab.errors import UsageError
from srv6lab.evidence.observations import Alert, Sensor, Tracer, read_observations
from srv6lab.evidence.packets import Point
from srv6lab.evidence.probes import Sent
from srv6lab.evidence.verdict import Item, Status, Verdict
from srv6lab.host.progress import Progress
from srv6lab.judge.compare import (
    compare,
    judge_alerts,
    judge_counts,
    judge_losses,
    judge_messages,
    predicted_counts,
)
from srv6lab.judge.diagnose import diagnose
from srv6lab.judge.expectations import (
    expectations,
    expected_alerts,
    expected_counts,
    expected_losses,
    expected_messages,
)
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict

_SUFFIXES = (".pcap", ".pcapng")


def grade(plan: Plan, name: str, folder: Path, progress: Progress) -> Verdict:
    """Judge a folder of pcaps by the expectations of one exercise."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    _, exercise = plan.exercise(name)
    observed = read_observations(folder, plan.name, name)
    paths = _pcaps(plan, folder)
    if not paths:
        wanted = ", ".join(f"{nic.trace}.pcap" for nic in plan.traced())
        raise UsageError(f"{folder} holds no capture of this lab", f"their names are {wanted}")
    progress(f"{name}: reading {len(paths)} captures")
    protocols = {one.protocol for one in exercise.expect.control}
    captures = read_all(paths, messages=sorted(protocols))
    tracers = _tracers(plan, captures, observed)
    sent: Mapping[str, Sent] = observed.get("probes", {})
    found = {probe.id: find(plan, probe, captures, sent.get(probe.id)) for probe in exercise.every_probe()}
    predicted = {one.probe: one for one in predict(plan, name)}
    packets = compare(
        name,
        expectations(plan, name),
        found,
        tracers,
        elsewhere_absent=exercise.expect.elsewhere == "absent",
        predicted=predicted,
    )
    alerts, sensors = _heard(observed)
    beside = list(judge_alerts(expected_alerts(plan, name), alerts, sensors))
    counted = predicted_counts(predicted, found)
    beside += judge_counts(expected_counts(plan, name), observed.get("counters", {}), counted)
    beside += judge_losses(expected_losses(plan, name), found, tracers)
    beside += judge_messages(expected_messages(plan, name), heard(plan, captures), tracers, _bound(observed))
    beside += _of_routers("routing", observed)
    beside += _of_routers("policies", observed)
    beside += (Item("settled", Status.PASS, None, captured=one) for one in observed.get("settled", ()))
    if failure := observed.get("failure"):
        beside.append(Item("apply", Status.FAIL, None, note=f"the exercise couldn't go on: {failure}"))
    verdict = replace(packets, items=(*packets.items, *beside))
    if verdict.status is Status.FAIL:
        verdict = replace(verdict, items=(*verdict.items, *_of_routers("drift", observed)))
    return replace(verdict, suspects=diagnose(plan, verdict, predicted, found, tracers, sensors))


def _bound(observed: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    return {
        node: [(sid, behavior) for sid, behavior in pairs] for node, pairs in observed.get("sids", {}).items()
    }


def _of_routers(kind: str, observed: Mapping[str, Any]) -> list[Item]:
    """What was seen amiss of routers: `routing` didn't come about, `drift` isn't as it was configured."""
    return [Item(kind, Status.FAIL, None, node, note=line) for node, line in observed.get(kind, ())]


def _heard(observed: Mapping[str, Any]) -> tuple[list[Alert], dict[str, Sensor]]:
    alerts = [Alert(**one) for one in observed.get("alerts", ())]
    return alerts, {one["service"]: Sensor(**one) for one in observed.get("sensors", ())}


def _pcaps(plan: Plan, folder: Path) -> dict[Point, Path]:
    inner = folder / "captures"
    place = inner if inner.is_dir() else folder
    found = {}
    for nic in plan.traced():
        paths = [path for suffix in _SUFFIXES if (path := place / f"{nic.trace}{suffix}").is_file()]
        if paths:
            found[nic.point] = paths[0]
    return found


def _tracers(
    plan: Plan, captures: Mapping[Point, Capture], observed: Mapping[str, Any]
) -> dict[Point, Tracer]:
    """What is known of the tracer at every point: what the run observed, less what the files show."""
    told: Mapping[Point, Tracer] = observed.get("tracers", {})
    tracers = {}
    for nic in plan.traced():
        point, capture = nic.point, captures.get(nic.point)
        known = told.get(point)
        if capture is None:
            missing = Tracer(point, "missing", note=f"no {nic.trace}.pcap among the captures")
            tracers[point] = known if known and not known.sound else missing
        elif capture.cut_short:
            tracers[point] = Tracer(point, "cut", capture.records, note=f"{nic.trace}.pcap: {capture.note}")
        elif known and known.sound and known.captured != capture.records:
            note = f"{nic.trace}.pcap holds {capture.records} packets of {known.captured}"
            tracers[point] = Tracer(point, "cut", capture.records, note=note)
        else:
            tracers[point] = known or Tracer(point, "live", capture.records)
    return tracers
