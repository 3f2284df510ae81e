"""`invoke capture --live`: which NICs, where they go, and what is told meanwhile."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from srv6lab.called import CALLED
from srv6lab.capture import bpf, pcapng
from srv6lab.errors import UsageError
from srv6lab.evidence.packets import Point
from srv6lab.live.instance import Instance, another
from srv6lab.live.stream import Nic, Stream
from srv6lab.live.stream_out import Out
from srv6lab.plan.nodes import Nic as Planned
from srv6lab.plan.nodes import Plan
from srv6lab.suggest import or_all
from srv6lab.wireshark.names import about, names

_SECOND = 1.0  # from one line of counters to the next


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see live: nodes and NICs as they were typed (none: all), and a filter of tcpdump's."""

    nodes: Sequence[str] = ()
    nics: Sequence[str] = ()
    filter: str = ""

    def __bool__(self) -> bool:
        return bool(self.nodes or self.nics or self.filter)

    @property
    def words(self) -> str:
        """As it is typed."""
        given = [("--node", one) for one in self.nodes] + [("--nic", one) for one in self.nics]
        given += [("--filter", self.filter)] if self.filter else []
        return "".join(f" {option} {shlex.quote(value)}" for option, value in given)


def refuse(lab: str, out: str, instance: str, asked: Asked, to: TextIO) -> None:
    """UsageError where packets would be shown as letters, or would go to a folder."""
    line = f"{CALLED} capture lab={shlex.quote(lab)} --live{asked.words}"
    line += f" --instance {shlex.quote(instance)}" if instance else ""
    if out:
        raise UsageError("--live writes to stdout, and to no folder", f"{line} >FILE.pcapng")
    if to.isatty():
        mend = f"{line} | wireshark -k -i -\n     or: {line} >FILE.pcapng"
        raise UsageError("the packets would go to this terminal, which can't show them", mend)


def refuse_alone(asked: Asked) -> None:
    """UsageError for what is said of a live capture where none is asked for."""
    if asked:
        what = "--node, --nic and --filter choose what --live shows, and all NICs are written without it"
        raise UsageError(what, f"{CALLED} capture lab=NAME --live{asked.words} | wireshark -k -i -")


def live(one: Instance, plan: Plan | None, asked: Asked, out: TextIO, err: TextIO) -> None:
    """Stream NICs to `out` as a pcapng until the lab is taken away or somebody ends it. Without a plan nobody knows names
    of addresses. UsageError for the plan of another lab."""
    if plan and one.state.lab != plan.name:
        raise another(one, plan.name)
    if asked.filter:
        bpf.compiled(asked.filter)
    nics = {nic.point: nic for nic in plan.traced()} if plan else {}
    traced = {trace.point for trace in one.traces()}
    known = [point for point in nics if point in traced] + sorted(traced - nics.keys())
    points = chosen(known, asked)
    out.flush()
    told = _Told(err)
    stream = Stream(one, Out(out.fileno()), told.say, asked.filter)
    begin = pcapng.section(application="srv6lab", comment=f"lab {one.name}, live")
    named = pcapng.names(names(plan)) if plan else b""
    stream.begin([_nic(point, nics.get(point)) for point in points], begin + named)
    try:
        stream.run(lambda: told.count(stream))
    finally:
        told.end(stream)


def _nic(point: Point, planned: Planned | None) -> Nic:
    """What is told of a NIC."""
    if planned is None:
        return Nic(point)
    return Nic(point, about(planned), planned.mac)


def chosen(known: Sequence[Point], asked: Asked) -> list[Point]:
    """The NICs that are asked for, in the lab's order. UsageError for one that isn't there.

    `NODE:NIC` is one of its own; a NIC by its name alone is one of each of the nodes that are named.
    """
    nodes = list(dict.fromkeys(point.node for point in known))
    for node in asked.nodes:
        if node not in nodes:
            raise UsageError(f"there is no node {node!r}", or_all(node, nodes))
    alone = [nic for nic in asked.nics if ":" not in nic]
    if alone and not asked.nodes:
        some = [str(point) for point in known if point.nic in alone] or [str(point) for point in known]
        raise UsageError(
            f"NIC {alone[0]!r} of which node?", f"--nic NODE:NIC, such as {some[0]}, or --node NODE"
        )
    wanted = {_point(nic, known) for nic in asked.nics if ":" in nic}
    for node in asked.nodes:
        own = [point for point in known if point.node == node]
        wanted |= {point for nic in alone for point in _of_node(node, nic, own)} if alone else set(own)
    return sorted(wanted, key=known.index) if asked.nodes or asked.nics else list(known)


def _point(text: str, known: Sequence[Point]) -> Point:
    found = {str(point): point for point in known}
    if text not in found:
        raise UsageError(f"there is no NIC {text!r}", or_all(text, found))
    return found[text]


def _of_node(node: str, nic: str, own: Sequence[Point]) -> list[Point]:
    found = [point for point in own if point.nic == nic]
    if not found:
        raise UsageError(f"{node} has no NIC {nic!r}", or_all(nic, [point.nic for point in own]))
    return found


class _Told:
    """What a person is told: notes always, how many packets there are on a terminal only."""

    def __init__(self, err: TextIO) -> None:
        self._err, self._terminal = err, err.isatty()
        self._next = time.monotonic()

    def say(self, text: str) -> None:
        print(f"\r\x1b[K{text}" if self._terminal else text, file=self._err, flush=True)

    def count(self, stream: Stream) -> None:
        if self._terminal and time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECOND
            print(f"\r\x1b[K{_counted(stream)}; Ctrl-C ends it", end="", file=self._err, flush=True)

    def end(self, stream: Stream) -> None:
        if self._terminal:
            self.say(_counted(stream))


def _counted(stream: Stream) -> str:
    late = f", {stream.window.late} of them behind a younger one" if stream.window.late else ""
    return f"{stream.packets} packets of {stream.nics} NICs{late}"
