"""Labs of the tests' own on the kernel: SIDs without a neighbor, SIDs of several nodes, segments outside of the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from tests.conftest import Up, silent

MORE = Path(__file__).parent / "more"
BROKEN = yaml.safe_load((MORE / "broken" / "headends.yml").read_text("utf-8"))


def _cases() -> Iterator[Any]:
    """Those with routing protocols take long."""
    for fault in BROKEN:
        yield pytest.param(fault, id=fault["lab"], marks=[pytest.mark.prove] if fault.get("prove") else [])


@pytest.mark.parametrize("fault", list(_cases()))
def test_three_witnesses_agree_and_what_is_broken_is_named(
    bring_up: Callable[[str], Up], fault: dict[str, Any]
) -> None:
    lab = bring_up(str(MORE / f"{fault['lab']}.yml"))
    exercises = [one.name for one in lab.plan.exercises]
    for verdict in check(lab.running, lab.plan, exercises, silent):
        assert verdict.status is Status.PASS, verdict
    lab.sh(fault["node"], fault["run"])
    (verdict,) = check(lab.running, lab.plan, [fault["exercise"]], silent)
    assert verdict.status is Status.FAIL
    assert verdict.suspects[0].cause == fault["cause"], verdict.suspects
