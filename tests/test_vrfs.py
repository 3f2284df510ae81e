"""VRFs without BGP: what the model makes of them, what their commands ask, and that the kernel does the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from srv6lab.cli.tasks import check
from srv6lab.evidence.prediction import Leg
from srv6lab.evidence.verdict import Status
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.in_vrfs import asked_in_vrfs
from srv6lab.predict import predict
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import day0_script
from srv6lab.topology.actions.link import LinkAction
from tests.conftest import silent
from tests.small import planned

# red and blue have the same addresses; exit takes red's by one SID for both families, blue's by one each.
SITES = """\
name: sites
nodes:
  reda: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.1.2}, {prefix: "::/0", via: "2001:db8:1::2"}]}
  bluea: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.1.2}, {prefix: "::/0", via: "2001:db8:1::2"}]}
  redb: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.2.2}, {prefix: "::/0", via: "2001:db8:2::2"}]}
  blueb: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.2.2}, {prefix: "::/0", via: "2001:db8:2::2"}]}
  gate:
    role: router
    locator: "fc00:1::/64"
    loopback: "fc00:1::1/64"
    vrfs: {red: {table: 100}, blue: {table: 200}}
    routes: [{prefix: "fc00:3::/64", via: "2001:12::2"}, {prefix: "fc00:2::/64", via: "2001:13::2"}]
  mid: {role: router, locator: "fc00:2::/64", loopback: "fc00:2::1/64", routes: [{prefix: "fc00:1::/64", via: "2001:13::1"}, {prefix: "fc00:3::/64", via: "2001:23::2"}]}
  exit:
    role: router
    locator: "fc00:3::/64"
    loopback: "fc00:3::1/64"
    vrfs: {red: {table: 100}, blue: {table: 200}}
    routes: [{prefix: "fc00:1::/64", via: "2001:12::1"}, {prefix: 10.7.0.0/16, via: 10.0.2.1, vrf: red}]
links:
  - {name: red-1, prefix: [10.0.1.0/24, "2001:db8:1::/64"], endpoints: ["reda:eth1", {at: "gate:eth1", vrf: red}]}
  - {name: blue-1, prefix: [10.0.1.0/24, "2001:db8:1::/64"], endpoints: ["bluea:eth1", {at: "gate:eth2", vrf: blue}]}
  - {name: net12, prefix: "2001:12::/64", mtu: 2000, endpoints: ["gate:eth3", "exit:eth3"]}
  - {name: net13, prefix: "2001:13::/64", mtu: 2000, endpoints: ["gate:eth4", "mid:eth1"]}
  - {name: net23, prefix: "2001:23::/64", mtu: 2000, endpoints: ["mid:eth2", "exit:eth4"]}
  - {name: red-2, prefix: [10.0.2.0/24, "2001:db8:2::/64"], endpoints: ["redb:eth1", {at: "exit:eth1", vrf: red}]}
  - {name: blue-2, prefix: [10.0.2.0/24, "2001:db8:2::/64"], endpoints: ["blueb:eth1", {at: "exit:eth2", vrf: blue}]}
local_sids:
  - {node: gate, sid: "fc00:1::46", behavior: End.DT46, vrf: red}
  - {node: gate, sid: "fc00:1::4", behavior: End.DT4, vrf: blue}
  - {node: gate, sid: "fc00:1::6", behavior: End.DT6, table: 200}
  - {node: exit, sid: "fc00:3::46", behavior: End.DT46, vrf: red}
  - {node: exit, sid: "fc00:3::4", behavior: End.DT4, vrf: blue}
  - {node: exit, sid: "fc00:3::6", behavior: End.DT6, vrf: blue}
  - {node: exit, sid: "fc00:3::7", behavior: End.T, vrf: red}
  - {node: mid, sid: "fc00:2::e", behavior: End}
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24, vrf: red}, to: {segments: ["fc00:3::46"]}}
  - {headend: gate, match: {prefix: "2001:db8:2::/64", vrf: red}, to: {segments: ["fc00:2::e", "fc00:3::46"]}}
  - {headend: gate, match: {prefix: 10.0.2.0/24, vrf: blue}, to: {segments: ["fc00:3::4"]}}
  - {headend: gate, match: {prefix: "2001:db8:2::/64", vrf: blue}, to: {segments: ["fc00:3::6"]}}
  - {headend: exit, match: {prefix: 10.0.1.0/24, vrf: red}, to: {segments: ["fc00:1::46"]}, mode: encap.red}
  - {headend: exit, match: {prefix: "2001:db8:1::/64", vrf: red}, to: {segments: ["fc00:1::46"]}, mode: encap.red}
  - {headend: exit, match: {prefix: 10.0.1.0/24, vrf: blue}, to: {segments: ["fc00:1::4"]}}
  - {headend: exit, match: {prefix: "2001:db8:1::/64", vrf: blue}, to: {segments: ["fc00:1::6"]}}
