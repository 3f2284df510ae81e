"""Links as people have them: several prefixes, several addresses of a NIC and of `lo`, a MAC and an MTU of one end."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import check
from srv6lab.errors import MachineError
from srv6lab.evidence.verdict import Status
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.predict import predict
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.probe_packets import source_address
from srv6lab.predict.source import source
from srv6lab.providers.vagrant import refuse_bridges
from srv6lab.render.apply import changes_of
from srv6lab.render.containerlab import containerlab
from srv6lab.topology.actions.link import LinkAction
from srv6lab.topology.load import loads
from srv6lab.topology.model import Link
from tests.conftest import Up, silent
from tests.small import not_passed

DUAL = Path(__file__).parent / "labs" / "more" / "dual-stack.yml"


def planned(text: str) -> Plan:
    lab = loads(text, "links.yml")
    return plan(lab.topology, lab.source.locate)


@pytest.mark.parametrize(
    ("prefix", "ends", "left", "right"),
    [
        ("10.0.0.0/24", [{}, {}], ["10.0.0.1/24"], ["10.0.0.2/24"]),
        (["10.0.0.0/24", "2001:db8::/64"], [{}, {}], ["10.0.0.1/24", "2001:db8::1/64"], ["10.0.0.2/24", "2001:db8::2/64"]),
        (["10.0.0.0/24", "2001:db8::/64"], [{"address": "2001:db8::9"}, {}], ["10.0.0.1/24", "2001:db8::9/64"], ["10.0.0.2/24", "2001:db8::2/64"]),
        ("10.0.0.0/24", [{"address": ["10.0.0.9", "10.0.0.7"]}, {}], ["10.0.0.9/24", "10.0.0.7/24"], ["10.0.0.2/24"]),
        ("fe80::/64", [{}, {"address": "fe80::b"}], ["fe80::1/64"], ["fe80::b/64"]),
    ],
)  # fmt: skip
def test_the_addresses_of_both_ends(prefix: Any, ends: list[Any], left: list[str], right: list[str]) -> None:
    endpoints = [{"at": f"r{number}:eth1", **end} for number, end in enumerate(ends, 1)]
    link = Link.model_validate({"name": "core", "prefix": prefix, "endpoints": endpoints})
    assert [*map(str, link.interfaces(0))] == left
    assert [*map(str, link.interfaces(1))] == right


def test_what_one_end_says_of_itself_goes_first() -> None:
    lab = planned(DUAL.read_text("utf-8"))
    west, gate, east = (next(iter(lab.node(name).nics)) for name in ("west", "gate", "east"))
    assert west.mac == "02:00:00:00:01:01"
    assert (gate.mtu, east.mtu) == (1500, 1400)
    assert [str(one) for one in gate.addresses] == [
        "10.0.1.2/24",
        "10.0.1.9/24",
        "fd00:1::2/64",
        "fd00:1::9/64",
    ]
    assert gate.of(6) == ip_interface("fd00:1::2/64")
    assert lab.node("gate").loopback == ip_interface("fc00:a::1/64")
    assert ip_address("10.255.0.1") in lab.node("gate").addresses()


def test_link_local_addresses_are_no_target_of_a_probe() -> None:
    lab = yaml.safe_load(DUAL.read_text("utf-8"))
    lab["links"].append({"name": "idle", "prefix": "fe80::/64", "endpoints": ["west:eth2", "east:eth2"]})
    node = planned(yaml.safe_dump(lab)).node("west")
    assert not [one for one in node.addresses() if one.is_link_local]
    assert str(node.nics[1].address) == "fe80::1/64"


MANY = """\
name: many
nodes:
  here: {role: router, loopback: ["fc00:a::1/128", 10.255.0.1/32]}
  there: {role: router}
links:
  - name: wide
    prefix: ["fd00:1::/64", "2001:ab::/64", 10.0.1.0/24, 10.2.0.0/24]
    endpoints:
      - {at: "here:eth1", address: ["fd00:1::9", "fd00:1::2", "fd00:1::7", "2001:ab::5", "2001:ab::6", 10.0.1.9, 10.0.1.2, 10.2.0.4]}
      - "there:eth1"
  - {name: bare, prefix: "fe80::/64", endpoints: ["here:eth2", "there:eth2"]}
