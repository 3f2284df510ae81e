"""What a run saw beside its packets: tracers, sensors, alerts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srv6lab.errors import UsageError
from srv6lab.evidence.packets import Point
from srv6lab.evidence.probes import Sent


@dataclass(frozen=True, slots=True)
class Tracer:
    """What is known of the tracer at a point for the time of one run.

    `state` is "live" (whole and drained), "dead", "missing" (no capture handed in) or
    "cut" (the last record is incomplete); `note` says more, for people; `trace` is the name of its
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


SCHEMA = 1
OBSERVATIONS = "observations.json"


def read_observations(folder: Path, lab: str, exercise: str) -> dict[str, Any]:
    """What the run wrote beside its captures; nothing for pcaps that came alone."""
    for path in (folder / OBSERVATIONS, folder.resolve().parent / OBSERVATIONS):
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
