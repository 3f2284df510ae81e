"""What a headend judges by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address

from .identity import Address
from .shortest import Forest
from .sr_db import Link, SrDb

Sids = tuple[IPv6Address, ...]  # the first visited first


@dataclass(frozen=True)
class View:
    """A headend's name in its SR database, and the endpoints and lists whose probes don't come back."""

    node: str
    db: SrDb
    dead: frozenset[tuple[Address, Sids]] = frozenset()

    @cached_property
    def forest(self) -> Forest:
        return Forest(self.db.links)

    def egress_links(self, sid: IPv6Address) -> frozenset[Link]:
        """The links by which packets leave towards a SID. One of the headend's own leads out only over a link."""
        known = self.db.by_sid.get(sid)
        owner = known.node if known else self.db.owner(sid)
        if owner is None:
            return frozenset()
        if owner == self.node:
            return frozenset(link for link in self.db.links if known and link == known.link)
        return frozenset(link for link in self.forest.between(self.node, owner) if link.node == self.node)