exercises:
  - name: apart
    description: Both customers reach their own, the policies' two ways out of gate have two sources
    probes:
      - {id: red4, from: reda, to: redb, icmp: 2, answered: all}
      - {id: red6, from: reda, to: redb, icmp: 2, family: 6, answered: all}
      - {id: blue4, from: bluea, to: blueb, icmp: 2, answered: all}
      - {id: blue6, from: bluea, to: blueb, icmp: 2, family: 6, answered: all}
    expect: {packets: []}
  - name: routers
    description: What a router has in a VRF answers, near and far; what it has elsewhere doesn't
    probes:
      - {id: far4, from: reda, destination: 10.0.2.2, icmp: 1, answered: all}
      - {id: far6, from: reda, destination: "2001:db8:2::2", icmp: 1, answered: all}
      - {id: near4, from: reda, destination: 10.0.1.2, icmp: 1, answered: all}
      - {id: near6, from: reda, destination: "2001:db8:1::2", icmp: 1, answered: all}
      - {id: link, from: reda, destination: "2001:12::1", icmp: 1, answered: none}
      - {id: loopback, from: reda, destination: "fc00:1::1", icmp: 1, answered: none}
      - {id: core, from: reda, destination: "fc00:2::1", icmp: 1, answered: none}
      - {id: nowhere, from: bluea, destination: 10.7.0.1, icmp: 1, answered: none}
    expect: {packets: []}
  - name: hops
    description: A VRF is no hop, wherever the hop limit ends
    probes:
      - {id: six-1, from: reda, to: redb, icmp: 1, family: 6, hop_limit: 1}
      - {id: six-2, from: reda, to: redb, icmp: 1, family: 6, hop_limit: 2}
      - {id: six-3, from: bluea, to: blueb, icmp: 1, family: 6, hop_limit: 2}
      - {id: six-4, from: reda, to: redb, icmp: 1, family: 6, hop_limit: 3}
      - {id: four-1, from: reda, to: redb, icmp: 1, hop_limit: 1}
      - {id: four-2, from: reda, to: redb, icmp: 1, hop_limit: 2}
    expect: {packets: []}
  - name: next-segments
    description: A VRF's table has its links, but neither SIDs of the node nor what its policies lead to
    probes:
      - {id: on-link, from: mid, destination: "2001:db8:2::1", segments: ["fc00:3::7"], icmp: 1, answered: none}
      - {id: sid, from: mid, destination: "2001:db8:2::1", segments: ["fc00:3::7", "fc00:3::46"], icmp: 1, answered: none}
      - {id: exit, from: mid, destination: "2001:db8:2::1", segments: ["fc00:3::7", "fc00:1::46"], icmp: 1, answered: none}
    expect: {packets: []}
  - name: nic-down
    description: What a router says of a NIC of a VRF that is down
    apply: [{link: {at: "exit:eth1", state: down}}]
    probes:
      - {id: down6, from: reda, to: redb, icmp: 1, family: 6, answered: none}
      - {id: down4, from: reda, to: redb, icmp: 1, answered: none}
    expect: {packets: []}
