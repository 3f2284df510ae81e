"""Run an exercise in a lab, and grade what was captured.

Recording leaves a folder: `captures/*.pcap` and `observations.json`. Grading reads such a folder and
nothing else, so a run is graded the same on any machine, and so are pcaps that somebody hands in.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv6Address
from math import ceil
from pathlib import Path

from srv6lab.errors import MachineError, NodeError, UnableError
from srv6lab.evidence import tokens
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.observations import Observations, write_observations
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import End, Prediction
from srv6lab.evidence.probes import Sent
from srv6lab.host.progress import Progress
from srv6lab.host.waiting import at_once
from srv6lab.live import lost, sending, wait_for_policies
from srv6lab.live.changes import Changes
from srv6lab.live.instance import Instance
from srv6lab.live.send import command, interval, listener, read_ping
from srv6lab.live.sensors import since, sizes
from srv6lab.live.survey import Survey, survey
from srv6lab.live.wait_for_routes import PATIENCE, wait
from srv6lab.plan.actions import ChangedLab, after
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.render.apply import Change, changes_of
from srv6lab.topology.actions import Action
from srv6lab.topology.exercises import Exercise, Probe


def record(
    lab: Instance,
    plan: Plan,
    name: str,
    progress: Progress,
    differences: tuple[Difference, ...] | None = None,
    *,
    by_hand: bool = False,
    blind: bool = False,
) -> Path:
    """Run one exercise in the lab; the folder with what was seen of it, which lies beside the earlier runs until
    `Home.keep_run` puts it into the place of one. What it applies is taken back. `differences`
    is what isn't as Day0 left it, None where nobody looked. What a node doesn't answer is missing, and written down
    as such. `by_hand` leaves what the exercise applies to a learner, if it says so; of a run that is `blind` no cause is
    told."""
    run = _Run(lab, plan, name, progress, by_hand=by_hand)
    run.attempt(run.changes.take_back)
    folder = lab.home.running / name
    shutil.rmtree(folder, ignore_errors=True)
    mark = lab.mark()
    with ThreadPoolExecutor(max_workers=2) as pool:
        counting, looked = pool.submit(run.proxy_counters), pool.submit(sizes, lab, plan)
        run.foresee()
        counted, logs = counting.result(), looked.result()
    if wait_for_policies.wait(lab, plan, patience=wait_for_policies.SHORT_PATIENCE):
        run.patience = wait_for_policies.NO_PATIENCE
    run.attempt(run.whole_exercise)
    with ThreadPoolExecutor(max_workers=2) as pool:
        counting, surveyed = pool.submit(run.proxy_counters), pool.submit(survey, lab, plan)
        tracers = lab.captures(None if run.exercise.since == "up" else mark, folder / "captures")
        alerts, sensors = since(lab, plan, logs)
        known, counts = surveyed.result(), counting.result()
    served = {key: count - counted[key] for key, count in counts.items() if key in counted}
    observed = replace(run.observed(known), compared=differences is not None, differences=differences or ())
    observed = replace(observed, tracers=tuple(tracers), alerts=alerts, sensors=sensors, blind=blind)
    write_observations(folder, replace(observed, counters={**run.counted, **served}))
    return folder


class _Run:
    """One exercise under way: what was sent and counted so far."""

    def __init__(
        self, lab: Instance, plan: Plan, name: str, progress: Progress, *, by_hand: bool = False
    ) -> None:
        self.lab, self.plan, self.name, self.progress = lab, plan, name, progress
        self.exercise: Exercise = plan.exercise(name)[1]
        self.applies = () if by_hand and self.exercise.by_hand else self.exercise.apply
        self.changes = Changes(lab)
        self.predicted: dict[str, Prediction] = {}
        self.sent: list[Sent] = []
        self.counted: dict[str, int] = {}
        self.settled: list[str] = []
        self.astray: list[tuple[str, str]] = []
        self.silent: list[tuple[str, str]] = []  # nodes, and what they didn't answer
        self.failure = self.failed_on = ""
        self.actions: tuple[Action, ...] = ()  # those that hold now
        self.holding: tuple[Change, ...] = ()  # and what they come to
        self.unable = False  # this machine's kernel can't do what is asked
        self.patience = wait_for_policies.SHORT_PATIENCE

    def foresee(self) -> None:
        """A first packet waits a second wherever a neighbor is asked twice; what is lost by design isn't waited for."""
        self.predicted = {one.probe: one for one in predict(self.plan, self.name)}

    def observed(self, known: Survey) -> Observations:
        """What the exercise came to, with what its nodes knew in the end."""
        return Observations(
            lab=self.plan.name,
            exercise=self.name,
            provider=self.lab.state.provider,
            probes=tuple(self.sent),
            failure=self.failure,
            failed_on=self.failed_on,
            unable=self.unable,
            proxies=self.proxies(),
            routing=(*known.lacks(), *dict.fromkeys(self.silent)),
            settled=tuple(self.settled),
            policies=tuple(dict.fromkeys(self.astray)),
            sids={node: tuple(pairs) for node, pairs in known.bound().items()},
            vpns=known.mechanisms(),
        )

    def attempt(self, do: Callable[[], None]) -> None:
        """Do it if nothing has failed so far; why it fails is remembered."""
        try:
            if not self.failure:
                do()
        except MachineError as error:
            self.failure = str(error)
            self.failed_on = error.node if isinstance(error, NodeError) else ""
            self.unable = isinstance(error, UnableError)

    def whole_exercise(self) -> None:
        with self._applied(self.applies):
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
            across = pool.submit(_send, self.lab, self.plan, probe, 1)
            time.sleep(probe.sends * interval(probe) / 4)
            stopped = False
            try:
                yield
            except KeyboardInterrupt:
                stopped = True
                sending.end(self.lab)
                raise
            finally:
                if not stopped:
                    self.sent.append(across.result())

    def proxy_counters(self) -> dict[str, int]:
        """Packets that each SR proxy says it served so far, of those whose counters the exercise speaks of: to ask takes as
        long as a probe."""
        found: dict[str, int] = {}
        counted = {one.sid for one in self.exercise.expect.counters}
        proxies = [node for node in self.plan.nodes if counted & {proxy.sid for proxy in node.proxies}]
        answers = at_once(lambda node: self._ask(node.name, ["srconf", "localsid", "show"]), proxies)
        for node, shown in zip(proxies, answers, strict=True):
            if shown is not None:
                found |= read_localsids(shown, [proxy.sid for proxy in node.proxies])
        return found

    def proxies(self) -> dict[str, str]:
        """What serves the SIDs of each SR proxy, as its Day0 found."""
        return {
            node.name: (self._ask(node.name, ["cat", "/var/lib/srv6lab/proxy"]) or "").strip()
            for node in self.plan.nodes
            if node.proxies
        }

    def _ask(self, node: str, argv: list[str]) -> str | None:
        """What it says, None of one that says nothing in time."""
        try:
            return self.lab.exec(node, argv, timeout=8).stdout
        except MachineError as error:
            self.silent.append((node, f"{node}: {error.what}"))
            return None

    @contextmanager
    def _applied(self, actions: Sequence[Action]) -> Iterator[None]:
        changes = [one for action in actions for one in changes_of(self.plan, action)]
        for one in changes:
            if not one.waits:
                self.progress(f"{self.name}: {one.what}")
        before, holding, now = self.actions, self.holding, after(self.plan, (*self.actions, *actions))
        moves = _told_to_neighbors(self.plan, after(self.plan, actions))
        with self.changes.applied(changes, self.counted, holding):
            self.actions, self.holding = (*before, *actions), (*holding, *changes)
            self._settle(now, moves)
            self._elected()
            yield
        self.actions, self.holding = before, holding
        self._settle(after(self.plan, before), "with all that it was without" if moves else "")
        if actions:
            self._elected()

    def _elected(self) -> None:
        """Wait until headends have the policies that the model has; how long that took is a result, and what differs
        in the end, too."""
        began = time.monotonic()
        astray = wait_for_policies.wait(self.lab, self.plan, self.actions, self.patience)
        if astray is None:
            return
        self.astray += astray
        if not astray and (cut := ", ".join(sorted(after(self.plan, self.actions).cut))):
            self.settled.append(f"headends have elected without {cut} after {time.monotonic() - began:.1f} s")
            self.progress(f"{self.name}: {self.settled[-1]}")

    def _settle(self, now: ChangedLab, what: str) -> None:
        """Wait for what routing protocols make of the lab as it is now; how long it took is a result."""
        routers = [node.routing for node in self.plan.nodes if node.routing]
        bgp = any(one.bgp for one in routers)
        if (
            not what or not routers or (bgp and (now.down or now.cut))
        ):  # how long BGP holds on to a session isn't modeled
            return
        began, patience = time.monotonic(), PATIENCE * (3 if bgp else 1)
        wait(self.lab, self.plan, self.progress, now.withdrawn, patience, now.plan)
        self.settled.append(f"converged {what} after {time.monotonic() - began:.1f} s")
        self.progress(f"{self.name}: {self.settled[-1]}")

    def _send(self, probes: Sequence[Probe]) -> None:
        for probe in probes:
            self.progress(f"{self.name}: probe {probe.id}, {_words(probe)}")
            prediction = self.predicted[probe.id]
            by_design = any(_lost(trace.end) for trace in prediction.linux)
            slow = lost.delayed(self.actions)
            last = lost.last_seen(probe, prediction) if by_design and not slow else None
            patience = 1 + ceil(slow) if by_design else 3
            self.sent.append(_send(self.lab, self.plan, probe, patience, last))


