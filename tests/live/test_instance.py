"""A lab that a command looked at, and that another one takes away or changes before the first has it to itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.live.instance import Instance
from srv6lab.providers.registry import provider_of
from srv6lab.providers.state import Home, State


@pytest.fixture
def lab(tmp_path: Path) -> Instance:
    home = Home(tmp_path / "labs" / "one")
    home.path.mkdir(parents=True)
    provider = provider_of(None)
    state = State("one", "one", provider.record.name, "one.yml", "ready", provider_data={"pids": (1, 2)})
    home.write(state)
    return Instance(home, state, provider)


def test_what_is_as_it_was_seen_is_locked(lab: Instance) -> None:
    with lab.locked():
        assert lab.home.busy
    assert not lab.home.busy


@pytest.mark.parametrize("runs", [False, True])
def test_what_was_taken_away_is_refused_and_nothing_is_left(lab: Instance, runs: bool) -> None:
    if runs:
        lab.home.run("across").mkdir(parents=True)
    lab.home.forget(keep_runs=True)
    with pytest.raises(MachineError, match="one was taken away or changed by another command"), lab.locked():
        pytest.fail("it was locked")
    left = [path.name for path in lab.home.path.iterdir()] if lab.home.path.exists() else []
    assert left == (["runs"] if runs else [])


def test_what_was_brought_up_anew_is_refused(lab: Instance) -> None:
    lab.home.write(replace(lab.state, provider_data={"pids": [3, 4]}))
    with pytest.raises(MachineError, match="changed by another command"), lab.locked():
        pytest.fail("it was locked")
    assert lab.home.read()
