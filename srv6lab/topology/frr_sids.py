"""The local SIDs that FRR's IS-IS binds by itself: of each locator that it announces the End, whose address is the
locator's (RFC 9352 section 7.2). Those of adjacencies have numbers that nobody knows before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Node


def isis_sids(nodes: Mapping[str, Node]) -> Iterator[LocalSid]:
    """With NEXT-CSID in a uSID locator."""
    for name, node in nodes.items():
        locator = node.every_locator.get(node.isis_locator)
        if node.isis and locator:
            flavors = (NEXT_CSID,) if locator.usid else ()
            sid = locator.prefix.network_address
            yield LocalSid(node=name, sid=sid, behavior="End", flavors=flavors)
