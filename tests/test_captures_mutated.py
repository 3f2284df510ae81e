"""Right runs with one thing changed in their captures: no change passes that isn't equal on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.judge import grade
from tests.captures import mutate
from tests.captures.mutate import MODES, Right, right_runs, table, text
from tests.captures.operators import EQUAL, OPERATORS
from tests.conftest import LABS, SITE, Up, silent

LEAST = 85  # operators
FIRST = SITE.course()[0][0].name


@pytest.fixture(autouse=True)
def predicted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "predict", mutate.predicted)


@pytest.fixture(scope="module")
def runs(labs_up: Callable[[str], Up]) -> Iterator[Callable[[str], list[Right]]]:
    """The right runs of a lab, recorded once."""
    known: dict[str, list[Right]] = {}

    def get(name: str) -> list[Right]:
        if name not in known:
            lab = labs_up(name)
            check(lab.running, lab.plan, [one.name for one in lab.plan.exercises], silent)
            known[name] = list(right_runs(name, Path(lab.running.home.runs)))
        return known[name]

    yield get


def test_there_are_operators_enough_and_each_has_a_name_of_its_own() -> None:
    assert len({one.name for one in OPERATORS}) == len(OPERATORS) >= LEAST


def test_what_is_equal_on_the_wire_passes(runs: Callable[[str], list[Right]]) -> None:
    for right in runs(FIRST):
        rows = table(right, [one for one in OPERATORS if one.wants == EQUAL])
        assert all(row.mutants for row in rows)
        assert not [one for row in rows for one in row.wrong], text(rows)


@pytest.mark.prove
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LABS)
def test_no_wrong_packet_passes(name: str, mode: str, runs: Callable[[str], list[Right]]) -> None:
    found = runs(name)
    assert found
    for right in found:
        rows = table(right, OPERATORS, mode)
        assert not [one for row in rows for one in row.wrong], f"{right.exercise}\n{text(rows)}"
