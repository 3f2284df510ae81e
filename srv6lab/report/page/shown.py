"""What a page shows of one exercise: a prediction, and what a run of it saw, if there was one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from srv6lab.capture.dissect import Frame
from srv6lab.evidence.observations import Observations
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found

Frames = Mapping[tuple[tuple[str, Point], int], Frame]  # by exercise, NIC, and number in its capture


@dataclass(frozen=True, slots=True)
class Shown:
    """`verdict` is what `check --format json` says of it, None where only the prediction is shown; `found` are its
    packets by probe, `files` their captures. `note` is what a reader must know of the run, `when` the time at which it
    was judged (ISO 8601, "" if nobody knows), `seconds` how long it took."""

    name: str
    predictions: tuple[Prediction, ...]
    verdict: Mapping[str, Any] | None = None
    found: Mapping[str, Found] = field(default_factory=dict)
    observed: Observations = field(default_factory=Observations)
    files: Mapping[Point, Path] = field(default_factory=dict)
    note: str = ""
    when: str = ""
    seconds: float | None = None
