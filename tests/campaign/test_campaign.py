"""All labs are broken by 200 seeds, each proven, diagnosed, and mended by the reference: what `make prove` keeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.report.faults import campaign_text
from srv6lab.teach.campaign import Figures, Round, campaign
from tests.conftest import LABS, Up, silent

SEEDS = 200
EACH = -(-SEEDS // len(LABS))


@pytest.fixture(scope="module")
def rounds() -> dict[str, list[Round]]:
    """What came of each lab."""
    return {}


@pytest.mark.prove
@pytest.mark.parametrize("lab", LABS)
def test_a_lab_is_broken_and_mended_again_and_again(
    lab: str, labs_up: Callable[[str], Up], rounds: dict[str, list[Round]]
) -> None:
    up, found = labs_up(lab), rounds.setdefault(lab, [])
    with up.running.home.locked():
        found += campaign(up.running, up.plan, EACH, 1000 + 100 * LABS.index(lab), 0, "", silent)
    print(campaign_text(found))
    assert [one for one in found if one.left] == []
    assert [one for one in found if one.faults and not one.good] == []


@pytest.mark.prove
def test_of_all_enough_are_named(
    rounds: dict[str, list[Round]], record_property: Callable[[str, object], None]
) -> None:
    """It runs after those above, and counts what they tried."""
    every = [one for them in rounds.values() for one in them]
    figures = Figures.of(every)
    record_property("figures", str(figures))
    if path := os.environ.get("SRV6LAB_CAMPAIGN"):
        texts = (f"{lab}\n{campaign_text(them)}" for lab, them in rounds.items())
        Path(path).write_text("\n".join((*texts, "all labs", f"{figures}\n")))
    assert len(every) >= SEEDS, "run the whole file: this counts what its other tests tried"
    assert figures.broken >= 0.95 * figures.rounds, figures
    assert figures.first_alone >= 0.8 * figures.red_alone, figures
