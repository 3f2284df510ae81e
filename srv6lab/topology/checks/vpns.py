"""Checks of VPNs: what they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.vpn_sids import behaviors, versions_of


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
            for key, needed, why in (
                ("bgp", "`bgp`", "to tell of it"),
                ("loopback", "an IPv6 address in `loopback`", "to encapsulate from"),
            ):
                if getattr(node, key) is None:
                    what = f"the VPN {vrf} needs {needed} on {name} {why}"
                    yield Problem(locate(path, key=True), what, f"give {name} {needed}")
            for index, sid in enumerate(found.sids):
                if node.locator is None or (isinstance(sid, IPv6Address) and sid not in node.locator):
                    what = (
                        f"{sid} isn't in the locator of {name}" if node.locator else f"{name} has no locator"
                    )
                    mend = (
                        f"take a SID in {node.locator}, or `auto`" if node.locator else "give it a `locator`"
                    )
                    yield Problem(locate((*path, "sid", index)), what, mend)


@check
def vpn_imports_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            path = ("nodes", name, "vrfs", vrf)
            if not found.import_targets and not found.import_vrf:
                what = f"{vrf} imports no routes: it has neither `import` nor `import_vrf`"
                yield Problem(locate(path, key=True), what, "name a route target under `import`")
            for index, other in enumerate(found.import_vrf):
                if other == vrf or other not in node.vpns:
                    what = (
                        f"{vrf} has its own routes already"
                        if other == vrf
                        else f"{name} has no VPN {other} whose routes {vrf} could take"
                    )
                    mend = did_you_mean(
                        other, frozenset(node.vpns) - {vrf}, f"name a VRF of {name} with `rd`"
                    )
                    yield Problem(locate((*path, "import_vrf", index)), what, mend)


@check
def two_sids_and_a_behavior(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            if found.behavior and len(found.sids) == 2:
                what = f"of two SIDs of {vrf} the first is End.DT4 and the second is End.DT6"
                yield Problem(
                    locate(("nodes", name, "vrfs", vrf, "behavior")), what, "take `behavior` away, or a SID"
                )


@check
def vpn_sid_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = (
        (sid, ("nodes", name, "vrfs", vrf, "sid", index))
        for name, node in routers(view)
        for vrf, found in node.vpns.items()
        for index, sid in enumerate(found.sids)
        if isinstance(sid, IPv6Address)
    )
    for sid, first, path in repeated(pairs):
        what = f"{sid} is already a SID of {first[3]} on {first[1]} ({line_of(locate, first)})"
        yield Problem(locate(path), what, "give each VPN a SID of its own, or `auto`")


OF_VPNS = ("vpnv4", "vpnv6")


@check
def rd_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """By it routes of two VRFs to one prefix are told apart (RFC 4364 section 4.1)."""
    for name, node in routers(view):
        pairs = ((one.rd, ("nodes", name, "vrfs", vrf)) for vrf, one in node.vpns.items())
        for rd, first, path in repeated(pairs):
            what = f"{first[3]} already has the route distinguisher {rd} ({line_of(locate, (*first, 'rd'))})"
            yield Problem(locate((*path, "rd")), what, "give each VRF of a node one of its own")


@check
def vpn_that_nobody_is_told(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        families = {family for one in (node.bgp.neighbors if node.bgp else ()) for family in one.families}
        alone = node.bgp is not None and not families & {*OF_VPNS}
        for vrf, found in node.vpns.items() if alone and view.nodes_known else ():
            if not found.import_vrf and not any(vrf in one.import_vrf for one in node.vpns.values()):
                what = f"nobody is told of the VPN {vrf}: no session of {name} speaks vpnv4 or vpnv6"
                mend = "add them to the `families` of a session, at both ends"
                yield warning(locate(("nodes", name, "vrfs", vrf), key=True), what, mend)


@check
def target_that_nobody_exports(view: Facts, locate: Locate) -> Iterator[Problem]:
    exported = {
        target for node in view.nodes.values() for one in node.vpns.values() for target in one.export_targets
    }
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            if exported & {*found.import_targets} or not view.nodes_known:
                continue  # what else it imports may be to come
            for index, target in enumerate(found.import_targets):
                what = f"no VRF exports {target}, so {vrf} gets no routes by it"
                mend = did_you_mean(target, frozenset(exported), "mend it here, or under `export`")
                yield warning(locate(("nodes", name, "vrfs", vrf, "import", index)), what, mend)


@check
def families_of_a_vpn(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A VPN tells of the families that its SIDs take."""
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            prefixes = (one for nic in view.nics.get(name, ()) if nic.vrf == vrf for one in nic.link.prefixes)
            names = behaviors(found, prefixes)
            versions = {version for one in names for version in versions_of(one)}
            taken = " and ".join(names)
            path = ("nodes", name, "vrfs", vrf)
            for index, network in enumerate(found.networks):
                if network.version not in versions:
                    what = f"{taken} of {vrf} takes no IPv{network.version}"
                    yield Problem(locate((*path, "networks", index)), what, "write `behavior: End.DT46`")
            for index, neighbor in enumerate(found.neighbors):
                for number, family in enumerate(neighbor.families):
                    if family not in {f"ipv{version}" for version in versions}:
                        where = (*path, "neighbors", index, "families", number)
                        what = f"{taken} of {vrf} takes no {family}, so it isn't spoken with {neighbor.node}"
                        mend = (
                            "a customer's router speaks `ipv4` and `ipv6`"
                            if family in OF_VPNS
                            else "write `behavior: End.DT46`, or give the VRF a link with both families"
                        )
                        yield Problem(locate(where), what, mend)
