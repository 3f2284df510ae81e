"""The benchmark's chain is a lab without a complaint, in which every router reaches every locator."""

from __future__ import annotations

import pytest
import yaml

from benchmarks.chain import netlab_topology, topology
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.plan.planner import plan
from srv6lab.topology.load import loads


def chain(size: int) -> Plan:
    lab = loads(topology(size), "chain.yml")
    assert lab.warnings == ()
    return plan(lab.topology, lab.source.locate)


def hops(found: Plan, start: PlannedNode, end: PlannedNode) -> int:
    """From router to router by their own routes; a loop is as long as the chain."""
    target, here = end.local_sids[0].sid, start
    for count in range(len(found.nodes)):
        if here == end:
            return count
        nic = next(one for one in here.nics if one.name == here.egress_nic(target))
        here = found.node(nic.peer.node)
    return len(found.nodes)


@pytest.mark.parametrize("size", [2, 3, 7, 20])
def test_every_router_reaches_every_locator(size: int) -> None:
    found = chain(size)
    for near, start in enumerate(found.nodes):
        for far, end in enumerate(found.nodes):
            assert hops(found, start, end) == abs(far - near)


def test_netlab_gets_the_same_chain() -> None:
    found, theirs = chain(20), yaml.safe_load(netlab_topology(20))
    assert theirs["nodes"] == [machine.name for machine in found.nodes]
    pairs = {tuple(sorted((nic.point.node, nic.peer.node))) for nic in found.nics()}
    assert {tuple(sorted(link.split("-"))) for link in theirs["links"]} == pairs


def test_a_thousand_routers_are_a_file_that_the_loader_takes() -> None:
    assert len(chain(1000).nodes) == 1000
