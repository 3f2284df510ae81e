"""Checks of what headends do with a packet: insert an SRH, and where its outer header begins."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.network import special
from srv6lab.topology.checks.registry import Locate, check, warning
from srv6lab.topology.model import Node


@check
def inserted_into_ipv6(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        prefix = item.value.match.prefix
        if item.value.mode != "inline" or prefix is None:
            continue
        if prefix.version == 4:
            what = f"`inline` puts an SRH into an IPv6 packet, and {prefix} is IPv4"
            yield Problem(locate((*item.path, "mode")), what, "take `encap`, or an IPv6 prefix")
        elif not item.value.segments:
            what = "`inline` takes segments of its own, and here an SR policy decides"
            yield Problem(locate((*item.path, "mode")), what, "take `encap`, or `to: {segments: […]}`")


@check
def inserted_segments_go_on(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Behind the last segment the packet still has its own destination to go to."""
    for listed in view.segment_lists:
        for index, segment in enumerate(listed.segments if listed.inserted else ()):
            owner, _ = view.owner(segment)
            behavior = BEHAVIORS.get(owner.value.behavior) if owner else None
            if behavior is not None and behavior.takes:
                what = f"{segment} is {behavior.name}, and with `inline` there is no inner packet to take out"
                mend = "`inline` goes over End, End.X and End.T; the packet's own destination is the last segment"
                yield warning(locate((*listed.path, index)), what, mend)


@check
def tunnel_source_is_its_own(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        source = node.tunnel_source
        if source is None:
            continue
        where = locate(("nodes", name, "tunnel_source"))
        if source.is_unspecified or special(source):
            kind = "the unspecified address" if source.is_unspecified else f"for {special(source)}"
            yield Problem(
                where, f"{source} can't be a tunnel's source: it is {kind}", "take an address of the node"
            )
        elif view.clear(name) and not _of_node(view, name, node, source):
            what = (
                f"{source} is in no prefix of {name}, so what is said of its tunnels doesn't come back to it"
            )
            yield warning(where, what, f"take the loopback of {name}, or an address of its links")


def _of_node(view: Facts, name: str, node: Node, source: IPv6Address) -> bool:
    own = [one for one in (node.locator, node.loopback.network if node.loopback else None) if one]
    return view.on_link(name, source) or any(source in prefix for prefix in own)
