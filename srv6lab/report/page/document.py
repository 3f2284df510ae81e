"""A lab's walks as the one JSON document that the page is made of. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from srv6lab.evidence.packets import PacketView, Point
from srv6lab.plan.nodes import Plan
from srv6lab.report.page import tables
from srv6lab.report.page.picture import names, picture, sids
from srv6lab.report.page.shown import Frames, Shown
from srv6lab.report.page.walks import Walked, probes_json, shown_frames, walked

SCHEMA = 1
CHECK, PREDICTION = "check", "prediction"


class Page:
    """Exercises of a lab, with what is shown beside what: `wanted` says whose frames' bytes are shown, and with these
    `document` is all that the page knows."""

    def __init__(self, plan: Plan, exercises: Sequence[Shown]) -> None:
        self._plan = plan
        self._exercises = [(one, walked(plan, one)) for one in exercises]

    def wanted(self) -> dict[tuple[tuple[str, Point], int], PacketView]:
        """By exercise, NIC and number in its capture."""
        return {
            ((shown.name, point), packet.number): packet
            for shown, walks in self._exercises
            for point, packet in shown_frames(walks)
        }

    def document(self, made: Mapping[str, Any], frames: Frames) -> dict[str, Any]:
        """`made` says by which version, under which provider and when."""
        checked = any(shown.verdict is not None for shown, _ in self._exercises)
        return {
            "schema": SCHEMA,
            "lab": self._plan.name,
            "description": self._plan.description,
            "kind": CHECK if checked else PREDICTION,
            "made": dict(made),
            "picture": picture(self._plan),
            "sids": sids(self._plan),
            "names": names(self._plan),
            "exercises": [_exercise(self._plan, shown, walks, frames) for shown, walks in self._exercises],
        }


def document(
    plan: Plan, exercises: Sequence[Shown], made: Mapping[str, Any], frames: Frames | None = None
) -> dict[str, Any]:
    """The document of exercises, with the bytes of those frames that are given."""
    return Page(plan, exercises).document(made, frames or {})


def _exercise(plan: Plan, shown: Shown, walks: Walked, frames: Frames) -> dict[str, Any]:
    verdict = shown.verdict or {}
    return {
        "name": shown.name,
        "description": plan.exercise(shown.name)[1].description,
        "status": verdict.get("status"),
        "seconds": shown.seconds,
        "when": shown.when or None,
        "note": shown.note or None,
        "probes": probes_json(plan, shown, walks, frames),
        "items": verdict.get("items", []),
        "suspects": verdict.get("suspects", []),
        "counters": tables.counters(plan, shown),
        "alerts": tables.alerts(shown),
        "proxies": tables.proxies(plan, walks),
        "messages": tables.messages(plan, shown),
        "policies": tables.policies(plan, shown),
    }
