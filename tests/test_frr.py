"""What FRR of a node is told, line by line where no lab has it."""

from __future__ import annotations

import pytest
import yaml

from srv6lab.plan.planner import plan
from srv6lab.render.day0 import day0_scripts
from srv6lab.topology.load import loads
from tests.small import SMALL

STRAIGHT = " bgp disable-ebgp-connected-route-check"


@pytest.mark.parametrize(
    ("as_of_exit", "families", "told"),
    [(200, ["vpnv4"], True), (200, ["ipv6"], False), (100, ["vpnv4"], False)],
)
def test_a_sid_that_comes_straight_from_another_as_needs_no_link(
    as_of_exit: int, families: list[str], told: bool
) -> None:
    lab = yaml.safe_load(SMALL)
    vpn = {"rd": "100:1", "import": ["1:1"], "export": ["1:1"], "sid": "fc00:a::1:0:0:0"}
    lab["nodes"]["gate"] |= {"router_id": "1.1.1.1", "vrfs": {"red": vpn}}
    lab["nodes"]["exit"]["router_id"] = "2.2.2.2"
    for name, number, other in (("gate", 100, "exit"), ("exit", as_of_exit, "gate")):
        lab["nodes"][name]["bgp"] = {"as": number, "neighbors": [{"node": other, "families": families}]}
    loaded = loads(yaml.safe_dump(lab), "small.yml")
    scripts = day0_scripts(plan(loaded.topology, loaded.source.locate))
    assert (STRAIGHT in scripts["day0/gate.sh"].splitlines()) is told
    assert STRAIGHT not in scripts["day0/exit.sh"].splitlines()  # it has no VPN, and so no such route
