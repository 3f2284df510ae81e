"""Commands that are killed at any moment of theirs: no result of a check is lost, and nothing is left on the machine."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.conftest import need_root
from tests.guests.lab import Typed

KILLS = int(os.environ.get("SRV6LAB_KILLS", "100"))
VERBS = ("check", "report", "up", "destroy")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    """Up, and checked once."""
    need_root()
    one = Typed(tmp_path_factory.mktemp("kills"))
    try:
        assert one.type("up").returncode == 0
        assert one.type("check").returncode == 0
        yield one
    finally:
        one.type("destroy", "--purge")
        assert one.left() == []


def kill(lab: Typed, verb: str, moment: float) -> bool:
    """Whether it was killed before it was done; one is alone, the next with all that it has started."""
    popen = lab.begin(verb)
    time.sleep(moment)
    over = popen.poll() is not None
    with suppress(ProcessLookupError):
        (os.killpg if int(moment * 1e6) % 2 else os.kill)(popen.pid, signal.SIGKILL)
    popen.communicate(timeout=60)
    return not over


def kills(lab: Typed, verb: str, number: int) -> int:
    """Kill it so often, at moments spread over what it takes; how often it was killed in time."""
    dice, killed = random.Random(f"{verb} {number}"), 0
    began = time.monotonic()
    assert lab.type(verb).returncode == 0
    whole = time.monotonic() - began
    for _ in range(number):
        if verb == "destroy":
            assert lab.type("up").returncode == 0
        killed += kill(lab, verb, dice.uniform(0, whole))
        assert lab.results, "a result is lost"
        if verb == "up":
            assert lab.type("destroy").returncode == 0
            assert lab.left() == []
    return killed


@pytest.mark.parametrize("verb", VERBS)
def test_a_few_kills(lab: Typed, verb: str) -> None:
    all_over(lab, verb, 2)


@pytest.mark.prove
@pytest.mark.parametrize("verb", VERBS)
def test_a_hundred_kills(lab: Typed, verb: str, record_property: Callable[[str, object], None]) -> None:
    killed = all_over(lab, verb, KILLS)
    record_property("kills", KILLS)
    record_property("killed before it was done", killed)


def all_over(lab: Typed, verb: str, number: int) -> int:
    assert lab.type("up").returncode == 0
    killed = kills(lab, verb, number)
    assert lab.type("up").returncode == 0
    done = lab.type("check")
    assert done.returncode in (0, 3), done  # 3 on a machine that is too busy for the tracers
    assert not lab.home.scratch.exists() and not lab.home.running.exists()
    assert lab.type("destroy").returncode == 0
    assert lab.left() == [] and lab.results
    return killed
