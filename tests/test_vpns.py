"""VPNs of BGP: which SIDs they get, what FRR is told of them, what VRFs learn, and what a kernel must have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.doctor.needs import of_lab
from srv6lab.errors import MachineError
from srv6lab.evidence.prediction import Leg
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.frr.vpn import beyond_namespaces
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.providers import vpn
from srv6lab.render.day0 import day0_script
from tests.small import planned

FOLDER = Path(__file__).with_name("public")
REFLECTED = (FOLDER / "vpn-two-families-reflected.yml").read_text("utf-8")
LEAKS = (FOLDER / "vpn-customers-and-leaks.yml").read_text("utf-8")
NEAR, FAR = (node.name for node in planned(LEAKS).nodes if node.routing and node.routing.vrfs)
CUSTOMER = next(node.name for node in planned(LEAKS).nodes if node.routing and not node.routing.vrfs)


def written(lab: Any) -> str:
    return str(yaml.safe_dump(lab, sort_keys=False))


def script_of(lab: Plan) -> str:
    return day0_script(lab, lab.node(NEAR))


def sids(lab: Plan, node: str) -> dict[str, list[tuple[str, str]]]:
    routing = lab.node(node).routing
    assert routing
    return {vrf.name: [(str(one.sid), one.behavior) for one in vrf.sids] for vrf in routing.vrfs}


def behind(lab: Plan, node: str, vrf: str) -> dict[str, str]:
    """The prefixes that a VRF sends into SRv6, with their SIDs."""
    return {str(one.prefix): str(one.sid) for one in expected_routes(lab)[node].vpns[vrf]}


@pytest.mark.parametrize(
    ("function", "first"), [(32, "fc00:0:1:0:100::"), (16, "fc00:0:1:100::"), (8, "fc00:0:1:8000::")]
)
def test_a_sid_that_is_chosen_is_a_function_of_the_node_s_own_length(function: int, first: str) -> None:
    lab = yaml.safe_load(REFLECTED)
    lab["nodes"][NEAR]["sid_structure"] = {"block": 32, "node": 16, "function": function}
    lab["nodes"][NEAR]["vrfs"]["blue"]["sid"] = "auto"
    found = sids(planned(written(lab)), NEAR)
    assert found["red"] == [(first, "End.DT46")]
    assert found["blue"][0] != found["red"][0]


def test_a_sid_that_is_taken_is_not_chosen() -> None:
    lab = yaml.safe_load(REFLECTED)
    lab["local_sids"] = [{"node": NEAR, "sid": "fc00:0:1:0:100::", "behavior": "End"}]
    lab["nodes"][NEAR]["vrfs"]["blue"]["sid"] = "fc00:0:1:0:101::"
    assert sids(planned(written(lab)), NEAR)["red"] == [("fc00:0:1:0:102::", "End.DT46")]


def test_behaviors_follow_the_families_of_a_vrf_unless_they_are_said() -> None:
    lab = planned(LEAKS)
    assert sids(lab, NEAR) == {
        "red": [("fc00:0:1:0:100::", "End.DT6")],
        "shop": [("fc00:0:1:0:101::", "End.DT4")],
        "services": [("fc00:0:1:0:102::", "End.DT4")],
    }
    assert sids(planned(REFLECTED), NEAR)["blue"] == [
        ("fc00:0:1:0:400::", "End.DT4"),
        ("fc00:0:1:0:600::", "End.DT6"),
    ]


def test_frr_is_told_of_one_sid_for_both_families_or_of_one_for_each() -> None:
    script = script_of(planned(REFLECTED))
    red, blue = script.split("router bgp 4200000000 vrf ")[1:]
    assert " sid vpn per-vrf export explicit fc00:0:1:0:100::\n address-family ipv4" in red
    assert "  sid vpn export" not in red and " sid vpn per-vrf" not in blue
    four, six = blue.split(" address-family ipv6 unicast\n")
    assert "  sid vpn export explicit fc00:0:1:0:400::\n" in four
    assert "  sid vpn export explicit fc00:0:1:0:600::\n" in six
    assert "  rd vpn export 10.0.0.1:101\n" in red and "  rt vpn import 4200000000:1 65001:7\n" in red


def test_functions_that_fit_labels_are_long_where_the_kernel_has_no_mpls() -> None:
    lab = yaml.safe_load(REFLECTED)
    assert "function_bits" not in script_of(planned(REFLECTED))
    lab["nodes"][NEAR]["sid_structure"] = {"block": 32, "node": 16, "function": 16}
    lab["nodes"][NEAR]["vrfs"]["blue"]["sid"] = "auto"
    script = script_of(planned(written(lab)))
    assert "function_bits=16\n" in script and "  function_bits=32\n" in script
    assert "block-len 32 node-len 16 func-bits $function_bits\n" in script


def test_both_families_come_over_a_reflector_and_static_routes_with_them() -> None:
    lab = planned(REFLECTED)
    assert behind(lab, FAR, "red") == dict.fromkeys(
        ("10.1.0.0/24", "2001:db8:1::/64", "10.9.0.0/24", "2001:db8:9::/64"), "fc00:0:1:0:100::"
    )
    assert behind(lab, FAR, "blue") == {
        "10.1.0.0/24": "fc00:0:1:0:400::",
        "2001:db8:1::/64": "fc00:0:1:0:600::",
    }
    only = planned(REFLECTED.replace("families: [vpnv4, vpnv6]", "families: [vpnv4]"))
    assert [*behind(only, FAR, "blue")] == ["10.1.0.0/24"], "nobody tells of IPv6"


def test_what_a_node_takes_from_another_vrf_goes_to_that_one_s_sid() -> None:
    lab = planned(LEAKS)
    assert behind(lab, NEAR, "shop") == {
        "10.2.0.0/24": "fc00:0:2:0:101::",
        "10.3.0.0/24": "fc00:0:1:0:102::",
    }
    apart = planned(LEAKS.replace(", import_vrf: [services]", ""))
    assert "10.3.0.0/24" not in behind(apart, NEAR, "shop")


def test_a_vrf_learns_of_its_customers_and_tells_them() -> None:
    found = expected_routes(planned(LEAKS))
    told = {(str(one.prefix), one.nic) for one in found[NEAR].over_links["red"]}
    assert told == {("2001:db8:a1::1/128", "eth2")}
    assert {str(one.prefix) for one in found[CUSTOMER].routes} == {"2001:db8:2::/64", "2001:db8:a2::1/128"}
    assert "shop" not in {vrf for vrf, routes in found[NEAR].over_links.items() if routes}


def test_a_vpn_knows_nothing_of_the_core() -> None:
    def ends(probe: str) -> list[bool]:
        found = next(one for one in predict(planned(REFLECTED), "routers") if one.probe == probe)
        return [one.end.delivered for one in found.linux if one.leg is Leg.THERE]

    assert (ends("link"), ends("near4"), ends("far6")) == ([False], [True], [True])


IPV6_LEAKS = LEAKS.replace("prefix: 10.1.0.0/24", 'prefix: [10.1.0.0/24, "2001:db8:11::/64"]').replace(
    "prefix: 10.3.0.0/24", 'prefix: [10.3.0.0/24, "2001:db8:13::/64"]'
)


def test_ipv6_from_vrf_to_vrf_takes_a_kernel_with_vrfs(monkeypatch: pytest.MonkeyPatch) -> None:
    served, not_served = planned(LEAKS), planned(IPV6_LEAKS)
    routing = not_served.node(NEAR).routing
    assert routing and [*beyond_namespaces(routing.vrfs)] == [
        ("shop", "services", "IPv6 routes"),
        ("services", "shop", "IPv6 routes"),
    ]
    needs = {need.why: need.names for need in of_lab(not_served)}
    assert needs[f"shop of {NEAR} takes IPv6 routes from services"] == ("VRF",)
    assert not any("takes" in need.why for need in of_lab(served))
    assert vpn.make_namespaces(served, without_vrfs)
    with pytest.raises(MachineError, match="shop takes IPv6 routes from services"):
        vpn.make_namespaces(not_served, without_vrfs)


def without_vrfs(_: str, *command: str) -> bool:
    """A node's kernel that has none, where all else that it is told ends well."""
    return "vrf-probe" not in " ".join(command)


