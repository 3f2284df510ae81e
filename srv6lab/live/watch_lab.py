"""One lab that is up, as it is seen by whoever watches it: what is cheap is read at each look, what isn't is asked when
netlink says that something has changed. Nothing here takes a lock or changes anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError
from srv6lab.live import snapshot
from srv6lab.live.instance import Instance
from srv6lab.live.watch_answers import POLICIES, Answer, ask, read_policies
from srv6lab.live.watch_captures import Trace, Traces
from srv6lab.live.watch_namespaces import Namespace, open_all, paths
from srv6lab.live.watch_questions import Questions
from srv6lab.live.watch_state import DOWN, UNKNOWN, UP, Counted, Event, Known, Lab, Policy, Route
from srv6lab.plan.nodes import Plan
from srv6lab.providers.node import files
from srv6lab.providers.process import Process
from srv6lab.topology.places import Point

QUIET, AT_MOST = 0.2, 1.0  # seconds that a node's news are waited for to end, before it is asked
SETTLED = 2.0  # and before its settings and its routing protocols are
SETTINGS_EVERY, ROUTING_AGAIN, COUNTERS_EVERY = 60.0, 15.0, 5.0
NEVER = float("-inf")
_MOST_OF_POLICIES = 1 << 20  # bytes


@dataclass(slots=True)
class Due:
    """When nodes have to be asked: what changed first and last by node, in seconds of the monotonic clock."""

    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def add(self, node: str, now: float) -> None:
        self.first.setdefault(node, now)
        self.last[node] = now

    def take(self, now: float, quiet: float, at_most: float) -> list[str]:
        """The nodes that have been quiet for so long, or restless for too long."""
        ready = [
            node
            for node, last in self.last.items()
            if now - last >= quiet or now - self.first[node] >= at_most
        ]
        for node in ready:
            del self.first[node], self.last[node]
        return ready


class Watched:
    """A lab that is up. `here` is whether its nodes are on this machine, where changes are told at once."""

    def __init__(self, one: Instance, questions: Questions, since: str) -> None:
        self.one, self.questions = one, questions
        self.lab = Lab(UP, one.state.lab, one.name, one.state.provider, since)
        self.plan: Plan | None = None
        processes = one.provider.here(one.state)
        self.here = processes is not None
        self.processes: dict[str, Process] = dict(processes or {})
        self.spaces: list[Namespace] = []
        self.ends: dict[int, str] = {}  # pidfds of nodes
        self.traces = Traces([])
        self.trouble: dict[str, str] = {}
        self.macs: dict[str, str] = {}
        self.policies_said: dict[str, bytes] = {}
        self.known = Known(lab=self.lab)
        self.routes, self.settings = Due(), Due()
        self.routing_last = self.settings_last = self.counters_last = NEVER
        self.routing_due, self.planned = True, False
        self._open(self.processes)
        for node in one.nodes():
            self.routes.add(node, NEVER)

    # --- what is open

    def _open(self, nodes: Mapping[str, Process]) -> None:
        spaces, failed = open_all(nodes) if nodes else ([], [])
        self.spaces += spaces
        if failed:
            self.trouble["namespaces"] = f"{failed[0]}; run it as root"
        for node, process in nodes.items():
            with suppress(OSError):
                self.ends[os.pidfd_open(process.pid)] = node

    def close_node(self, node: str) -> None:
        """Nothing of ours keeps it any longer."""
        for one in [one for one in self.spaces if one.node == node]:
            self.spaces.remove(one)
            one.close()
        for descriptor in [number for number, name in self.ends.items() if name == node]:
            del self.ends[descriptor]
            os.close(descriptor)

    def close(self) -> None:
        for node in {one.node for one in self.spaces} | {*self.ends.values()}:
            self.close_node(node)

    def follow(self) -> None:
        """Read tracers' files from now on."""
        files = []
        for entry in self.one.status():
            with suppress(ValueError):
                if entry.kind == "tracer" and Path(entry.detail).is_file():
                    files.append(Trace.from_now(Point.parse(entry.name), Path(entry.detail)))
        self.traces = Traces(files)

    # --- news

    def heard(self, node: str) -> None:
        """Something has changed in a node."""
        now = time.monotonic()
        self.routes.add(node, now)
        self.settings.add(node, now)
        self.routing_due = True

    # --- looking

    def look(self, tokens: Mapping[str, str], *, busy: bool, counted: bool) -> tuple[Known, list[Event]]:
        """What is known now, with the packets of probes that were seen; NICs' counters only if they are to be `counted`."""
        health = self._health()
        told = self._packets() if counted else self.known.packets
        seen = self.traces.look(self.macs, self.known.sids(), tokens)
        for one in self.traces.files:
            self._note(f"captures of {one.point}", one.trouble)
        self.known = replace(
            self.known,
            lab=replace(self.lab, busy=busy),
            packets=told,
            policies=self._policies(),
            served=self._served(),
            trouble=dict(self.trouble),
            **health,
        )
        return self.known, seen

    def _health(self) -> dict[str, Any]:
        try:
            entries = self.one.status()
            self._note("nodes and tracers", "")
        except (LabError, OSError) as error:
            self._note("nodes and tracers", str(error).splitlines()[0])
            return {
                "nodes": dict.fromkeys(self.known.nodes or self.one.nodes(), UNKNOWN),
                "tracers": dict.fromkeys(self.known.tracers, UNKNOWN),
            }
        found: dict[str, dict[str, str]] = {"node": {}, "tracer": {}}
        for entry in entries:
            if entry.kind in found:
                found[entry.kind][entry.name] = UP if entry.alive else DOWN
        for node, state in found["node"].items():
            self._lives(node, state == UP, self.known.nodes.get(node, UP) == UP)
        return {"nodes": found["node"], "tracers": found["tracer"]}

    def _lives(self, node: str, now: bool, before: bool) -> None:
        """A node that died isn't asked any longer, and one that is back is."""
        if before and not now:
            self._note(f"routes of {node}", f"{node} isn't running")
            self._take_node(node, None)
        elif now and not before:
            self.heard(node)

    def _down(self, node: str) -> bool:
        return self.known.nodes.get(node) == DOWN

    def _packets(self) -> Mapping[str, Counted]:
        if not self.here:
            return self.known.packets
        told: dict[str, Counted] = {}
        for one in self.spaces:
            try:
                told |= one.packets()
                self._note(f"packets of {one.place}", "")
            except (OSError, ValueError, IndexError) as error:
                self._note(f"packets of {one.place}", str(error))
        return told

    def _served(self) -> dict[tuple[str, str], tuple[int, str]]:
        """By the kernel's counters, where a SID has one, else by what tracers saw; nothing where neither tells."""
        traced = {(str(one.point.place)) for one in self.traces.files}
        return {
            (place, prefix): (self.traces.served[place, prefix], "captures")
            if route.packets is None
            else (route.packets, "kernel")
            for (place, prefix), route in self.known.sids().items()
            if route.packets is not None or place in traced
        }

    def _policies(self) -> Mapping[tuple[str, str], Policy]:
        if not self.here:
            return self.known.policies
        found = dict(self.known.policies)
        for node, process in self.processes.items():
            said = files.get(process.pid, POLICIES, _MOST_OF_POLICIES)
            if said and self.policies_said.get(node) != said:
                with suppress(KeyError, TypeError, AttributeError, RecursionError):
                    found |= read_policies(node, said.decode(errors="replace"))
                    self.policies_said[node] = said
        return found

    def _note(self, what: str, why: str) -> None:
        if why:
            self.trouble[what] = why
        else:
            self.trouble.pop(what, None)

    # --- asking

    def ask(self, *, busy: bool, every: float) -> None:
        """Ask what is due. Settings and routing protocols are left alone while another command is at work."""
        now = time.monotonic()
        if not self.here and now - self.counters_last >= every:
            self.counters_last = now
            self._all(self.routes)
        elif any(one.packets is not None for one in self.known.sids().values()):
            self._counters(now)
        for node in self.routes.take(now, QUIET, AT_MOST) if self.planned else ():
            if not self._down(node) and not self.questions.ask(("node", node), partial(ask, self.one, node)):
                self.routes.add(node, now)
        if now - self.settings_last >= SETTINGS_EVERY:
            self.settings_last = now
            self._all(self.settings)
        if busy:
            return
        for node in self.settings.take(now, SETTLED, 10 * SETTLED):
            if self.one.home.task.exists():
                continue  # what differs is for a learner to find
            if not self._down(node) and not self.questions.ask(
                ("settings", node), partial(snapshot.differences_of, self.one, node)
            ):
                self.settings.add(node, now)
        self._ask_routing(now)

    def _ask_routing(self, now: float) -> None:
        plan, since = self.plan, now - self.routing_last
        if plan is None or self.lab.stale or not any(node.routing for node in plan.nodes):
            return
        lacking = any(self.known.lacks.values())
        quiet = self.settings.last.values()
        due = self.routing_due and since >= ROUTING_AGAIN / 3 and all(now - one >= SETTLED for one in quiet)
        if (due or ((lacking or not self.here) and since >= ROUTING_AGAIN)) and self.questions.ask(
            ("routing", ""), partial(_lacks, self.one, plan)
        ):
            self.routing_last, self.routing_due = now, False

    def _all(self, due: Due) -> None:
        for node in self.one.nodes():
            due.add(node, NEVER)

    def _counters(self, now: float) -> None:
        """Ask nodes again whose kernel counts for SIDs."""
        if now - self.counters_last >= COUNTERS_EVERY:
            self.counters_last = now
            counting = {place for (place, _), one in self.known.sids().items() if one.packets is not None}
            for node in {place.partition("/")[0] for place in counting}:
                self.routes.add(node, NEVER)

    # --- answers

    def take(self, key: tuple[str, str], answer: Any) -> None:
        """What came of a question."""
        what, node = key
        why = str(answer).splitlines()[0] if isinstance(answer, Exception) else ""
        if self._down(node):
            return
        if what == "node":
            self._note(f"routes of {node}", why)
            self._take_node(node, None if why else answer)
        elif what == "settings":
            failed = bool(why) or answer is None
            self._note(f"settings of {node}", (why or f"{node} doesn't tell them") if failed else "")
            lines = None if failed else frozenset(line for one in answer for line in one.sentences())
            self.known = replace(self.known, drift={**self.known.drift, node: lines})
        elif what == "routing":
            self._note("routing protocols", why)
            lacks = dict.fromkeys(self.known.lacks) if why else answer
            self.known = replace(self.known, lacks=lacks)

    def _take_node(self, node: str, answer: Answer | None) -> None:
        known = self.known
        if answer is None:
            unknown = dict.fromkeys((one for one in known.nics if _node_of(one) == node), UNKNOWN)
            self.known = replace(known, nics={**known.nics, **unknown})
            return
        mine = {place for place in known.routes if place.partition("/")[0] == node}
        gone: dict[str, frozenset[Route]] = dict.fromkeys(mine - answer.routes.keys(), frozenset())
        routes = {**known.routes, **gone, **dict(self._named(answer.routes))}
        gone_nics = {one: DOWN for one in known.nics if _node_of(one) == node and one not in answer.nics}
        self.macs |= answer.macs
        self.known = replace(known, nics={**known.nics, **gone_nics, **answer.nics}, routes=routes)
        if not self.here:
            policies = {**self.known.policies, **answer.policies}
            self.known = replace(self.known, packets={**known.packets, **answer.packets}, policies=policies)
        elif (process := self.processes.get(node)) and self._nested(node) != [
            name for name, _ in paths(process)
        ]:
            self.close_node(node)
            self._open({node: process} if process.alive() else {})

    def _nested(self, node: str) -> list[str]:
        return [one.netns for one in self.spaces if one.node == node]

    def _named(self, routes: Mapping[str, frozenset[Route]]) -> Iterator[tuple[str, frozenset[Route]]]:
        """A SID that a proxy serves is the proxy's, whatever route of the kernel stands for it."""
        served = {
            (node.name, str(proxy.sid), proxy.to): proxy.behavior.name
            for node in (self.plan.nodes if self.plan else ())
            for proxy in node.proxies
        }
        for place, some in routes.items():
            yield (
                place,
                frozenset(
                    replace(one, behavior=name) if (name := _proxied(served, place, one)) else one
                    for one in some
                ),
            )


def _proxied(served: Mapping[tuple[str, str, str], str], place: str, route: Route) -> str:
    return next(
        (
            behavior
            for (node, sid, nic), behavior in served.items()
            if (node, sid) == (place, route.prefix) and f"dev {nic}" in route.how
        ),
        "",
    )


def _node_of(point: str) -> str:
    return point.partition(":")[0].partition("/")[0]


def _lacks(one: Instance, plan: Plan) -> dict[str, frozenset[str]]:
    """What the routing protocols of each node haven't brought."""
    from srv6lab.live.survey import survey  # and with it the model, which is slow to import

    known = survey(one, plan)
    found: dict[str, set[str]] = {node: set() for node in known.machines}
    for node, what in known.lacks():
        found.setdefault(node, set()).add(what)
    return {node: frozenset(lines) for node, lines in found.items()}
