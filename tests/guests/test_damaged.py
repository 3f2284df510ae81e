"""What is handed in damaged: refused with words, or judged. It never ends in a traceback, never hangs, takes no memory, and
what was wrong never passes: a run that failed fails, or proves nothing."""

from __future__ import annotations

import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from srv6lab.cli.report import Handed, report
from srv6lab.cli.tasks import check
from srv6lab.errors import LabError
from srv6lab.evidence.verdict import Status
from srv6lab.judge.grade import grade
from srv6lab.live.instance import Request
from srv6lab.live.lifecycle import destroy, up
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from tests.conftest import SITE, need_root, silent
from tests.guests.damage import OF_CAPTURES, WAYS
from tests.guests.lab import EXERCISE, Typed
from tests.small import SMALL

LONGEST = 60  # seconds of this process; a hang is a test that never ends
MOST_MEMORY = 1 << 20  # kB that it may have grown to
HAND_INS, CAPTURES = 500, 1000


class Quiet:
    """Progress of a report that nobody reads."""

    def __call__(self, _: str) -> None: ...

    def line(self, _: str) -> None: ...


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plan, Home]]:
    """A run that fails: the tests' own lab expects what doesn't hold."""
    need_root()
    typed = Typed(tmp_path_factory.mktemp("damaged"))
    typed.file.write_text(SMALL)
    reference = SITE.refer(str(typed.file))
    plan, _ = SITE.load(reference)
    try:
        running = up(typed.home, plan, Request(reference), silent)
        (verdict,) = check(running, plan, [EXERCISE], silent)
        assert verdict.status is Status.FAIL
        yield plan, typed.home
    finally:
        destroy(typed.home, purge=True)


def judged(run: tuple[Plan, Home], way: str, number: int, place: Path) -> Status | None:
    """What comes of a damaged copy, None where it is refused."""
    plan, home = run
    folder = place / "handed in"
    shutil.copytree(home.run(EXERCISE), folder)
    WAYS[way](folder, random.Random(f"{way} {number}"))
    began, found = time.process_time(), None
    try:
        found = grade(plan, EXERCISE, folder, silent).status
    except LabError as error:
        assert error.what and error.mend, f"{way} {number}: {error}"
    except Exception as error:
        raise AssertionError(f"{way} {number}: {type(error).__name__}: {error}") from error
    if number % 10 == 0:
        with suppress(LabError):
            report(plan, home, [EXERCISE], Handed(str(folder)), str(place / "page.html"), Quiet())  # type: ignore[arg-type]
    assert time.process_time() - began < LONGEST, f"{way} {number}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_MEMORY, f"{way} {number}"
    shutil.rmtree(place)
    return found


def tried(run: tuple[Plan, Home], numbers: range, ways: tuple[str, ...], place: Path) -> dict[str, int]:
    """How often each verdict was given; none of them is PASS."""
    counts: dict[str, int] = {}
    for number in numbers:
        way = ways[number % len(ways)]
        found = judged(run, way, number, place / str(number))
        assert found is not Status.PASS, f"{way} {number} passes"
        counts[str(found or "refused")] = counts.get(str(found or "refused"), 0) + 1
    return counts


def test_a_sample(run: tuple[Plan, Home], tmp_path: Path) -> None:
    tried(run, range(len(WAYS)), tuple(WAYS), tmp_path)


@pytest.mark.prove
def test_damaged_hand_ins(
    run: tuple[Plan, Home], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("verdicts", str(tried(run, range(100, 100 + HAND_INS), tuple(WAYS), tmp_path)))


@pytest.mark.prove
def test_damaged_captures(
    run: tuple[Plan, Home], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("verdicts", str(tried(run, range(1000, 1000 + CAPTURES), OF_CAPTURES, tmp_path)))
