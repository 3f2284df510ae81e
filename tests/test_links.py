"""Links as people have them: several prefixes, several addresses of a NIC and of `lo`, a MAC and an MTU of one end."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
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
    assert [str(one) for one in gate.addresses] == ["10.0.1.2/24", "10.0.1.9/24", "fd00:1::2/64"]
    assert gate.of(6) == ip_interface("fd00:1::2/64")
    assert lab.node("gate").loopback == ip_interface("fc00:a::1/64")
    assert ip_address("10.255.0.1") in lab.node("gate").addresses()


def test_link_local_addresses_are_no_target_of_a_probe() -> None:
    lab = yaml.safe_load(DUAL.read_text("utf-8"))
    lab["links"].append({"name": "idle", "prefix": "fe80::/64", "endpoints": ["west:eth2", "east:eth2"]})
    node = planned(yaml.safe_dump(lab)).node("west")
    assert not [one for one in node.addresses() if one.is_link_local]
    assert str(node.nics[1].address) == "fe80::1/64"


@pytest.fixture(scope="module")
def dual(bring_up: Any) -> Up:
    lab: Up = bring_up(str(DUAL))
    return lab


def test_a_lab_of_both_families_passes(dual: Up) -> None:
    (verdict,) = check(dual.running, dual.plan, ["four"], silent)
    assert verdict.status is Status.PASS, not_passed(verdict)
    assert "10.0.1.9/24" in dual.sh("gate", "ip -4 -o address show dev eth1")
    assert "10.255.0.1/32" in dual.sh("gate", "ip -4 -o address show dev lo")
    assert "mtu 1400" in dual.sh("east", "ip link show dev eth1")
    assert "02:00:00:00:01:01" in dual.sh("west", "cat /sys/class/net/eth1/address")


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
