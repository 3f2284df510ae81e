"""Topology → Plan: the same every time, defaults, next hops, problems at their place, and a long chain."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from ipaddress import ip_address
from types import FrameType
from typing import Any

import pytest

from srv6lab.errors import TopologyError
from srv6lab.evidence.packets import Point
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.plan.planner import mac_of, plan
from srv6lab.topology.load import loads
from tests.conftest import LABS, SITE
from tests.small import SMALL, planned


def machine_nic(found: Plan, at: str) -> Nic:
    return next(nic for nic in found.nics() if str(nic.point) == at)


def test_the_same_file_gives_the_same_plan() -> None:
    first, second = planned(), planned()
    assert first.nodes == second.nodes
    assert first.exercises == second.exercises


@pytest.mark.parametrize("name", LABS)
def test_a_lab_gives_the_same_plan(name: str) -> None:
    first, second = (SITE.load(SITE.refer(name))[0] for _ in range(2))
    assert first.nodes == second.nodes


@pytest.mark.parametrize("name", LABS)
def test_macs_are_locally_administered_unicast_and_unique(name: str) -> None:
    macs = [nic.mac for nic in SITE.load(SITE.refer(name))[0].nics()]
    assert len(set(macs)) == len(macs)
    for mac in macs:
        octets = bytes.fromhex(mac.replace(":", ""))
        assert len(octets) == 6
        assert octets[0] & 0b11 == 0b10


def test_a_mac_depends_on_lab_and_point_alone() -> None:
    point = Point("gate", "eth1")
    assert mac_of("one", point) == mac_of("one", point)
    assert len({mac_of("one", point), mac_of("two", point), mac_of("one", Point("gate", "eth2"))}) == 3


def test_the_ends_of_a_link_get_its_first_two_addresses() -> None:
    found = planned()
    assert str(machine_nic(found, "west:eth1").address) == "10.0.1.1/24"
    assert str(machine_nic(found, "gate:eth1").address) == "10.0.1.2/24"
    assert str(machine_nic(found, "exit:eth2").address) == "2001:ab::2/64"


def test_an_address_that_is_written_is_taken() -> None:
    text = SMALL.replace('["west:eth1"', '[{at: "west:eth1", address: 10.0.1.77}')
    found = planned(text.replace("nh4: 10.0.1.1}", "nh4: 10.0.1.77}"))
    assert str(machine_nic(found, "west:eth1").address) == "10.0.1.77/24"


def test_a_trace_is_named_or_is_node_and_nic() -> None:
    found = planned()
    assert machine_nic(found, "gate:eth2").trace == "middle"
    assert machine_nic(found, "exit:eth2").trace == "exit-eth2"


def test_each_end_knows_the_other() -> None:
    found = planned()
    for nic in found.nics():
        assert machine_nic(found, str(nic.peer)).peer == nic.point
        assert machine_nic(found, str(nic.peer)).link == nic.link


def test_nics_are_in_the_order_of_their_numbers() -> None:
    text = SMALL.replace("gate:eth1", "gate:eth10")
    assert [nic.name for nic in planned(text).node("gate").nics] == ["eth2", "eth10"]


def test_a_route_leaves_by_the_link_of_its_next_hop() -> None:
    (route,) = planned().node("gate").routes
    assert (str(route.prefix), str(route.via), route.nic) == ("fc00:b::/64", "2001:ab::2", "eth2")


def test_a_sid_leaves_by_the_link_of_its_next_hop_or_by_any_ipv6_link() -> None:
    found = planned()
    assert [local.nic for local in found.node("gate").local_sids] == ["eth1"]
    assert [local.nic for local in found.node("exit").local_sids] == ["eth2", "eth1"]


def test_two_nics_with_one_mac_are_told() -> None:
    """These two names were searched for among two million."""
    text = SMALL.replace("west", "n852607").replace("east", "n2275156")
    with pytest.raises(TopologyError, match=r"n2275156:eth1 would have the MAC .* that n852607:eth1 has"):
        planned(text)


THREE = """\
name: three
nodes:
  gate:
    role: router
    locator: "fc00:1::/64"
    loopback: "fc00:1::1/64"
    routes:
      - {prefix: "::/0", via: "2001:a::2"}
      - {prefix: "fc00:2::/32", via: "2001:b::2"}
      - {prefix: "fc00:2:2::/64", via: "2001:a::2"}
  near: {role: router, locator: "fc00:2::/64", loopback: "fc00:2::1/64"}
  far: {role: router, locator: "fc00:2:2::/64", loopback: "fc00:2:2::1/64"}
