"""Static routes of a router with FRR: they are in its configuration, and the model and `up` know them as FRR has them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from srv6lab.evidence.packets import Place
from srv6lab.live.lacking import installed, missing, wanted_by
from srv6lab.live.node_state import NodeState, Route
from srv6lab.plan.actions import after
from srv6lab.plan.nodes import Plan, PlannedRoute
from srv6lab.predict.fib import Blackhole, Gateway, Steer
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import day0_scripts
from tests.small import planned

LAB = """\
name: static
external: ["fc00:9::/48"]
nodes:
  one:
    role: router
    router_id: 192.0.2.1
    loopback: "fc00:1::1/128"
    routes:
      - {prefix: "::/0", via: "2001:12::2", metric: 20}
      - {prefix: "::/0", via: "2001:21::2", metric: 10}
      - {prefix: 0.0.0.0/0, type: unreachable}
      - {prefix: "fc00:2::/48", via: "2001:12::2", weight: 3}
      - {prefix: "fc00:2::/48", via: "2001:21::2"}
      - {prefix: "2001:db8::/32", type: blackhole}
      - {prefix: 10.9.0.0/16, segments: ["fc00:9::1", "fc00:9::2"], mode: encap.red, nic: eth2}
      - {prefix: 10.8.0.0/16, segments: ["fc00:9::1"]}
      - {prefix: 2001:7::/64, via: "fe80::2", nic: eth1, table: 100}
      - {prefix: "2001:12::/64", type: blackhole}
  two: {role: router, router_id: 192.0.2.2, routes: [{prefix: "fc00:1::/48", via: "2001:12::1"}]}
links:
  - {name: first, prefix: "2001:12::/64", endpoints: ["one:eth1", "two:eth1"]}
  - {name: second, prefix: "2001:21::/64", endpoints: ["one:eth2", "two:eth2"]}
exercises:
  - name: gone
    apply: [{route: {delete: {node: one, prefix: "fc00:2::/48"}}}]
    probes: [{id: ping, from: one, destination: "fc00:2::1", icmp: 1}]
    expect: {packets: []}
  - name: other
    apply: [{route: {replace: {node: one, prefix: "fc00:2::/48", segments: ["fc00:9::3"]}}}]
    probes: [{id: ping, from: one, destination: "fc00:2::1", icmp: 1}]
    expect: {packets: []}
