"""The loop of an agent: probes, links and routes, in one thread."""

from __future__ import annotations

import fcntl
import json
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

from ..srv6.policy.identity import CandidateId, Originator, PolicyId
from ..srv6.policy.probing import way
from ..srv6.policy.routes import needed_classes
from ..srv6.policy.state import Installed, States, compute
from ..srv6.policy.view import View
from .config import Config, load
from .flows import rules, ruleset
from .links import Links
from .probes import Probes
from .report import report
from .routes import UNKNOWN, Routes, Words, commands, nic_of, own_links, wanted

# What `ip` says where a route or a rule is as it should be.
_DONE = tuple(f"RTNETLINK answers: {what}" for what in ("No such process", "File exists", "No such file"))


class Agent:
    """A headend at work. What it has installed is known from its state file, after a restart too."""

    def __init__(self, config: Config, state: Path) -> None:
        self.config, self.state = config, state
        self.links = Links()
        self.probes = Probes(config.address, config.misses)
        self.installed, self.routes = _restored(config, state)
        self.own = own_links(config)
        self.classes: frozenset[int] | None = None  # the forwarding classes with rules, once they are known
        self.renewing = self.beginning = False
        self._failed: frozenset[Words] = frozenset()
        self._told: dict[PolicyId, list[str]] = {}

    def view(self) -> View:
        down = {one for one in self.own if nic_of(one, self.config.nics) not in self.links.up}
        links = tuple(one for one in self.config.db.links if one not in down)
        return View(self.config.node, replace(self.config.db, links=links), self.probes.dead)

    def states(self, view: View) -> States:
        return compute(self.config.policies, view, self.config.space, self.installed)

    def follow(self) -> None:
        """Probe every list that there is, used or not. What links can't reach isn't probed."""
        alive = replace(self.view(), dead=frozenset())
        found = {
            (id.endpoint, one.sids): through
            for id, state in self.states(alive).items()
            for candidate in state.candidates
            for one in candidate.lists
            if one.valid and (through := way(one.sids, id.endpoint, alive.db, self.config.node)) is not None
        }
        self.probes.follow(found.items())

    def elect(self) -> None:
        """Choose anew, and install what has changed. What may be installed is written down before."""
        view = self.view()
        states = self.states(view)
        routes = wanted(self.config, states, view)
        self._tell(states)
        self.installed = {id: state.installed for id, state in states.items()}
        may_be = dict.fromkeys(self.routes, UNKNOWN) | dict(routes)
        _write(self.state, {**report(states, may_be), "installed": False})
        classes = needed_classes(self.config.steering, states)
        self._failed = frozenset(self._install(routes))
        self.routes = {**routes, **dict.fromkeys(self._failed, UNKNOWN)}
        if classes != self.classes:
            self.classes = classes
            for error in filter(None, map(_run, rules(classes))):
                say(error)
        _write(self.state, {**report(states, self.routes), "installed": not self._failed})

    def _install(self, routes: Routes) -> Iterator[Words]:
        """Yields what could not be installed, to be tried again."""
        for route, command in commands(self.routes, routes):
            if error := _run(command):
                if route not in self._failed:
                    say(error)
                yield route

    def _tell(self, states: States) -> None:
        """What is new of each policy. RFC 9256 sections 6.2 and 6.2.3 want the alerts."""
        for id, state in states.items():
            lists = "; ".join(f"{', '.join(map(str, flow.sids))} ({flow.share})" for flow in state.flows)
            active = f"path {state.election.active} over {lists}" if lists else "no path"
            lines = [f"policy {id}: {active}: {state.election.chosen_by}"]
            lines += [f"alert: policy {id}: {alert}" for alert in state.binding.alerts]
            if lines != self._told.get(id):
                say("\n".join(lines))
                self._told[id] = lines

    def renew(self) -> None:
        """Install everything again, whatever became of it."""
        self.renewing = True

    def begin_anew(self) -> None:
        """Forget what was elected, and elect as an agent that has just been started where nothing was before."""
        self.beginning = True

    def _classify(self) -> None:
        if self.config.flows:
            say(_run(("nft", "-f", "-"), ruleset(self.config.flows)))

    def run(self) -> None:
        """Until a signal comes. The first election waits until every list has shown whether it is alive."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.links.socket, selectors.EVENT_READ)
            selector.register(self.probes.receiver, selectors.EVENT_READ)
            self.follow()
            self._classify()
            started, judged = False, self.probes.dead
            due = time.monotonic() + self.config.interval
            while True:
                selector.select(max(0.0, due - time.monotonic()))
                if time.monotonic() >= due:
                    self.probes.send()
                    due = max(due + self.config.interval, time.monotonic())
                self.probes.receive()
                changed = self.links.read()
                if self.beginning:
                    self.beginning, started, self.installed = False, False, {}
                    self.probes.follow(())
                    self.follow()
                if self.renewing:
                    self.renewing, self.classes = False, None
                    self.routes = dict.fromkeys(self.routes, UNKNOWN)
                    self._classify()
                if changed:
                    # The kernel takes the routes of a NIC away when it goes down.
                    self.routes = dict.fromkeys(self.routes, UNKNOWN)
                    self.follow()
                retry = UNKNOWN in self.routes.values()
                if (started and (changed or retry or self.probes.dead != judged)) or (
                    not started and self.probes.known
                ):
                    started, judged = True, self.probes.dead
                    self.elect()


def main(config: Path, state: Path) -> int:
    """The process: exit code 2 for a configuration that is wrong, 3 where an agent runs already or can't run."""
    try:
        given = load(config)
    except (OSError, ValueError) as error:
        say(str(error))
        return 2
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"another agent keeps {state}")
            return 3
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        try:
            agent = Agent(given, state)
            signal.signal(signal.SIGHUP, lambda *_: agent.renew())
            signal.signal(signal.SIGUSR1, lambda *_: agent.begin_anew())
            agent.run()
        except OSError as error:
            say(f"{given.node} at {given.address}: {error}")
    return 3


def _run(command: Words, given: str = "") -> str:
    """What went wrong; nothing if it is done, or was."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode == 0 or done.stderr.startswith(_DONE):
        return ""
    return f"{' '.join(command)}: {done.stderr.strip()}"


def say(text: str) -> None:
    if text:
        print(text, file=sys.stderr, flush=True)


def _write(path: Path, value: object) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value, indent=1), encoding="utf-8")
    draft.replace(path)


def _restored(config: Config, path: Path) -> tuple[dict[PolicyId, Installed], Routes]:
    """What the last agent had installed, by its state file; nothing where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}, {}
    policies = {
        PolicyId(config.address, one["color"], ip_address(one["endpoint"])): _installed(one)
        for one in found["policies"]
    }
    return policies, {tuple(one["route"]): UNKNOWN for one in found["routes"]}


def _installed(one: Mapping[str, Any]) -> Installed:
    candidate = None
    if one["active"]:
        origin, originator, discriminator = one["active"]
        candidate = CandidateId(origin, Originator(int(originator)), discriminator)
    return Installed(candidate, IPv6Address(one["binding_sid"]) if one["binding_sid"] else None)
