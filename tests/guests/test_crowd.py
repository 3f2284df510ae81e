"""Many labs on one machine, and many hands on one lab: none is judged by what another one does, and a name is one lab's.

Every second lab has lost a route, so what crosses from one to the other makes a verdict wrong.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest

from srv6lab.providers.node import cgroups
from tests.conftest import need_root
from tests.guests.lab import Done, Typed, ended

LABS = int(os.environ.get("SRV6LAB_CROWD", "20"))
RACES = int(os.environ.get("SRV6LAB_RACES", "1"))  # of each pair of commands
PASS, FAIL, INCONCLUSIVE = 0, 4, 3
VERBS = ("up", "check", "destroy", "capture")
BREAK = ("--node", "exit", "--", "ip", "-6", "route", "del", "fc00:b::d4")


def all_of(labs: Sequence[Typed], verb: str, *more: str) -> list[Done]:
    """Begun together."""
    return [ended(popen) for popen in [lab.begin(verb, *more) for lab in labs]]


def memory(lab: Typed) -> int:
    """Bytes of its control group; 0 where there is none."""
    name = cgroups.group(str(lab.home.path.resolve()))
    for place in (f"{name}/memory.current", f"memory/{name}/memory.usage_in_bytes"):
        if (file := Path("/sys/fs/cgroup", place)).exists():
            return int(file.read_text())
    return 0


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[list[Typed]]:
    need_root()
    made = [Typed(tmp_path / str(number)) for number in range(LABS)]
    yield made
    all_of(made, "destroy", "--purge")
    assert [lab.left() for lab in made] == [[]] * LABS


@pytest.mark.prove
def test_labs_at_once(labs: list[Typed], record_property: Callable[[str, object], None]) -> None:
    assert [done.returncode for done in all_of(labs, "up")] == [0] * LABS
    record_property("MiB of each", [memory(lab) >> 20 for lab in labs])
    for lab in labs[1::2]:
        assert lab.type("exec", *BREAK).returncode == 0
    found = all_of(labs, "check")
    codes = [done.returncode for done in found]
    record_property("exit codes of check", codes)
    assert set(codes[::2]) <= {PASS, INCONCLUSIVE} and set(codes[1::2]) <= {FAIL, INCONCLUSIVE}
    for done in found:
        assert done.returncode != INCONCLUSIVE or "inconclusive: " in done.stdout, done
    assert {PASS, FAIL} <= set(codes), "nobody proved anything"
    assert [done.returncode for done in all_of(labs, "destroy")] == [0] * LABS


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    need_root()
    one = Typed(tmp_path_factory.mktemp("shared"))
    yield one
    assert one.type("destroy", "--purge").returncode == 0
    assert one.left() == [] and not one.home.path.exists()


def race(lab: Typed, verbs: Sequence[str], dice: random.Random) -> None:
    """Two shells: the second command begins a while after the first. Each does what it says or says why not, and the lab
    can be used and taken away afterwards."""
    if dice.random() < 0.5:
        lab.type("up")
    begun = []
    for verb in verbs:
        begun.append(lab.begin(verb))
        time.sleep(dice.uniform(0, 0.7))
    answers = [ended(popen) for popen in begun]
    for verb, done in zip(verbs, answers, strict=True):
        good = done.returncode == 0 or (done.returncode in (1, 3) and (done.stderr or done.stdout).strip())
        assert good, (verb, done)
    if "destroy" in verbs and lab.type("status").returncode:
        assert lab.left() == [], answers
    assert lab.type("up").returncode == 0, verbs
    assert lab.type("check").returncode in (PASS, INCONCLUSIVE), verbs
    assert lab.type("destroy").returncode == 0, verbs
    assert lab.left() == [], verbs


@pytest.mark.parametrize("verbs", [("up", "destroy"), ("check", "destroy")], ids="-".join)
def test_a_race(shared: Typed, verbs: Sequence[str]) -> None:
    race(shared, verbs, random.Random(f"{verbs}"))


@pytest.mark.prove
@pytest.mark.parametrize("verbs", list(product(VERBS, VERBS)), ids="-".join)
def test_every_race(shared: Typed, verbs: Sequence[str]) -> None:
    for number in range(RACES):
        race(shared, verbs, random.Random(f"{verbs} {number}"))
