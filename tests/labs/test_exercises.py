"""Every lab comes up and passes its exercises; every fault in its list turns the right item red.

The faults of a lab are data, in `tests/labs/<lab>.faults.yml`:

    name, exercise   what is broken, and which exercise sees it
    node, run        a shell script that breaks it, inside the node
    undo             a script that takes back what `up` can't know of (default: `up` mends it)
    kill_tracer      or: a point whose tracer is killed
    cut              or: a trace file that loses the end of its last record
    status           fail or inconclusive
    items            items that the verdict must hold (a subset of their fields each)
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.lab import check, grade
from srv6lab.providers.process import Process
from srv6lab.trace import Item, Status, Verdict
from tests.conftest import LABS, SITE, Up, silent

FAULTS = [
    pytest.param(lab, fault, id=f"{lab}-{fault['name'].replace(' ', '-')}")
    for lab in LABS
    for fault in yaml.safe_load((Path(__file__).parent / f"{lab}.faults.yml").read_text())
]


@pytest.fixture(scope="module")
def labs_up(bring_up: Any) -> Any:
    up: dict[str, Up] = {}

    def get(name: str) -> Up:
        up[name] = up[name].again() if name in up else bring_up(name)
        return up[name]

    return get


@pytest.mark.parametrize("name", LABS)
def test_exercises_pass_twice(labs_up: Any, name: str) -> None:
    lab = labs_up(name)
    names = [exercise.name for exercise in lab.plan.exercises]
    for _ in range(2):
        for verdict in check(lab.running, lab.plan, names, silent):
            assert verdict.status is Status.PASS, verdict


@pytest.mark.parametrize("name", LABS)
def test_every_exercise_has_a_fault(name: str) -> None:
    plan, _ = SITE.load(SITE.refer(name))
    blamed = {values[1]["exercise"] for values in (f.values for f in FAULTS) if values[0] == name}
    assert blamed == {exercise.name for exercise in plan.exercises}


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_fault_is_seen_and_mended(labs_up: Any, tmp_path: Path, name: str, fault: Mapping[str, Any]) -> None:
    lab = labs_up(name)
    try:
        verdict = _with_fault(lab, fault, tmp_path)
    finally:
        if "undo" in fault:
            lab.sh(fault["node"], fault["undo"])
    assert verdict.status == fault["status"], _text(verdict)
    for wanted in fault["items"]:
        assert any(_fits(item, wanted) for item in verdict.items), f"{wanted} not in\n{_text(verdict)}"
    mended = lab.again()
    (after,) = check(mended.running, lab.plan, [fault["exercise"]], silent)
    assert after.status is Status.PASS, f"`up` did not mend it:\n{_text(after)}"


def _with_fault(lab: Up, fault: Mapping[str, Any], tmp_path: Path) -> Verdict:
    if "cut" in fault:
        check(lab.running, lab.plan, [fault["exercise"]], silent)
        folder = tmp_path / "run"
        shutil.copytree(lab.running.home.run(fault["exercise"]), folder)
        pcap = folder / "captures" / fault["cut"]
        pcap.write_bytes(pcap.read_bytes()[:-7])
        return grade(lab.plan, fault["exercise"], folder, silent)
    if "kill_tracer" in fault:
        _, pair = lab.running.state.provider_data["tracers"][fault["kill_tracer"]]
        Process(*pair).kill(signal.SIGKILL)
    else:
        lab.sh(fault["node"], fault["run"])
    (verdict,) = check(lab.running, lab.plan, [fault["exercise"]], silent)
    return verdict


def _fits(item: Item, wanted: Mapping[str, Any]) -> bool:
    seen = {
        "kind": item.kind,
        "status": item.status.value,
        "at": str(item.point),
        "direction": item.direction and item.direction.value,
        "field": item.field,
        "captured": item.captured,
        "expected": item.expected,
    }
    return all(seen[key] == value for key, value in wanted.items())


def _text(verdict: Verdict) -> str:
    return "\n".join(str(item) for item in verdict.items if item.status is not Status.PASS)