_LOCALSID = re.compile(r"SID\s*:\s*(\S+).*?Good traffic:\s*\[(\d+) packets", re.DOTALL)


def read_localsids(shown: str, sids: Sequence[IPv6Address]) -> dict[str, int]:
    """`srconf localsid show` → packets by `sid SID`; a SID that isn't there counts nothing."""
    found = {f"sid {sid}": 0 for sid in sids}
    for text, packets in _LOCALSID.findall(shown):
        with suppress(ValueError):
            found[f"sid {IPv6Address(text)}"] = int(packets)
    return found


def _told_to_neighbors(plan: Plan, changed: ChangedLab) -> str:
    """What of a change routing protocols tell each other of, "" for nothing."""
    gone = f"the locators of {', '.join(sorted(changed.withdrawn))}" if changed.withdrawn else ""
    routing = {nic.link for node in plan.nodes if node.routing for nic in node.nics}
    cut = [f"link {link}" for link in sorted(changed.cut & routing)]
    down = ", ".join([*sorted(map(str, changed.down)), *cut])
    routed = [
        node.name
        for node in changed.plan.nodes
        if node.routing and node.routes != plan.node(node.name).routes
    ]
    other = f"with other static routes of {', '.join(routed)}" if routed else ""
    return f"without {' and '.join(filter(None, (gone, down)))}" if gone or down else other