links:
  - {name: one, prefix: "2001:a::/64", endpoints: ["gate:eth1", "near:eth1"]}
  - {name: two, prefix: "2001:b::/64", endpoints: ["gate:eth2", "far:eth1"]}
local_sids:
  - {node: near, sid: "fc00:2::e", behavior: End}
  - {node: far, sid: "fc00:2:2::e", behavior: End}
steering:
  - {headend: gate, match: {prefix: 10.0.0.0/8}, to: {segments: ["SEGMENT"]}}
"""


@pytest.mark.parametrize(("segment", "nic"), [("fc00:2::e", "eth2"), ("fc00:2:2::e", "eth1")])
def test_a_policy_leaves_by_the_longest_prefix_of_its_first_segment(segment: str, nic: str) -> None:
    (policy,) = planned(THREE.replace("SEGMENT", segment)).node("gate").steering
    assert policy.nic == nic
    assert policy.segments == (ip_address(segment),)


def test_without_a_longer_one_the_default_route_is_taken() -> None:
    text = THREE.replace('- {prefix: "fc00:2::/32", via: "2001:b::2"}', "").replace("SEGMENT", "fc00:2::e")
    (policy,) = planned(text).node("gate").steering
    assert policy.nic == "eth1"


def with_sids(*lines: str) -> str:
    return SMALL.replace("steering:\n", "".join(f"  - {line}\n" for line in lines) + "steering:\n")


TABLE = SMALL.replace(
    'via: "2001:ab::1"}]}', 'via: "2001:ab::1"}, {prefix: "::/0", via: "2001:ab::1", table: 7}]}'
)


def test_a_route_of_a_table_is_no_way_for_anything_else() -> None:
    machine = planned(TABLE).node("exit")
    assert [(str(route.prefix), route.table) for route in machine.routes] == [
        ("fc00:a::/64", None),
        ("::/0", 7),
    ]
    assert machine.egress_nic(ip_address("fc00:a::1")) == "eth2"
    assert machine.egress_nic(ip_address("2001:db8::1")) is None


def test_a_binding_sid_leaves_towards_the_first_segment_of_its_policy() -> None:
    sids = (
        '{node: gate, sid: "fc00:a::b6", behavior: End.B6.Encaps, policy: {segments: ["fc00:b::e", "fc00:b::6"]}}',
        '{node: exit, sid: "fc00:b::6", behavior: End.DT6, table: 254}',
    )
    found = next(one for one in planned(with_sids(*sids)).node("gate").local_sids if one.policy)
    assert (found.nic, found.parameters) == ("eth2", ())
    assert found.policy == (ip_address("fc00:b::e"), ip_address("fc00:b::6"))


@pytest.mark.parametrize(("flavor", "prefix"), [("PSP", "fc00:b:7::/128"), ("NEXT-CSID", "fc00:b:7::/48")])
def test_a_sid_with_next_csid_takes_what_follows_it(flavor: str, prefix: str) -> None:
    text = with_sids(f'{{node: exit, sid: "fc00:b:7::", behavior: End, flavors: [{flavor}]}}')
    found = planned(text).node("exit").local_sids[-1]
    assert (str(found.prefix), found.flavors) == (prefix, (flavor,))


PROBLEMS: dict[str, tuple[Callable[[str], str], str]] = {
    "a route over no link": (lambda text: text.replace('via: "2001:ab::2"', 'via: "2001:cd::2"'), '"2001:cd::2"'),
    "a next hop on no link": (lambda text: text.replace("nh4: 10.0.1.1", "nh4: 10.9.9.9"), "nh4: 10.9.9.9"),
    "no route to the first segment": (
        lambda text: text.replace('routes: [{prefix: "fc00:b::/64", via: "2001:ab::2"}]', "routes: []"),
        '["fc00:b::e", "fc00:b::d4"]',
    ),
    "no route to the first segment of a binding SID": (
        lambda text: text.replace(
            '  - {node: exit, sid: "fc00:b::e", behavior: End}',
            '  - {node: exit, sid: "fc00:b::e", behavior: End}\n'
            '  - {node: far, sid: "fc00:c::6", behavior: End.DT6, table: 254}\n'
            '  - {node: exit, sid: "fc00:b::b6", behavior: End.B6.Encaps, policy: {segments: ["fc00:c::6"]}}',
        ).replace("links:\n", 'links:\n  - {name: side, prefix: "2001:fa::/64", endpoints: ["gate:eth3", "far:eth1"]}\n')
        .replace("  east:", '  far: {role: router, locator: "fc00:c::/64"}\n  east:'),
        'policy: {segments: ["fc00:c::6"]}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_planned_is_told_at_its_place(name: str) -> None:
    break_it, place = PROBLEMS[name]
    text = break_it(SMALL)
    with pytest.raises(TopologyError) as caught:
        planned(text)
    lines = text.splitlines()
    assert any(
        place in lines[problem.location.line - 1][max(0, problem.location.column - 30) :]
        and problem.location.file == "small.yml"
        for problem in caught.value.problems
    ), caught.value
    assert all(problem.mend for problem in caught.value.problems)


def test_all_that_cannot_be_planned_is_told_at_once() -> None:
    """Straight to `plan`: the loader's checks would speak first."""
    lab = loads(SMALL, "small.yml")
    gate = lab.topology.nodes["gate"]
    routes = [{"prefix": "fc00:d::/64", "via": f"2001:cd::{number}"} for number in (1, 2)]
    broken = type(gate).model_validate({**gate.model_dump(by_alias=True), "routes": routes})
    nodes = {**lab.topology.nodes, "gate": broken}
    with pytest.raises(TopologyError) as caught:
        plan(lab.topology.model_copy(update={"nodes": nodes}), lab.source.locate)
    said = str(caught.value)
    assert "gate has no link on which 2001:cd::1 lies" in said
    assert "gate has no link on which 2001:cd::2 lies" in said
    assert "gate has no route to its first segment fc00:b::e" in said