""".replace("2001:7::/64", '"2001:7::/64"')


@pytest.fixture(scope="module")
def lab() -> Plan:
    return planned(LAB)


def told(lab: Plan) -> list[str]:
    script = day0_scripts(lab)["day0/one.sh"]
    return [line for line in script.splitlines() if line.startswith(("ip route ", "ipv6 route "))]


def test_they_are_in_its_configuration(lab: Plan) -> None:
    assert told(lab) == [
        "ipv6 route ::/0 2001:12::2 $eth1 metric 20",
        "ipv6 route ::/0 2001:21::2 $eth2 metric 10",
        "ip route 0.0.0.0/0 reject",
        "ipv6 route fc00:2::/48 2001:12::2 $eth1 weight 3",
        "ipv6 route fc00:2::/48 2001:21::2 $eth2",
        "ipv6 route 2001:db8::/32 blackhole",
        "ip route 10.9.0.0/16 $eth2 segments fc00:9::1/fc00:9::2 encap-behavior H_Encaps_Red",
        "ip route 10.8.0.0/16 $eth1 segments fc00:9::1 encap-behavior H_Encaps",
        "ipv6 route 2001:12::/64 blackhole",
    ]


def test_day0_lays_those_of_other_tables_alone(lab: Plan) -> None:
    lines = day0_scripts(lab)["day0/one.sh"].splitlines()
    laid = [line for line in lines if line.startswith("route replace")]
    assert laid == ["route replace 2001:7::/64 via fe80::2 dev $eth1 table 100"]


def test_a_router_without_router_id_has_its_own() -> None:
    bare = planned(LAB.replace("router_id: 192.0.2.2, ", ""))
    script = day0_scripts(bare)["day0/two.sh"]
    assert "route replace fc00:1::/48 via 2001:12::1 dev $eth1\n" in script
    assert "frr.conf" not in script


def test_the_model_has_the_least_metric_and_no_route_in_the_place_of_a_link(lab: Plan) -> None:
    table = ModeledLab(lab).namespace(Place("one")).tables[254]

    def hops(address: str) -> tuple[Any, ...]:
        found = table.lookup(ip_address(address))
        return found[1] if found else ()

    assert [one.nic for one in hops("2001:99::1") if isinstance(one, Gateway)] == ["eth2"]
    assert [type(one) for one in hops("10.1.1.1")] == [Blackhole]
    assert [one.weight for one in hops("fc00:2::9")] == [3, 1]
    (pushed,) = hops("10.9.1.1")
    assert isinstance(pushed, Steer) and pushed.name == "H.Encaps.Red"
    assert str(pushed.given.source) == "2001:21::1"  # no locator, so FRR tells the kernel no source
    assert not any(isinstance(one, Blackhole) for one in hops("2001:12::2"))


def test_a_tunnel_source_is_that_of_a_route_with_segments() -> None:
    chosen = planned(LAB.replace('loopback: "fc00:1::1/128"', 'tunnel_source: "fc00:1::7"'))
    found = ModeledLab(chosen).namespace(Place("one")).tables[254].lookup(ip_address("10.8.0.1"))
    assert found and isinstance(found[1][0], Steer)
    assert str(found[1][0].given.source) == "fc00:1::7"


def state(routes: tuple[PlannedRoute, ...]) -> NodeState:
    return NodeState(routes=tuple(Route(one.prefix, one.nic, "static") for one in routes))


def test_up_waits_for_each_and_names_it(lab: Plan) -> None:
    wanted = wanted_by(lab, (), lab)["one"]
    node, there = lab.node("one"), installed(lab.node("one"))
    assert [str(one.prefix) for one in there].count("::/0") == 1
    assert "2001:12::/64" not in map(str, (one.prefix for one in there))
    assert list(missing(node, wanted, state(there))) == []
    without = tuple(one for one in there if (str(one.prefix), one.nic) != ("fc00:2::/48", "eth2"))
    (lack,) = missing(node, wanted, state(without))
    assert lack.what == "one: the static route to fc00:2::/48 by eth2 isn't in the kernel"
    kernels = NodeState(routes=tuple(replace(one, protocol="boot") for one in state(there).routes))
    assert len([*missing(node, wanted, kernels)]) == len(there)


def test_an_exercise_changes_them_by_vtysh(lab: Plan) -> None:
    gone, other = (changes_of(lab, one.apply[0])[0] for one in lab.exercises)
    assert 'vtysh -c "configure terminal" -c "no ipv6 route fc00:2::/48 2001:12::2 $eth1 weight 3"' in gone.do
    assert 'vtysh -c "configure terminal" -c "no ipv6 route fc00:2::/48 2001:21::2 $eth2"' in gone.do
    put = '"ipv6 route fc00:2::/48 $eth1 segments fc00:9::3 encap-behavior H_Encaps"'
    assert put in other.do and put.replace('"ipv6', '"no ipv6') in other.undo
    assert "vtysh -b" in gone.undo


def test_what_an_exercise_took_away_has_to_be_gone(lab: Plan) -> None:
    now = after(lab, lab.exercises[0].apply).plan
    wanted = wanted_by(lab, (), now)["one"]
    left = {one.what for one in missing(now.node("one"), wanted, state(installed(lab.node("one"))))}
    assert left == {"one still has a route to fc00:2::/48"}
    assert list(missing(now.node("one"), wanted, state(installed(now.node("one"))))) == []
