"""Where a probe of a segment list goes: over the list, to the endpoint and back to the headend."""

from __future__ import annotations

from ..behaviors import REGISTRY
from .identity import Address
from .sr_db import SrDb
from .view import Sids


def way(sids: Sids, endpoint: Address, db: SrDb, node: str) -> Sids | None:
    """The SIDs that a probe of a list to an endpoint visits, up to that: where a list hands packets out of SRv6,
    the node itself. None for a list that can't be probed."""
    target = db.owner(endpoint) if not endpoint.is_unspecified else None
    last = db.by_sid.get(sids[-1])
    if target and (last is None or (last.link.neighbor if last.link else last.node) != target):
        there = db.node_sid(target)
        sids = (*sids, there.sid) if there else sids
    found = []
    for sid in sids:
        known = db.by_sid.get(sid)
        if known and known.node == node:
            return None
        if known and not (known.behavior in REGISTRY and REGISTRY[known.behavior].goes_on):
            known = db.node_sid(known.node)
            if known is None:
                return None
        found.append(known.sid if known else sid)
    return tuple(found)
