"""Checks of frames that go into SRv6 whole, and of the NICs by which they come and go."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Item, Nic, Path
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.sr_policy import ColorTarget
from srv6lab.topology.steering import Steering


@check
def match_fits_the_mode(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        steering, match, path = item.value, item.value.match, (*item.path, "match")
        if not item.whole:
            continue
        if steering.of_frames and match.nic is None:
            what = (
                f"`mode: {steering.mode}` takes whole frames, and `match` names no NIC that they come in by"
            )
            yield Problem(locate(path), what, "add `nic: eth1`, a NIC of the headend")
        elif not steering.of_frames and match.prefix is None:
            frames = ", or `mode: l2encap` for whole frames" if match.nic else ""
            yield Problem(locate(path), "`match` has no `prefix`", f'add `prefix: "2001:db8:1::/64"`{frames}')
        elif steering.of_frames and (
            other := next((k for k in ("source", "table") if getattr(match, k)), "")
        ):
            what = f"frames are chosen by the NIC that they come in by, and not by `{other}`"
            yield Problem(locate((*path, other), key=True), what, f"take `{other}` away")


@check
def frames_by_color(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        if item.value.of_frames and isinstance(item.value.to, ColorTarget):
            what = f"`mode: {item.value.mode}` takes whole frames, and SR policies are for packets"
            yield Problem(locate((*item.path, "to")), what, "write `to: {segments: […]}`")


@check
def frames_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        node = view.nodes.get(item.value.headend)
        if item.value.of_frames and node is not None and node.role == "host":
            what = f"{item.value.headend} is a host, and Day0 of a host steers no frames"
            yield Problem(locate((*item.path, "headend")), what, f"give {item.value.headend} `role: router`")


@check
def circuit_is_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, node, nic in _circuits(view):
        known = {one.endpoint.nic for one in view.nics.get(node, ())}
        if nic not in known and view.knows(node) and view.clear(node):
            mend = did_you_mean(nic, known, f"connect {node} first")
            yield Problem(locate(path), f"{node} has no NIC {nic}", mend)


def _circuits(view: Facts) -> Iterator[tuple[Path, str, str]]:
    """The NICs that frames come in by, and those that SIDs hand them to."""
    for item in view.policies:
        if item.value.of_frames and item.value.match.nic:
            yield (*item.path, "match", "nic"), item.value.headend, item.value.match.nic
    for sid in view.local_sids:
        if sid.value.nic:
            yield (*sid.path, "nic"), sid.value.node, sid.value.nic


@check
def circuit_on_a_bridge(view: Facts, locate: Locate) -> Iterator[Problem]:
    """It takes frames for any MAC, and so those that are for other ends of the bridge."""
    links = {nic.endpoint.at: nic.link for nics in view.nics.values() for nic in nics}
    for path, node, nic in _circuits(view):
        link = links.get(f"{node}:{nic}")
        if link is not None and len(link.endpoints) > 2:
            what = f"frames come and go by {nic} of {node}, whose link {link.name} has {len(link.endpoints)} ends"
            yield Problem(locate(path), what, "take a NIC whose link has two ends")


@check
def circuit_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Frames are of no VRF: the NIC that they come in by says all."""
    vrfs = {nic.endpoint.at: nic.endpoint.vrf for nics in view.nics.values() for nic in nics}
    for path, node, nic in _circuits(view):
        if vrf := vrfs.get(f"{node}:{nic}"):
            what = f"frames come and go by {nic} of {node}, which is in the VRF {vrf}"
            yield Problem(locate(path), what, f"take the NIC out of {vrf}, or another one")
    for item in view.policies:
        if item.value.of_frames and item.value.match.vrf:
            what = "a VRF takes packets, and these are frames"
            yield Problem(locate((*item.path, "match", "vrf"), key=True), what, "take `vrf` away")


@check
def neighbors_share_a_prefix(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Nodes at both ends of the way take each other for neighbors."""
    for item, near, far in _ways(view):
        if {*near.link.prefixes} != {*far.link.prefixes}:
            here, there = (" and ".join(map(str, one.link.prefixes)) for one in (near, far))
            what = (
                f"frames of link {near.link.name} ({here}) come out on link {far.link.name}, "
                f"which has {there}"
            )
            mend = "give both links one prefix, and each of their nodes an address of its own"
            yield warning(locate((*item.path, "match", "nic")), what, mend)


@check
def neighbors_have_their_own_addresses(view: Facts, locate: Locate) -> Iterator[Problem]:
    """`address_twice` sees what is written; where nothing is, both links have the first of the prefix."""
    ends = {one.path: one for _, *both in _ways(view) for one in both}
    pairs = [(interface, path) for path, one in ends.items() for interface in one.interfaces]
    for interface, first, path in repeated(sorted(pairs, key=lambda pair: locate(pair[1]))):
        address, prefix = interface.ip, interface.network
        what = f"{ends[first].endpoint.node} has {address} in {prefix}, too ({line_of(locate, first)})"
        yield Problem(locate(path), what, f"SRv6 joins the two links: add `address: …` in {prefix}")


def _ways(view: Facts) -> Iterator[tuple[Item[Steering], Nic, Nic]]:
    """Of each steering of frames the NIC across the link that they come from, and that of the one they come to."""
    ends = {nic.endpoint.at: nic for nics in view.nics.values() for nic in nics}
    across = {
        at: ends[one.at]
        for at, nic in ends.items()
        for one in nic.link.endpoints
        if one.at != at and one.at in ends
    }
    for item in view.policies:
        one = item.value
        owner = view.owner(one.segments[-1])[0] if one.of_frames and one.segments else None
        near = across.get(f"{one.headend}:{one.match.nic}")
        far = across.get(f"{owner.value.node}:{owner.value.nic}") if owner else None
        if near and far:
            yield item, near, far
