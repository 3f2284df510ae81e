"""What several runs saw, without a verdict: all of their captures are read by one tshark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srv6lab.capture.ahead import Ahead
from srv6lab.capture.assign import without_others
from srv6lab.capture.probes import find_all
from srv6lab.evidence.observations import Observations
from srv6lab.evidence.packets import Point
from srv6lab.evidence.probes import Found
from srv6lab.judge.captures import Captures, read_captures
from srv6lab.judge.observed import observed_run
from srv6lab.plan.nodes import Plan


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run observed, each probe's packets in its captures, and where the capture of each NIC lies."""

    observed: Observations
    found: Mapping[str, Found] = field(default_factory=dict)
    files: Mapping[Point, Path] = field(default_factory=dict)


def seen(plan: Plan, runs: Mapping[str, Path], ahead: Ahead | None = None) -> dict[str, Seen]:
    """By exercise, of the folders that `check` wrote; UsageError for one of another exercise, or of another lab. `ahead` may have read their
    captures."""
    observed = {name: observed_run(plan, name, folder) for name, folder in runs.items()}
    read = read_captures(plan, runs, lambda _: None, control=False, ahead=ahead)
    return {name: _seen(plan, name, one, read[name]) for name, one in observed.items()}


def _seen(plan: Plan, name: str, observed: Observations, captures: Captures) -> Seen:
    sent = {one.probe: one for one in observed.probes}
    read = without_others(plan, captures.read)
    found = find_all(plan, plan.exercise(name)[1].every_probe(), read, sent)
    return Seen(observed, found, captures.files)