SQUARE = (FOLDER / "vpn-over-a-square.yml").read_text("utf-8")


def test_the_next_hop_of_a_vpn_is_reached_by_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ways that cost the same: by a static route on each edge, but not where those are redistributed."""

    def pinned(lab: Plan) -> dict[str, list[tuple[str, str, str]]]:
        return {
            node.name: [(str(one.prefix), str(one.via), one.nic) for one in node.frr_routes()]
            for node in lab.nodes
            if node.frr_routes()
        }

    equal = planned(SQUARE)
    one, other = (node.name for node in equal.nodes if node.routing and node.routing.vrfs)
    assert pinned(equal) == {
        one: [("fc00:0:2::1/128", "2001:db8:a1::2", "eth2")],
        other: [("fc00:0:1::1/128", "2001:db8:a2::2", "eth2")],
    }
    assert "ipv6 route fc00:0:2::1/128 2001:db8:a1::2 $eth2" in day0_script(equal, equal.node(one))
    one_is_shorter = SQUARE.replace(
        '"2001:db8:b1::/64", mtu: 2000, isis: {}', '"2001:db8:b1::/64", mtu: 2000, isis: {metric: 20}'
    )
    assert pinned(planned(one_is_shorter)) == {}
    tells = planned(SQUARE.replace("0001.00}\n    bgp:", "0001.00, redistribute: [static]}\n    bgp:"))
    assert [*pinned(tells)] == [other]
    assert vpn.make_namespaces(equal, without_vrfs)
    with pytest.raises(MachineError, match=r"fc00:0:2::1, the next hop of red, is reached by several ways"):
        vpn.make_namespaces(tells, without_vrfs)
    assert not any(need.names == ("VRF",) for need in of_lab(equal))
    assert any(need.names == ("VRF",) for need in of_lab(tells))
