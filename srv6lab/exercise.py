"""Run an exercise in a lab, and grade what was captured.

Recording leaves a folder: `captures/*.pcap` and `observations.json`. Grading reads such a folder and
nothing else, so a run is graded the same on any machine, and so are pcaps that somebody hands in.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from srv6lab import elections
from srv6lab.capture import Capture, read_all
from srv6lab.changes import Changes
from srv6lab.compare import (
    compare,
    judge_alerts,
    judge_counts,
    judge_losses,
    judge_messages,
    predicted_counts,
)
from srv6lab.convergence import survey, wait
from srv6lab.diagnose import diagnose
from srv6lab.errors import NodeError, UsageError
from srv6lab.expect import (
    expectations,
    expected_alerts,
    expected_counts,
    expected_losses,
    expected_messages,
)
from srv6lab.plan import Plan
from srv6lab.predict import predict
from srv6lab.predict.network import withdrawn
from srv6lab.probes import Sent, command, find, heard, interval, read_ping
from srv6lab.providers.base import Progress, Provider
from srv6lab.render import changes_of
from srv6lab.services import since, sizes
from srv6lab.state import Home, State, write_whole
from srv6lab.topology import Action, CutAction, Exercise, Probe
from srv6lab.trace import Alert, Item, Point, Sensor, Status, Tracer, Verdict

SCHEMA = 1
_OBSERVATIONS = "observations.json"
_SUFFIXES = (".pcap", ".pcapng")


def record(plan: Plan, name: str, provider: Provider, home: Home, state: State, progress: Progress) -> Path:
    """Run one exercise in the lab; the folder with what was seen of it. What it applies is taken back,
    and so is what a check that died has left."""
    run = _Run(plan, name, provider, home, state, progress)
    run.changes.take_back()
    folder = home.run(name)
    shutil.rmtree(folder, ignore_errors=True)
    mark, logs, counted = provider.mark(home, state), sizes(provider, state, plan), run.proxy_counters()
    failure = ""
    if elections.wait(plan, provider, state, patience=elections.A_MOMENT):
        run.patience = elections.NO_LONGER
    try:
        run.whole_exercise()
    except NodeError as error:
        failure = str(error)
    seen = survey(plan, provider, state)
    since_up = run.exercise.since == "up"
    tracers = provider.captures(home, state, None if since_up else mark, folder / "captures")
    alerts, sensors = since(provider, state, plan, logs)
    after = run.proxy_counters()
    counters = {**run.counted, **{key: after[key] - counted.get(key, 0) for key in after}}
    document = {
        "schema": SCHEMA,
        "lab": plan.name,
        "exercise": name,
        "provider": provider.name,
        "probes": [asdict(one) for one in run.sent],
        "tracers": [asdict(one) | {"point": str(one.point)} for one in tracers],
        "alerts": [asdict(one) for one in alerts],
        "sensors": [asdict(one) for one in sensors],
        "counters": counters,
        "failure": failure,
        "proxies": run.proxies(),
        "routing": seen.lacks(),
        "drift": seen.drifts(),
        "settled": run.settled,
        "policies": run.astray,
        "sids": seen.bound(),
        "vpns": seen.mechanisms(),
    }
    write_whole(folder / _OBSERVATIONS, json.dumps(document, indent=1) + "\n")
    return folder


class _Run:
    """One exercise under way: what was sent and counted so far."""

    def __init__(
        self, plan: Plan, name: str, provider: Provider, home: Home, state: State, progress: Progress
    ) -> None:
        self.plan, self.name, self.provider, self.state, self.progress = plan, name, provider, state, progress
        self.exercise: Exercise = plan.exercise(name)[1]
        self.changes = Changes(provider, home, state)
        self.sent: list[Sent] = []
        self.counted: dict[str, int] = {}
        self.settled: list[str] = []
        self.astray: list[tuple[str, str]] = []
        self.actions: tuple[Action, ...] = ()  # those that hold now
        self.patience = elections.A_MOMENT

    def whole_exercise(self) -> None:
        with self._applied(self.exercise.apply):
            self._send(self.exercise.probes)
            for step in self.exercise.steps:
                with self._across(step.across), self._applied(step.apply):
                    self._send(step.probes)

    @contextmanager
    def _across(self, probe: Probe | None) -> Iterator[None]:
        """Send a probe while what comes next goes on; it begins a quarter before."""
        if probe is None:
            yield
            return
        self.progress(f"{self.name}: probe {probe.id}, {_words(probe)}")
        with ThreadPoolExecutor(max_workers=1) as pool:
            sending = pool.submit(_send, self.plan, probe, self.provider, self.state)
            time.sleep(probe.count * interval(probe) / 4)
            try:
                yield
            finally:
                self.sent.append(sending.result())

    def proxy_counters(self) -> dict[str, int]:
        """Packets that each SR proxy says it served so far."""
        found: dict[str, int] = {}
        for machine in self.plan.machines:
            if machine.proxies:
                shown = self._ask(machine.name, ["srconf", "localsid", "show"])
                found |= read_localsids(shown, [proxy.sid for proxy in machine.proxies])
        return found

    def proxies(self) -> dict[str, str]:
        """What serves the SIDs of each SR proxy, as its Day0 found."""
        return {
            machine.name: self._ask(machine.name, ["cat", "/var/lib/srv6lab/proxy"]).strip()
            for machine in self.plan.machines
            if machine.proxies
        }

    def _ask(self, node: str, argv: list[str]) -> str:
        return self.provider.exec(self.state, node, argv, timeout=30).stdout

    @contextmanager
    def _applied(self, actions: Sequence[Action]) -> Iterator[None]:
        changes = [one for action in actions for one in changes_of(self.plan, action)]
        for one in changes:
            self.progress(f"{self.name}: {one.what}")
        gone, before = withdrawn(actions), self.actions
        with self.changes.applied(changes, self.counted):
            self.actions = (*before, *actions)
            self._settle(gone, f"without the locators of {', '.join(sorted(gone))}")
            self._elected()
            yield
        self.actions = before
        self._settle(gone, "with all locators", back=True)
        if actions:
            self._elected()

    def _elected(self) -> None:
        """Wait until headends have the policies that the model has; how long that took is a result, and what differs
        in the end, too."""
        began = time.monotonic()
        astray = elections.wait(self.plan, self.provider, self.state, self.actions, self.patience)
        if astray is None:
            return
        self.astray += astray
        if not astray and any(isinstance(one, CutAction) for one in self.actions):
            cut = ", ".join(one.cut.link for one in self.actions if isinstance(one, CutAction))
            self.settled.append(f"headends have elected without {cut} after {time.monotonic() - began:.1f} s")
            self.progress(f"{self.name}: {self.settled[-1]}")

    def _settle(self, gone: frozenset[str], what: str, *, back: bool = False) -> None:
        """Wait for what a withdrawn locator, or one that is back, brings about; how long it took is a result."""
        if not gone:
            return
        began = time.monotonic()
        wait(self.plan, self.provider, self.state, self.progress, () if back else gone)
        self.settled.append(f"converged {what} after {time.monotonic() - began:.1f} s")
        self.progress(f"{self.name}: {self.settled[-1]}")

    def _send(self, probes: Sequence[Probe]) -> None:
        for probe in probes:
            self.progress(f"{self.name}: probe {probe.id}, {_words(probe)}")
            self.sent.append(_send(self.plan, probe, self.provider, self.state))


_LOCALSID = re.compile(r"SID\s*:\s*(\S+).*?Good traffic:\s*\[(\d+) packets", re.DOTALL)


def read_localsids(shown: str, sids: Sequence[IPv6Address]) -> dict[str, int]:
    """`srconf localsid show` → packets by `sid SID`; a SID that isn't there counts nothing."""
    found = {f"sid {sid}": 0 for sid in sids}
    for text, packets in _LOCALSID.findall(shown):
        with suppress(ValueError):
            found[f"sid {IPv6Address(text)}"] = int(packets)
    return found


