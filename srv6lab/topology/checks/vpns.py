"""Checks of VPNs: what they stand on."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, did_you_mean
from srv6lab.topology.checks.routers import routers


@check
def vrf_unknown(view: Facts, locate: Locate) -> Iterator[Problem]:
    for nics in view.nics.values():
        for nic in nics:
            node, vrf = view.nodes.get(nic.endpoint.node), nic.endpoint.vrf
            if vrf is not None and node is not None and vrf not in node.vrfs:
                mend = did_you_mean(
                    vrf, frozenset(node.vrfs), f"name it under nodes.{nic.endpoint.node}.vrfs"
                )
                yield Problem(locate((*nic.path, "vrf")), f"{nic.endpoint.node} has no VRF {vrf}", mend)


@check
def vrf_needs(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What a VPN stands on: BGP to tell of it, a locator for its SID, a loopback to encapsulate from."""
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            path = ("nodes", name, "vrfs", vrf)
            for key, why in (("bgp", "to tell of it"), ("loopback", "to encapsulate from")):
                if getattr(node, key) is None:
                    what = f"the VPN {vrf} needs `{key}` on {name} {why}"
                    yield Problem(locate(path, key=True), what, f"give {name} `{key}`")
            if node.locator is None or found.sid not in node.locator:
                what = f"{found.sid} isn't in the locator of {name}"
                yield Problem(locate((*path, "sid")), what, f"take a SID in {node.locator or 'a locator'}")
