"""The proof in virtual machines that takes minutes, `make prove part=vagrant`: the lab in VirtualBox's machines, of which
each starts from a snapshot of the booted box, through real Vagrant. What e2e.py finds is judged here, a test each. It is
of three exercises, which have each kind of service; `make e2e-vagrant` runs all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import LABS, REPOSITORY, SITE, need_root

pytestmark = pytest.mark.prove

PLAN = max(
    (SITE.load(SITE.refer(name))[0] for name in LABS),
    key=lambda plan: sum(len(node.services) for node in plan.nodes),
)
# What the services do: intrusion detection behind the proxy, a firewall there, and one that reads SRHs.
EXERCISES = [one.name for one in PLAN.exercises if one.expect.counters and not one.like]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_root()
    written = tmp_path_factory.mktemp("restored") / "result.json"
    chosen = [word for exercise in EXERCISES for word in ("--exercise", exercise)]
    told = ["--lab", PLAN.name, *chosen, "--provider", "virtualbox", "--restored", "--write", str(written)]
    done = subprocess.run([sys.executable, str(REPOSITORY / "tests/vagrant/e2e.py"), *told])
    assert written.exists(), f"it ended with {done.returncode}, before there was a result"
    return dict(json.loads(written.read_text("utf-8"))["virtualbox"])


def test_every_node_is_a_machine(result: dict[str, Any], record_property: Callable[..., None]) -> None:
    for name in ("tools", "box", "snapshot", "seconds", "load"):
        record_property(name, json.dumps(result[name]))
    for name in ("up_seconds", "check", "memory_mib", "processor_seconds"):
        record_property(name, json.dumps(result["machines"][name]))
    assert result["machines"]["memory_mib"]["machines"] == len(PLAN.nodes)
    assert result["machines"]["check"]["exit"] == 0


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_passes_by_the_traces_of_the_machines(
    result: dict[str, Any], exercise: str, record_property: Callable[..., None]
) -> None:
    judged = result["machines"]["exercises"][exercise]
    record_property("items", json.dumps(judged["items"]))
    assert judged["status"] == ["pass"]
    assert set(judged["pcaps"]) == {f"{nic.trace}.pcap" for nic in PLAN.traced()}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_probes_walk_as_in_namespaces(result: dict[str, Any], exercise: str) -> None:
    assert result["differences_from_netns"][exercise] == []


def test_destroy_leaves_nothing(result: dict[str, Any]) -> None:
    assert result["machines"]["destroy"] == {"exit": 0, "left": []}
