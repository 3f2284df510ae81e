"""Headends of every lab that has some: what their agents say, and what `up` does for one that died."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from srv6lab.cli.tasks import policies
from srv6lab.live.wait_for_policies import astray
from tests.conftest import LABS, SITE, Up

HEADENDS = [name for name in LABS if any(one.headend for one in SITE.load(SITE.refer(name))[0].nodes)]
ALIVE = "! flock --nonblock /var/lib/srv6lab/policies/state.lock true"


@pytest.fixture(scope="module", params=HEADENDS)
def lab(request: pytest.FixtureRequest, bring_up: Callable[[str], Up]) -> Up:
    return bring_up(request.param)


def test_agents_say_what_the_model_says(lab: Up) -> None:
    told = json.loads(policies(lab.running, lab.plan, "json"))
    modeled = json.loads(policies(None, lab.plan, "json"))
    assert [one["headend"] for one in told] == [one["headend"] for one in modeled] != []
    for said, wanted in zip(told, modeled, strict=True):
        assert (said["source"], wanted["source"]) == ("its agent", "the model")
        assert list(astray(said["headend"], wanted, said)) == []


def test_up_restarts_an_agent_that_died(lab: Up) -> None:
    (node, *_) = [machine.name for machine in lab.plan.nodes if machine.headend]
    lab.sh(node, f"{ALIVE}; kill -KILL $(cat /var/lib/srv6lab/policies/pid)")
    lab.sh(node, f"for _ in {{1..100}}; do {ALIVE} || exit 0; sleep 0.02; done; exit 1")
    lab.again()
    lab.sh(node, ALIVE)


def test_up_leaves_an_agent_that_lives(lab: Up) -> None:
    (node, *_) = [machine.name for machine in lab.plan.nodes if machine.headend]
    before = lab.sh(node, "cat /var/lib/srv6lab/policies/pid")
    lab.again()
    assert lab.sh(node, f"{ALIVE}; cat /var/lib/srv6lab/policies/pid") == before
