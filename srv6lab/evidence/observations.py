"""What a run saw beside its packets: tracers, sensors, alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.evidence.documents import LATER, from_json, read_json, to_json
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Point
from srv6lab.evidence.probes import Sent
from srv6lab.host.files import why, write_whole


@dataclass(frozen=True, slots=True)
class Tracer:
    """What is known of the tracer at a point for the time of one run.

    `state` is "live" (whole and drained), "dead", "missing" (no capture handed in) or
    "cut" (not all of it is there, or it is another link's); `note` says more, for people; `trace` is the name of its
    capture file.
    """

    point: Point
    state: str
    captured: int = 0
    dropped: int = 0
    note: str = ""
    trace: str = ""

    @property
    def sound(self) -> bool:
        """Whether the absence of a packet in this capture proves anything."""
        return self.state == "live" and self.dropped == 0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of a service's sensor: the inner addresses, and the tunnel's where it looked behind one."""

    service: str
    signature: int
    source: str
    destination: str
    tunnel_source: str = ""
    tunnel_destination: str = ""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A service's sensor at the end of a run: its engine ("none" where the machine has none), whether
    it ran, whether it had looked at all that it was handed, and whether its rules were the lab's."""

    service: str
    engine: str
    alive: bool
    drained: bool
    as_planned: bool = True

    @property
    def sound(self) -> bool:
        """Whether the absence of an alert proves anything."""
        return self.alive and self.drained and self.as_planned


@dataclass(frozen=True, slots=True)
class Observations:
    """What a run of an exercise wrote beside its captures; empty for pcaps that came alone.

    `counters` are packets by `firewall NAME` or `sid SID`. `routing` and `policies` are (node, what is amiss).
    `differences` is what wasn't as Day0 left it when the check began, if it was `compared`.
    `settled` says how long each change took to come about, `failure` why the exercise couldn't go on, `failed_on` the
    node that refused a change; `unable` says that this machine's kernel can't make it. `proxies` and `vpns` are what serves those of a node. `sids` are the (SID, behavior)
    pairs that each node's kernel has bound. Of a run that is `blind` a learner finds the cause: nobody is told it."""

    lab: str = ""
    exercise: str = ""
    provider: str = ""
    probes: tuple[Sent, ...] = ()
    tracers: tuple[Tracer, ...] = ()
    alerts: tuple[Alert, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""
    failed_on: str = ""
    unable: bool = False
    proxies: Mapping[str, str] = field(default_factory=dict)
    routing: tuple[tuple[str, str], ...] = ()
    compared: bool = False
    differences: tuple[Difference, ...] = ()
    settled: tuple[str, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()
    sids: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    vpns: Mapping[str, str] = field(default_factory=dict)
    blind: bool = field(default=False, metadata=LATER)

    def nodes(self) -> frozenset[str]:
        """Every node that is named."""
        found = {node for node, _ in (*self.routing, *self.policies)} | {one.node for one in self.differences}
        found |= {one.point.node for one in self.tracers} | ({self.failed_on} if self.failed_on else set())
        return frozenset({*found, *self.proxies, *self.sids, *self.vpns})

    def services(self) -> frozenset[str]:
        """Every service that is named."""
        return frozenset({one.service for one in self.alerts} | {one.service for one in self.sensors})


SCHEMA = 3
_HEX = re.compile("([0-9a-f]{2})*")
OBSERVATIONS = "observations.json"


def write_observations(folder: Path, observed: Observations) -> None:
    """Into a run's folder, whole or not at all."""
    document = {"schema": SCHEMA, **to_json(observed)}
    write_whole(folder / OBSERVATIONS, json.dumps(document, indent=1) + "\n")


def read_observations(folder: Path) -> tuple[Observations, str]:
    """What the run wrote beside its captures, and the file's name for messages; nothing and "" for pcaps that came
    alone. UsageError for a file that isn't as it was written."""
    for path in (folder / OBSERVATIONS, folder.resolve().parent / OBSERVATIONS):
        try:
            document = read_json(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} can't be read: {why(error)}", "hand in the run's folder as it was written"
            ) from None
        return _read(path, document), str(path)
    return Observations(), ""


def _read(path: Path, document: object) -> Observations:
    schema = document.pop("schema", None) if isinstance(document, dict) else None
    if type(schema) is int and schema != SCHEMA:
        raise UsageError(
            f"{path} was written by another version of srv6lab (schema {schema}, this one reads {SCHEMA})",
            "run the exercise again, or remove the file to grade the pcaps alone",
        )
    try:
        if type(schema) is not int:
            raise ValueError("it has no schema number")
        observed: Observations = from_json(Observations, document, "")
        for index, one in enumerate(observed.probes):
            if not _HEX.fullmatch(one.token):
                raise ValueError(f"probes[{index}].token is {one.token!r}, no bytes in hex")
    except ValueError as error:
        raise UsageError(
            f"{path} isn't as srv6lab wrote it: {error}", "remove it to grade the pcaps alone"
        ) from None
    return observed
