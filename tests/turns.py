"""`make test` runs all that is quick, and of what takes long a twelfth: another twelfth with each commit.

Which tests take long is in tests/turns.txt, a function a line with its seconds, which scripts/turns.py writes by what a
whole run measured. A case of them has one turn of twelve, always the same, by its name. All run where somebody names a
file, says so (`make test turn=all`), and in `make prove`.
"""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Container, Sequence
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
LISTED = Path(__file__).with_name("turns.txt")
TURNS = 12
ALL = "all"
ASKED = "SRV6LAB_TURN"
_CHOSEN = "SRV6LAB_TURN_CHOSEN"  # told to the workers, which see nothing of how pytest was called


@cache
def long_ones(listed: Path = LISTED) -> frozenset[str]:
    """Functions whose cases take turns."""
    lines = listed.read_text().splitlines()
    return frozenset(line.split()[1] for line in lines if line and not line.startswith("#"))


def turn_of(test: str) -> int:
    """Of a case, by its id: 1 to TURNS."""
    return zlib.crc32(test.encode()) % TURNS + 1


def has_its_turn(test: str, turn: str, long: Container[str]) -> bool:
    return turn == ALL or test.partition("[")[0] not in long or turn_of(test) == int(turn)


def chosen(named: Sequence[str], asked: str, commits: int) -> str:
    """A number, or ALL; UsageError of pytest's where something else is asked for."""
    if asked:
        if asked != ALL and asked not in map(str, range(1, TURNS + 1)):
            raise pytest.UsageError(f"{ASKED}={asked}: a turn is 1 to {TURNS}, or {ALL}")
        return asked
    return ALL if named else str(commits % TURNS + 1)


def commits() -> int:
    """How many there are up to this one; 0 where git can't tell."""
    done = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True
    )
    return int(done.stdout) if done.returncode == 0 else 0


def choose(config: pytest.Config) -> None:
    """Before anything is collected, and before there are workers."""
    if not hasattr(config, "workerinput"):
        named = config.getoption("file_or_dir")
        os.environ[_CHOSEN] = chosen(named, os.environ.get(ASKED, ""), commits())


def pytest_report_header() -> str:
    turn = os.environ[_CHOSEN]
    return f"turn: {turn}" + ("" if turn == ALL else f" of {TURNS} (all: make test turn={ALL})")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    turn, long = os.environ[_CHOSEN], long_ones()
    kept = [item for item in items if has_its_turn(item.nodeid, turn, long)]
    if left := [item for item in items if not has_its_turn(item.nodeid, turn, long)]:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
