"""The fault corpus holds together, and `check` sees what is in it: a sample for `make test`, all of it for `make prove`.

What each entry of tests/labs/corpus/*.yml says, and how it is tried, is in tests/labs/corpus.py.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.judge.diagnose import CAUSES
from tests.conftest import LABS, SITE, need_root
from tests.labs.corpus import FOLDER, SHARES, WANTED, Fault, Outcome, Totals, faults, row, tour

ALL = {lab: faults(lab) for lab in LABS}
EVERY = [fault for those in ALL.values() for fault in those]
SAMPLE = {lab: found for lab, those in ALL.items() if (found := [one for one in those if one.sample is True])}
ASKED = {"faults": 224, "equal": 34}  # 134, 60 and 30 more; 16, 12 and 6 more


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: f"{fault.lab}-{fault.id}")
def test_a_fault_says_all_that_is_needed(fault: Fault) -> None:
    plan, _ = SITE.load(SITE.refer(fault.lab))
    nodes = {node.name for node in plan.nodes}
    assert fault.exercise in {exercise.name for exercise in plan.exercises}
    assert {place for place, _ in fault.do + fault.undo} <= nodes | {"@lab"}
    assert fault.do and fault.truth and fault.want in WANTED
    assert {node for _, node in fault.causes | fault.also} <= nodes
    assert bool(fault.causes) == (fault.want != "equal"), "what is equal on the wire has no cause"


def test_every_cause_is_known_or_said_to_be_missing() -> None:
    """`causes.txt` lists the names that the corpus uses and no cause has yet; a name that has one leaves it."""
    used = {cause for fault in EVERY for cause, _ in fault.causes | fault.also}
    awaited = {line.split(":")[0] for line in (FOLDER / "causes.txt").read_text().splitlines()}
    assert awaited - used == set()
    assert used - set(CAUSES) <= awaited


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    wanted = Counter(fault.want for fault in EVERY)
    assert len(EVERY) >= ASKED["faults"] and wanted["equal"] >= ASKED["equal"]
    assert sum(fault.id.startswith("innocent-") for fault in EVERY) >= 16
    assert [key for key, count in Counter((one.lab, one.id) for one in EVERY).items() if count > 1] == []


def test_no_list_is_of_a_lab_that_is_not_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} <= set(LABS)
    assert all(isinstance(yaml.safe_load(path.read_text()), list) for path in FOLDER.glob("*.yml"))


@pytest.mark.parametrize("lab", SAMPLE)
def test_a_sample_is_seen_and_named(lab: str) -> None:
    need_root()
    outcomes = list(tour(lab, SAMPLE[lab], lambda outcome: print(row(outcome), flush=True)))
    assert [row(one) for one in outcomes if not _good(one)] == []


def _good(outcome: Outcome) -> bool:
    return outcome.right and not outcome.accused and (outcome.named or outcome.fault.want != "seen")


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """What came of those that were tried in this run."""
    return []


@pytest.mark.prove
@pytest.mark.confusion
@pytest.mark.parametrize("lab", [lab for lab, those in ALL.items() if those])
def test_all_can_be_tried(lab: str, outcomes: list[Outcome], record_property: Any) -> None:
    """Each fault does what it says, and leaves nothing."""
    need_root()
    found = list(tour(lab, ALL[lab], lambda outcome: print(row(outcome), flush=True)))
    outcomes += found
    record_property("faults", json.dumps([" ".join(row(one).split()) for one in found]))
    assert [row(one) for one in found if one.said == "BROKEN"] == []


@pytest.mark.prove
@pytest.mark.confusion
def test_of_all_enough_are_seen_and_named(outcomes: list[Outcome], record_property: Any) -> None:
    """It runs after those above, and counts what they tried."""
    totals = Totals.of(outcomes)
    table = "\n".join((*map(row, outcomes), "", str(totals))) + "\n"
    print(table)
    if path := os.environ.get("SRV6LAB_CORPUS"):
        Path(path).write_text(table)
    record_property("totals", str(totals))
    assert len(outcomes) == len(EVERY), "run the whole file: this counts what its other tests tried"
    assert totals.seen >= SHARES["seen"] * totals.to_be_seen, totals
    assert totals.named >= SHARES["right cause first"] * totals.to_be_seen, totals
    assert (totals.false_accusations, totals.false_red) == (0, 0), totals