STATIC = SMALL.replace("exit: {role: router,", "exit: {role: sr-proxy,").replace(
    "local_sids:\n",
    """services:
  ids: {node: exit, netns: ids, engine: auto, rules: icmp.rules, ports: [{outside: va, inside: ia, prefix: 10.8.0.0/24}, {outside: vb, inside: ib, prefix: 10.9.0.0/24}]}
local_sids:
  - {node: exit, sid: "fc00:b::a5", behavior: End.AS4, service: ids, policy: {segments: ["fc00:a::d4"]}}
""",
)


@pytest.mark.parametrize(
    ("old", "new", "source"),
    [
        ("", "", "fc00:b::1"),  # the loopback
        ('loopback: "fc00:b::1/64"', 'loopback: "fc00:b::1/64", tunnel_source: "2001:ab::2"', "2001:ab::2"),
        ('loopback: "fc00:b::1/64", ', "", "2001:ab::2"),  # the NIC that leads there
        ('policy: {segments: ["fc00:a', 'policy: {source: "fc00:b::9", segments: ["fc00:a', "fc00:b::9"),
    ],
)
def test_where_the_tunnel_of_a_static_proxy_begins(old: str, new: str, source: str) -> None:
    (proxy,) = planned(STATIC.replace(old, new)).node("exit").proxies
    assert (str(proxy.source), proxy.policy) == (source, (ip_address("fc00:a::d4"),))
    assert (proxy.to, proxy.back) == ("va", "vb")


def test_a_static_proxy_needs_a_way_to_its_policy() -> None:
    with pytest.raises(TopologyError) as caught:
        planned(STATIC.replace('routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}]', "routes: []"))
    assert "exit has no route to its first segment fc00:a::d4" in str(caught.value)


def chain(length: int) -> dict[str, Any]:
    """Routers in a row; each has a SID, a route each way, and a policy over its neighbor's."""
    nodes, links, sids, steering = {}, [], [], []
    for number in range(length):
        routes = []
        if number:
            routes.append({"prefix": "fc00::/16", "via": f"2001:{number - 1:x}::1"})
        if number < length - 1:
            routes.append({"prefix": f"fc00:{number + 1:x}::/64", "via": f"2001:{number:x}::2"})
            ends = [f"n{number}:eth2", f"n{number + 1}:eth1"]
            links.append({"name": f"l{number}", "prefix": f"2001:{number:x}::/64", "endpoints": ends})
            steering.append(
                {
                    "headend": f"n{number}",
                    "match": {"prefix": f"2001:db8:{number:x}::/48"},
                    "to": {"segments": [f"fc00:{number + 1:x}::e"]},
                }
            )
        nodes[f"n{number}"] = {"role": "router", "locator": f"fc00:{number:x}::/64", "routes": routes}
        sids.append({"node": f"n{number}", "sid": f"fc00:{number:x}::e", "behavior": "End"})
    return {"name": "chain", "nodes": nodes, "links": links, "local_sids": sids, "steering": steering}