def _lost(end: End) -> bool:
    return end.known and not end.delivered


def _words(probe: Probe) -> str:
    words = probe.kind.words if probe.count > 1 else probe.kind.single
    return f"{probe.count} {words} from {probe.source} to {probe.to or probe.destination}"


def _send(lab: Instance, plan: Plan, probe: Probe, patience: int, last: Point | None = None) -> Sent:
    """Send a probe, and wait for its answers so many seconds at most; of one that is lost by design until its packets
    were seen at the `last` NIC."""
    key = plan.learner.key if plan.learner else ""
    token, to = tokens.token(key, probe.id), plan.target(probe)
    listening, receiver = listener(to, probe), plan.receiver(probe) or ""
    with sending.begun(lab, [probe.source, *([receiver] if listening else [])], token, probe.id):
        if listening and (begun := sending.run(lab, receiver, listening, token, 30)).exit_code:
            return Sent(probe.id, 0, 0, token, f"nothing listens at {probe.to}: {begun.stderr.strip()}")
        words = command(to, probe, token, patience)
        send = partial(sending.run, lab, probe.source, words, token, 30 + probe.sends)
        trace = lost.tracer(lab, last) if last else None
        end = partial(sending.interrupt, lab, probe.source, token)
        result = lost.run(send, trace, token, probe.sends, end) if trace else send()
    return read_ping(probe.id, token, result.stdout, result.stderr)