def grade(plan: Plan, name: str, folder: Path, progress: Progress) -> Verdict:
    """Judge a folder of pcaps by the expectations of one exercise."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    _, exercise = plan.exercise(name)
    observed = _observations(folder, plan.name, name)
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


def _words(probe: Probe) -> str:
    what = "flows of UDP" if probe.udp else "echo requests"
    return f"{probe.count} {what} from {probe.source} to {probe.to}"


def _send(plan: Plan, probe: Probe, provider: Provider, state: State) -> Sent:
    token = secrets.token_hex(16)
    words = command(plan.target(probe), probe, token)
    result = provider.exec(state, probe.source, words, timeout=30 + probe.count)
    return read_ping(probe.id, token, result.stdout, result.stderr)


def _observations(folder: Path, lab: str, exercise: str) -> dict[str, Any]:
    """What the run wrote beside its captures; nothing for pcaps that came alone."""
    for path in (folder / _OBSERVATIONS, folder.resolve().parent / _OBSERVATIONS):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} can't be read: {error}", "hand in the run's folder as it was written"
            ) from None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise UsageError(
                f"{path} was written by another version of srv6lab", "remove it to grade the pcaps alone"
            )
        try:
            ran = document["lab"], document["exercise"]
            document["probes"] = {one["probe"]: Sent(**one) for one in document["probes"]}
            document["tracers"] = {
                Point.parse(one["point"]): Tracer(**{**one, "point": Point.parse(one["point"])})
                for one in document["tracers"]
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{path} isn't as srv6lab wrote it: {error!r}", "remove it to grade the pcaps alone"
            ) from None
        if ran != (lab, exercise):
            what = f"{folder} holds a run of exercise {ran[1]} of lab {ran[0]}, not of {exercise} of {lab}"
            raise UsageError(what, f"lab={ran[0]} --exercise {ran[1]}")
        return document
    return {}


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
