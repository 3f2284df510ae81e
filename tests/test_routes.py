"""Which routes routing protocols must have brought, where no lab of the course shows it."""

from __future__ import annotations

from srv6lab.plan.routes import expected_routes
from tests.small import planned

TWICE = """\
name: twice
nodes:
  one: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/128", router_id: 10.0.0.1, isis: {instance: core, net: 49.0001.0000.0000.0001.00}}
  two: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/128", router_id: 10.0.0.2, isis: {instance: core, net: 49.0001.0000.0000.0002.00}}
links:
  - {name: upper, prefix: "2001:ab::/64", endpoints: ["one:eth1", "two:eth1"], isis: {network: point-to-point, metric: 10}}
  - {name: lower, prefix: "2001:ba::/64", endpoints: ["one:eth2", "two:eth2"], isis: {network: point-to-point, metric: 10}}
"""


def test_of_two_links_alike_the_first_leads_to_the_neighbor() -> None:
    found = expected_routes(planned(TWICE))["one"].routes
    assert {(str(one.prefix), one.nic) for one in found} == {
        ("fc00:b::/64", "eth1"),
        ("fc00:b::1/128", "eth1"),
    }
