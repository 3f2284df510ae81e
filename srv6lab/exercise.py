"""Run an exercise in a lab, and grade what was captured.

Recording leaves a folder: `captures/*.pcap` and `observations.json`. Grading reads such a folder and
nothing else, so a run is graded the same on any machine, and so are pcaps that somebody hands in.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from srv6lab.capture import Capture, read_all
from srv6lab.compare import compare
from srv6lab.errors import UsageError
from srv6lab.expect import expectations
from srv6lab.plan import Plan
from srv6lab.probes import Sent, find, ping, read_ping, target
from srv6lab.providers.base import Progress, Provider
from srv6lab.state import Home, State, write_whole
from srv6lab.topology import Probe
from srv6lab.trace import Point, Tracer, Verdict

SCHEMA = 1
_OBSERVATIONS = "observations.json"
_SUFFIXES = (".pcap", ".pcapng")


def record(plan: Plan, name: str, provider: Provider, home: Home, state: State, progress: Progress) -> Path:
    """Run one exercise in the lab; the folder with what was seen of it."""
    _, exercise = plan.exercise(name)
    folder = home.run(name)
    shutil.rmtree(folder, ignore_errors=True)
    mark = provider.mark(home, state)
    sent = []
    for probe in exercise.probes:
        progress(f"{name}: probe {probe.id}, {probe.icmp} echo requests from {probe.source} to {probe.to}")
        sent.append(_send(plan, probe, provider, state))
    tracers = provider.captures(home, state, mark, folder / "captures")
    document = {
        "schema": SCHEMA,
        "lab": plan.name,
        "exercise": name,
        "provider": provider.name,
        "probes": [asdict(one) for one in sent],
        "tracers": [asdict(one) | {"point": str(one.point)} for one in tracers],
    }
    write_whole(folder / _OBSERVATIONS, json.dumps(document, indent=1) + "\n")
    return folder


def grade(plan: Plan, name: str, folder: Path, progress: Progress) -> Verdict:
    """Judge a folder of pcaps by the expectations of one exercise."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    _, exercise = plan.exercise(name)
    observed = _observations(folder, name)
    paths = _pcaps(plan, folder)
    if not paths:
        wanted = ", ".join(f"{nic.trace}.pcap" for nic in plan.nics())
        raise UsageError(f"{folder} holds no capture of this lab", f"their names are {wanted}")
    progress(f"{name}: reading {len(paths)} captures")
    captures = read_all(paths)
    tracers = _tracers(plan, captures, observed)
    sent = {one["probe"]: Sent(**one) for one in observed.get("probes", ())}
    found = {probe.id: find(plan, probe, captures, sent.get(probe.id)) for probe in exercise.probes}
    return compare(
        name,
        expectations(plan, name),
        found,
        tracers,
        elsewhere_absent=exercise.expect.elsewhere == "absent",
    )


def _send(plan: Plan, probe: Probe, provider: Provider, state: State) -> Sent:
    token = secrets.token_hex(16)
    command = ping(target(plan, probe), probe, token)
    result = provider.exec(state, probe.source, command, timeout=30 + probe.icmp)
    return read_ping(probe.id, token, result.stdout, result.stderr)


def _observations(folder: Path, exercise: str) -> dict[str, Any]:
    """What the run wrote beside its captures; nothing for pcaps that came alone."""
    for path in (folder / _OBSERVATIONS, folder.parent / _OBSERVATIONS):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise UsageError(
                f"{path} is no JSON: {error}", "hand in the run's folder as it was written"
            ) from None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise UsageError(
                f"{path} was written by another version of srv6lab", "remove it to grade the pcaps alone"
            )
        if document["exercise"] != exercise:
            mend = f"--exercise {document['exercise']}"
            raise UsageError(
                f"{folder} holds a run of exercise {document['exercise']}, not of {exercise}", mend
            )
        return document
    return {}


def _pcaps(plan: Plan, folder: Path) -> dict[Point, Path]:
    inner = folder / "captures"
    place = inner if inner.is_dir() else folder
    found = {}
    for nic in plan.nics():
        paths = [path for suffix in _SUFFIXES if (path := place / f"{nic.trace}{suffix}").is_file()]
        if paths:
            found[nic.point] = paths[0]
    return found


def _tracers(
    plan: Plan, captures: Mapping[Point, Capture], observed: Mapping[str, Any]
) -> dict[Point, Tracer]:
    """What is known of the tracer at every point: what the run observed, less what the files show."""
    told = {
        Point.parse(one["point"]): Tracer(**{**one, "point": Point.parse(one["point"])})
        for one in observed.get("tracers", ())
    }
    tracers = {}
    for nic in plan.nics():
        point, capture = nic.point, captures.get(nic.point)
        known = told.get(point)
        if capture is None:
            tracers[point] = Tracer(point, "missing", note=f"no {nic.trace}.pcap among the captures")
        elif capture.cut_short:
            tracers[point] = Tracer(point, "cut", capture.records, note=f"{nic.trace}.pcap: {capture.note}")
        elif known and known.sound and known.captured != capture.records:
            note = f"{nic.trace}.pcap holds {capture.records} packets of {known.captured}"
            tracers[point] = Tracer(point, "cut", capture.records, note=note)
        else:
            tracers[point] = known or Tracer(point, "live", capture.records)
    return tracers