"""


def ends(exercise: str, probe: str, leg: Leg = Leg.THERE) -> list[str]:
    """Where the walks of a probe end, and by which NIC they came there."""
    (found,) = (one for one in predict(planned(SITES), exercise) if one.probe == probe)
    return [f"{one.hops[-1].point} {one.end.delivered}" for one in found.linux if one.leg is leg]


def test_the_same_address_is_another_host_in_another_vrf() -> None:
    assert ends("apart", "red4") == ends("apart", "red6") == ["redb:eth1 True"]
    assert ends("apart", "blue4") == ends("apart", "blue6") == ["blueb:eth1 True"]
    assert ends("apart", "blue4", Leg.BACK) == ["bluea:eth1 True"]


def test_a_vrf_knows_its_own_addresses_and_none_of_the_node() -> None:
    assert ends("routers", "near4") == ["gate:eth1 True"]
    assert ends("routers", "far6") == ["exit:eth4 True"]  # by the SID: it came over p
    assert ends("routers", "loopback") == ends("routers", "link") == ["gate:eth1 False"]


def test_without_the_vrf_the_main_table_answers() -> None:
    text = SITES.replace('{at: "gate:eth1", vrf: red}', '"gate:eth1"')
    (found,) = (one for one in predict(planned(text), "routers") if one.probe == "loopback")
    assert [one.end.delivered for one in found.linux if one.leg is Leg.THERE] == [True]


def test_policies_leave_with_the_address_of_their_own_nic() -> None:
    red, blue = planned(SITES).node("gate").vrfs
    assert [(str(segment), str(source)) for segment, source in red.exits] == [
        ("fc00:3::46", "2001:12::1"),
        ("fc00:2::e", "2001:13::1"),
    ]
    assert {str(source) for _, source in blue.exits} == {"2001:12::1"}


def asked(cause: str, node: str = "gate", **about: object) -> list[tuple[str, str]]:
    one = suspect(cause, node, **about)
    return [(each.cause, " ".join(each.argv)) for each in asked_in_vrfs(planned(SITES), [one])]


def test_a_nic_of_a_vrf_is_asked_where_it_is() -> None:
    first, second = asked("nic-down", nic="eth2")
    assert first[0] == "nic-out-of-vrf" and "master blue" in first[1]
    show = "ip -oneline link show dev eth2"
    inside = f"if [ -e /run/netns/blue ]; then exec ip netns exec blue {show}; fi"
    assert second == ("nic-down", f"sh -c {inside}; exec {show}")


def test_the_other_end_of_a_vrf_s_link_is_down_because_of_it() -> None:
    assert [cause for cause, _ in asked("nic-down", "reda", nic="eth1")] == ["nic-out-of-vrf", "nic-down"]


def test_a_vrf_s_table_is_the_main_one_of_its_namespace() -> None:
    about = {"table": "100", "sid": "fc00:3::46", "destination": "10.0.2.1", "version": "-4", "nic": "eth3"}
    ((_, plain),) = asked("table-route-missing", "exit", **about)
    assert "netns" not in plain
    ((_, wrapped),) = asked("table-route-missing", "exit", **about, vrf="red")
    assert "exec red ip -4 route show table main match 10.0.2.1;" in wrapped
    assert wrapped.endswith("exec ip -4 route show table 100 match 10.0.2.1")


def test_what_is_in_no_vrf_is_asked_as_ever() -> None:
    assert asked("nic-down", nic="eth3") == [("nic-down", "ip -oneline link show dev eth3")]


def test_the_kernel_does_the_same(bring_up: Any, tmp_path: Path) -> None:
    """All hosts, all addresses of routers, and packets whose hops end at each router."""
    (path := tmp_path / "sites.yml").write_text(SITES)
    lab = bring_up(str(path))
    verdicts = check(lab.running, lab.plan, [one.name for one in lab.plan.exercises], silent)
    items = [item for verdict in verdicts for item in verdict.items]
    assert {item.status for item in items} == {Status.PASS}, [
        item for item in items if item.status is not Status.PASS
    ]
    assert len(items) > 150


def test_what_is_steered_in_a_vrf_begins_where_frr_lets_tunnels_begin() -> None:
    isis = "router_id: 1.1.1.{0}, isis: {{instance: x, net: 49.0001.0000.0000.000{0}.00}}"
    text = SITES
    for number in (1, 3):
        loopback = f'    loopback: "fc00:{number}::1/64"\n'
        said = isis.format(number).replace(", isis", "\n    isis")
        text = text.replace(loopback, f"{loopback}    {said}\n")
    text = text.replace("name: net12, ", "name: net12, isis: {network: point-to-point}, ")
    plan = planned(text)
    assert "ip sr tunsrc set fc00:1::1" in day0_script(plan, plan.node("gate"))


def test_nics_with_any_name_have_variables_that_bash_knows() -> None:
    """`$xe.1` is the variable xe, and `.1`."""
    text = SITES.replace("gate:eth", "gate:xe.")
    text = text.replace(
        "exercises:",
        """  - {headend: mid, match: {prefix: "2001:db8:2::/64", nic: ge-0-1}, to: {segments: ["fc00:3::46"]}}
exercises:""",
    ).replace("mid:eth1", "mid:ge-0-1")
    plan = planned(text.replace("mid:eth2", "mid:ge-0-2"))
    script = day0_script(plan, plan.node("mid")) + day0_script(plan, plan.node("gate"))
    down = LinkAction.model_validate({"link": {"at": "gate:xe.1", "state": "down"}})
    script += "".join(change.do for change in changes_of(plan, down))
    assert "$nic_ge_0_2" in script
    assert re.findall(r"\$\{?(?:xe|ge)\b.*", script) == []
