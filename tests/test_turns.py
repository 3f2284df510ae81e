"""Which tests are left to another turn, and that each has one."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.conftest import REPOSITORY
from tests.turns import (
    ALL,
    TURNS,
    chosen,
    has_its_turn,
    long_ones,
    pytest_collection_modifyitems,
    pytest_report_header,
)

LONG = frozenset({"tests/a.py::test_long"})
CASES = [f"tests/a.py::test_long[{number}]" for number in range(300)]
EVERY = [str(turn) for turn in range(1, TURNS + 1)]


def test_each_case_has_one_turn_and_no_turn_has_many_more_than_another() -> None:
    of = {turn: [case for case in CASES if has_its_turn(case, turn, LONG)] for turn in EVERY}
    assert sorted(case for cases in of.values() for case in cases) == sorted(CASES)
    equal = len(CASES) / TURNS
    assert all(0.5 * equal <= len(cases) <= 1.5 * equal for cases in of.values())


def test_what_is_quick_runs_each_time_and_all_means_all() -> None:
    assert all(has_its_turn("tests/a.py::test_quick[1]", turn, LONG) for turn in EVERY)
    assert all(has_its_turn(case, ALL, LONG) for case in CASES)


@pytest.mark.parametrize(
    ("named", "asked", "commits", "turn"),
    [
        ([], "", 2 * TURNS, "1"),
        ([], "", 2 * TURNS - 1, str(TURNS)),
        ([], "", 0, "1"),
        ([], "3", 12, "3"),
        ([], ALL, 12, ALL),
        (["tests/a.py"], "", 12, ALL),
        (["tests/a.py"], "2", 12, "2"),
    ],
)
def test_whose_turn_it_is(named: list[str], asked: str, commits: int, turn: str) -> None:
    assert chosen(named, asked, commits) == turn


@pytest.mark.parametrize("asked", ["0", str(TURNS + 1), "none", "1 "])
def test_what_is_no_turn_is_refused(asked: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"a turn is 1 to {TURNS}, or all"):
        chosen([], asked, 1)


def test_every_function_that_is_listed_is_there() -> None:
    """Else it was renamed, and its long cases run each time."""
    for name in long_ones():
        file, *inner = name.split("::")
        body = ast.parse((REPOSITORY / file).read_text()).body
        for one in inner:
            found = next((each for each in body if getattr(each, "name", "") == one), None)
            assert found, f"{name} is in tests/turns.txt, and not there: run scripts/turns.py"
            body = getattr(found, "body", [])


def test_pytest_leaves_out_what_has_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how many those are."""
    long = min(long_ones())
    items = [SimpleNamespace(nodeid=f"{long}[{number}]") for number in range(30)]
    items.append(SimpleNamespace(nodeid="tests/a.py::test_quick"))
    left: list[object] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
    monkeypatch.setenv("SRV6LAB_TURN_CHOSEN", "2")
    kept = [*items]
    pytest_collection_modifyitems(cast(pytest.Config, SimpleNamespace(hook=hook)), cast(Any, kept))
    assert 1 < len(kept) < 15 and len(kept) + len(left) == len(items)
    assert kept[-1] is items[-1] and f"turn: 2 of {TURNS}" in pytest_report_header()