"""


@pytest.mark.parametrize(
    ("nic", "to", "via", "said"),
    [
        ("eth1", "fd00:1::1", None, "fd00:1::7"),  # of equal ones the last
        ("eth1", "2001:ab::1", None, "2001:ab::6"),
        ("eth1", "fc00:b::d4", "fd00:1::1", "fd00:1::7"),  # the label of fc00::/7
        ("eth1", "fc00:c::1", "2001:ab::1", "fd00:1::7"),  # whatever the next hop
        ("eth1", "2001:db8::1", "fd00:1::1", "2001:ab::6"),
        ("eth1", "10.9.0.1", "10.2.0.1", "10.2.0.4"),  # on the next hop's link
        ("eth1", "10.8.0.1", "10.0.1.1", "10.0.1.9"),  # of equal ones the first
        ("eth1", "10.6.0.1", None, "10.0.1.9"),
        ("eth2", "fe80::2", None, "fe80::1"),
        ("eth2", "fc00:b::d4", "fe80::2", "fc00:a::1"),  # nothing but link-local addresses there
        ("eth2", "10.6.0.1", None, "10.255.0.1"),
    ],
)  # fmt: skip
def test_the_source_of_what_leaves_by_a_nic(nic: str, to: str, via: str | None, said: str) -> None:
    """As `ip route get` of Linux 6.18 says it of a node with these addresses."""
    node = planned(MANY).node("here")
    by = next(one for one in node.nics if one.name == nic)
    assert str(source(node, by, ip_address(to), ip_address(via) if via else None)) == said


@pytest.fixture(scope="module")
def dual(bring_up: Any) -> Up:
    lab: Up = bring_up(str(DUAL))
    return lab


def test_a_lab_of_both_families_passes(dual: Up) -> None:
    for verdict in check(dual.running, dual.plan, ["four", "six"], silent):
        assert verdict.status is Status.PASS, not_passed(verdict)
    assert "10.0.1.9/24" in dual.sh("gate", "ip -4 -o address show dev eth1")
    assert "10.255.0.1/32" in dual.sh("gate", "ip -4 -o address show dev lo")
    assert "mtu 1400" in dual.sh("east", "ip link show dev eth1")
    assert "02:00:00:00:01:01" in dual.sh("west", "cat /sys/class/net/eth1/address")


def test_the_kernel_takes_the_source_that_the_model_says(dual: Up) -> None:
    for node in dual.plan.nodes:
        for to in [
            address for other in dual.plan.nodes if other is not node for address in other.addresses()
        ]:
            said = dual.sh(node.name, f"ip -o route get {to} || true").split()
            if "src" in said and "encap" not in said:
                assert said[said.index("src") + 1] == str(source_address(node, to)), (node.name, to)


def test_an_address_of_several_that_is_gone_is_named(dual: Up) -> None:
    dual.sh("exit", "ip address del 10.0.2.1/24 dev eth1")
    try:
        (verdict,) = check(dual.running, dual.plan, ["four"], silent)
    finally:
        dual.again()
    assert verdict.status is Status.FAIL
    assert {(one.cause, one.node) for one in verdict.suspects} == {("address-missing", "exit")}


def test_an_address_of_several_that_no_packet_needs_is_a_note(dual: Up) -> None:
    dual.sh("gate", "ip address del 10.0.1.9/24 dev eth1")
    try:
        (verdict,) = check(dual.running, dual.plan, ["four"], silent)
    finally:
        dual.again()
    assert verdict.status is Status.PASS
    assert any("10.0.1.9" in str(item) for item in verdict.items), "the drift is said"


# --- more than two ends


LAN = Path(__file__).parent / "labs" / "more" / "lan.yml"


def test_every_end_of_a_bridge_knows_the_others() -> None:
    lab = planned(LAN.read_text("utf-8"))
    near = lab.node("alpha").nics[0]
    assert near.bridged and [str(one) for one in near.peers] == ["beta:eth1", "gate:eth1"]
    assert [str(one) for one in lab.node("gate").nics[0].addresses] == ["10.0.1.3/24", "fd00:1::3/64"]
    assert {str(one.point) for one in lab.far_ends()[near.point]} == {"beta:eth1", "gate:eth1"}


def test_a_packet_goes_to_the_end_that_has_its_next_hop() -> None:
    lab = planned(LAN.read_text("utf-8"))
    (near,), (off,) = predict(lab, "neighbors"), predict(lab, "away")
    there, away = near.rfc[0], off.rfc[0]
    assert [str(hop.point) for hop in there.hops] == ["alpha:eth1", "beta:eth1"]
    assert [str(hop.point) for hop in away.hops][:2] == ["beta:eth1", "gate:eth1"]


def test_an_end_that_is_down_takes_no_carrier_from_the_others() -> None:
    lab = planned(LAN.read_text("utf-8"))
    down = LinkAction.model_validate({"link": {"at": "gate:eth1", "state": "down"}})
    changed = ModeledLab(lab, [down])
    alpha = lab.node("alpha").nics[0]
    assert changed.silent(alpha) == ""
    assert changed.across(alpha, ip_address("10.0.1.3")).point.node == "beta", "nobody has it any more"


def test_the_others_on_a_bridge_forget_the_mac_of_an_end_that_is_down() -> None:
    """Their carrier stays, so they would go on sending to it; of two ends one loses its carrier."""
    lab = planned(LAN.read_text("utf-8"))
    down = LinkAction.model_validate({"link": {"at": "gate:eth1", "state": "down"}})
    gate, *others = changes_of(lab, down)
    assert gate.node == "gate" and [one.node for one in others] == ["alpha", "beta"]
    assert all('ip neighbor flush dev "$eth1"' in one.do and "flush" not in one.undo for one in others)


def test_a_bridge_under_containerlab_is_a_node_of_its_own() -> None:
    lab = planned(LAN.read_text("utf-8"))
    topology = yaml.safe_load(containerlab(lab)["lan.clab.yml"])["topology"]
    ends = {
        end["interface"]
        for link in topology["links"]
        for end in link["endpoints"]
        if end["node"] == "bridge-floor"
    }
    assert ends == {"eth1", "eth2", "eth3"}
    commands = topology["nodes"]["bridge-floor"]["exec"]
    assert [line.split()[4] for line in commands if "master" in line] == ["eth1", "eth2", "eth3"]


def test_libvirt_has_no_links_of_three_ends() -> None:
    with pytest.raises(MachineError, match="link floor has 3 ends"):
        refuse_bridges("libvirt", planned(LAN.read_text("utf-8")))
    refuse_bridges("virtualbox", planned(LAN.read_text("utf-8")))
    refuse_bridges("libvirt", planned(DUAL.read_text("utf-8")))


@pytest.fixture(scope="module")
def lan(bring_up: Any) -> Up:
    lab: Up = bring_up(str(LAN))
    return lab


def test_a_bridge_shows_each_end_what_is_for_it(lan: Up) -> None:
    for verdict in check(lan.running, lan.plan, ["neighbors", "away"], silent):
        assert verdict.status is Status.PASS, not_passed(verdict)


def test_an_end_that_is_unplugged_is_named(lan: Up) -> None:
    lan.sh("gate", "ip link set dev eth1 down")
    try:
        near, off = check(lan.running, lan.plan, ["neighbors", "away"], silent)
    finally:
        lan.again()
    assert near.status is Status.PASS, not_passed(near)
    assert off.status is Status.FAIL
    assert ("nic-down", "gate") in {(one.cause, one.node) for one in off.suspects}


def test_what_an_end_sees_that_is_for_another_is_a_fault(lan: Up) -> None:
    """A host that takes its neighbor for the router: the packets come to the wrong end, and are seen there."""
    gate = lan.plan.node("gate").nics[0].mac
    lan.sh("alpha", f"ip neighbor replace 10.0.1.2 lladdr {gate} dev eth1 nud permanent")
    try:
        (near,) = check(lan.running, lan.plan, ["neighbors"], silent)
    finally:
        lan.sh("alpha", "ip neighbor del 10.0.1.2 dev eth1")
        lan.again()
    assert near.status is Status.FAIL
    assert ("neighbor", "alpha") in {(one.cause, one.node) for one in near.suspects}