def chain_text(length: int) -> str:
    import json

    return json.dumps(chain(length), indent=1)  # JSON is YAML


def test_a_chain_of_a_thousand_nodes_is_loaded_and_planned() -> None:
    """How long it takes is held by the lines that it runs, below: a second is another one on each machine."""
    found = planned(chain_text(1000))
    assert len(found.nodes) == 1000
    assert all(machine.steering for machine in found.nodes[:-1])


def _lines(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work runs: the same on every machine."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_planning_a_chain_of_twice_the_length_takes_about_twice_the_work() -> None:
    work = {}
    for length in (100, 200, 400):
        lab = loads(chain_text(length), "chain.yml")
        work[length] = _lines(lambda lab=lab: plan(lab.topology, lab.source.locate))  # type: ignore[misc]
    assert work[400] / work[200] < 2.3, work
    assert work[200] / work[100] < 2.3, work


def hardware(above: str, gate: str = "") -> dict[str, tuple[str, str | None, int, int]]:
    """What each machine is made of, with text above `nodes:` and in the node `gate`."""
    text = SMALL.replace("nodes:\n", f"{above}nodes:\n", 1)
    text = text.replace("gate: {role: router,", f"gate: {{role: router, {gate}", 1)
    return {one.name: (one.box, one.box_version, one.memory, one.cpus) for one in planned(text).nodes}


PLAIN = ("bento/debian-12", None, 1024, 1)
CORE = "groups: {core: {members: [gate, exit], box: c/d, memory: 2048}, big: {members: [gate], cpus: 4}}\n"
DEFAULTS = "defaults: {memory: 512, cpus: 2}\n"


def test_a_machine_is_the_usual_one_if_nobody_says_otherwise() -> None:
    assert set(hardware("").values()) == {PLAIN}


def test_a_node_goes_before_its_groups_and_they_before_the_defaults() -> None:
    found = hardware(CORE + DEFAULTS, "memory: 4096, ")
    assert found["gate"] == ("c/d", None, 4096, 4)
    assert found["exit"] == ("c/d", None, 2048, 2)
    assert found["west"] == ("bento/debian-12", None, 512, 2)


@pytest.mark.parametrize(
    ("above", "gate", "box", "version"),
    [
        ('defaults: {box_version: "1"}\n', "", PLAIN[0], "1"),
        ('defaults: {box: a/b, box_version: "1"}\n', "", "a/b", "1"),
        ('defaults: {box: a/b, box_version: "1"}\n', 'box_version: "2", ', "a/b", "2"),
        ('defaults: {box: a/b, box_version: "1"}\n', "box: x/y, ", "x/y", None),
        ('defaults: {box: a/b, box_version: "1"}\n' + CORE, "", "c/d", None),
        (CORE, 'box_version: "3", ', "c/d", "3"),
    ],
)
def test_a_version_is_that_of_its_own_box(above: str, gate: str, box: str, version: str | None) -> None:
    assert hardware(above, gate)["gate"][:2] == (box, version)


def test_a_node_that_says_it_itself_settles_what_its_groups_dispute() -> None:
    groups = "groups: {one: {members: [gate], cpus: 2}, two: {members: [gate], cpus: 3}}\n"
    with pytest.raises(TopologyError, match="gate is also in group one, which says `cpus: 2`"):
        hardware(groups)
    assert hardware(groups, "cpus: 8, ")["gate"] == (*PLAIN[:3], 8)


def test_groups_that_say_the_same_agree() -> None:
    groups = "groups: {one: {members: [gate], cpus: 2}, two: {members: [gate], cpus: 2, memory: 256}}\n"
    assert hardware(groups)["gate"] == (*PLAIN[:2], 256, 2)


def test_a_plan_is_a_value_that_can_be_sent_elsewhere_with_its_places_in_the_file() -> None:
    found = planned()
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.locate("exercises", 0, "expect", "packets", 1).line > found.locate("exercises", 0).line
    assert found.locate("nodes", "nobody") == found.locate()
