"""Right runs with one thing changed in their captures: no change passes that isn't equal on the wire."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from tests.captures import quick
from tests.captures.mutate import MODES, MUTANTS, Right, mutants, right_runs, table, text, unknowable
from tests.captures.operators import EQUAL, OPERATORS
from tests.conftest import LABS, SITE, Up, silent

LEAST = 85  # operators
SAMPLE = 2  # mutants of each in `make test`
FIRST = SITE.course()[0][0].name
TABLES: list[str] = []
OCCURRED: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def judged_once() -> Iterator[None]:
    with quick.remembered():
        yield


@pytest.fixture(scope="module")
def runs(labs_up: Callable[[str], Up]) -> Iterator[Callable[[str], list[Right]]]:
    """The right runs of a lab, recorded once. At the end the tables are kept, without the rows of what was judged right,
    where $SRV6LAB_MUTANTS says."""
    known: dict[str, list[Right]] = {}

    def get(name: str) -> list[Right]:
        if name not in known:
            lab = labs_up(name)
            check(lab.running, lab.plan, [one.name for one in lab.plan.exercises], silent)
            known[name] = list(right_runs(name, Path(lab.running.home.runs)))
        return known[name]

    yield get
    if path := os.environ.get("SRV6LAB_MUTANTS"):
        Path(path).write_text("\n".join(map(brief, TABLES)) + "\n")


def brief(table: str) -> str:
    """A table's title, what was judged wrongly, and its sum."""
    title, *rows = table.splitlines()
    return "\n".join([title, *(row for row in rows if "WRONG" in row or "judged wrongly" in row)])


def test_there_are_operators_enough_and_each_has_a_name_of_its_own() -> None:
    assert len({one.name for one in OPERATORS}) == len(OPERATORS) >= LEAST


def test_what_may_not_be_known_is_known_elsewhere_and_never_what_is_equal(
    runs: Callable[[str], list[Right]],
) -> None:
    for right in runs(FIRST):
        for one in OPERATORS:
            if one.at_one or one.meanwhile:
                assert one.wants != EQUAL
                assert unknowable(right, one, "one") == one.at_one
                assert unknowable(right, one, "run") == unknowable(right, one, "alone") == ""


@pytest.mark.parametrize("mode", MODES)
def test_a_sample(mode: str, runs: Callable[[str], list[Right]]) -> None:
    for right in runs(FIRST):
        rows = table(right, OPERATORS, mode, SAMPLE)
        assert not [one for row in rows for one in row.wrong], text(rows)


def test_what_one_capture_does_not_show_is_no_failure(runs: Callable[[str], list[Right]]) -> None:
    """Where nothing in it repeats what was changed."""
    free = [one for one in OPERATORS if one.name in ("ip6 flow label", "ip4 ID, checksum mended")]
    for right in runs(FIRST):
        for row in table(right, free, "one", SAMPLE):
            assert row.unknown
            assert row.seen["fail"] == row.seen["traceback"] == 0, text([row])


@pytest.mark.prove
@pytest.mark.parametrize("name", LABS)
def test_no_wrong_packet_passes(name: str, runs: Callable[[str], list[Right]]) -> None:
    """So many mutants of each operator in each lab, shared among its exercises."""
    found = runs(name)
    assert found
    most = -(-MUTANTS // len(found))
    wrong = []
    for right in found:
        for mode in MODES:
            rows = table(right, OPERATORS, mode, most)
            TABLES.append(f"{name} {right.exercise} ({mode})\n{text(rows)}")
            wrong += [
                f"{right.exercise} ({mode}) {row.operator.name}: {one}" for row in rows for one in row.wrong
            ]
            OCCURRED.update(row.operator.name for row in rows if row.mutants)
    assert not wrong


@pytest.mark.prove
def test_each_operator_occurs_in_some_lab(runs: Callable[[str], list[Right]]) -> None:
    rights = (right for name in LABS for right in runs(name))
    left = {one.name: one for one in OPERATORS if not OCCURRED[one.name]}
    for right in rights if left else ():
        left = {name: one for name, one in left.items() if next(mutants(right, one, 1), None) is None}
    assert not left
