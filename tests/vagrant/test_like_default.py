"""The lab as somebody has it who types `invoke up` with VirtualBox and no more: from the box of its file, or one like it
(see like_default.py), in seven machines. With SREXT's mirror on their network Day0 builds SREXT, which serves; with no
network `srconf` does, and says why. `make prove part=default-box` runs it; SREXT=FOLDER is a clone of SREXT."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, SITE, need_root
from tests.srext.test_day0 import lab_of_srext
from tests.vagrant import like_default
from tests.vagrant.results import failures

pytestmark = pytest.mark.prove
PLAN = lab_of_srext()
EXERCISES = [one.name for one in PLAN.exercises if not one.like]


@pytest.mark.parametrize("served", ["SREXT", "srconf on eBPF"])
def test_all_exercises_pass_in_machines_of_the_default_box(
    served: str, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    need_root()
    if served == "SREXT" and "SREXT" not in os.environ:
        pytest.fail("SREXT=FOLDER names the clone of SREXT that the machines fetch")
    result = proven(tmp_path, ["--srext", os.environ["SREXT"]] if served == "SREXT" else [])
    for name in ("tools", "box", "network", "snapshot", "seconds", "load"):
        record_property(name, json.dumps(result[name]))
    machines = result["machines"]
    for name in ("up_seconds", "check", "memory_mib", "processor_seconds", "proxies"):
        record_property(name, json.dumps(machines[name]))
    assert set(machines["exercises"]) == set(EXERCISES)
    assert set(machines["proxies"].values()) == {served}
    assert result["box"]["kernel"].startswith("6.1.")
    assert failures(result) == []


def proven(folder: Path, words: list[str]) -> dict[str, Any]:
    chosen = [word for exercise in EXERCISES for word in ("--exercise", exercise)]
    told = ["--lab", PLAN.name, *chosen, "--provider", "virtualbox", "--like-default", *words]
    written = folder / "result.json"
    command = [sys.executable, str(REPOSITORY / "tests/vagrant/e2e.py"), *told, "--write", str(written)]
    done = subprocess.run(command)
    assert written.exists(), f"it ended with {done.returncode}, before there was a result"
    return dict(json.loads(written.read_text("utf-8"))["virtualbox"])


def test_the_lab_names_the_default_box() -> None:
    """What is proven here is of no other box."""
    assert {node.box for node in SITE.load(SITE.refer(PLAN.name))[0].nodes} == {like_default.NAME}
