"""The parts of a SID as FRR cuts them: block and node make the locator, the function stands behind it."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv6Address, IPv6Network

from srv6lab.topology.routing.locator import SidStructure

# What FRR takes for each part, in bits.
SHORTEST, LONGEST = 16, 64
NODE = 24  # of its own choice, where the locator has room for it
# RFC 9252 section 4: FRR puts a function that fits an MPLS label into one, and takes it out of the SID.
LABEL = 20
WHOLE, SHORT = 32, 16  # functions that stay in the SID, and those that don't


def structure_of(
    locator: IPv6Network, sids: Collection[IPv6Address] = (), vpns: bool = False
) -> SidStructure:
    """The structure of a node that doesn't say its own: with `vpns`, of which `sids` are written down, functions that stay
    in the SID where all of these fit that. It needs a locator of 32 bits or more: a shorter one has no room for block
    and node."""
    length = locator.prefixlen
    node = min(max(NODE if length >= SHORTEST + NODE else SHORTEST, length - LONGEST), length)
    function = WHOLE if (vpns or sids) and all(function_in(locator, sid, WHOLE) for sid in sids) else SHORT
    return SidStructure(block=length - node, node=node, function=function)


def function_in(locator: IPv6Network, sid: IPv6Address, length: int) -> int | None:
    """The function of a SID in a locator as a number, if it has so many bits; None if the SID says more than that, or
    nothing: functions count from 1 on."""
    behind = 128 - locator.prefixlen - length
    if behind < 0 or sid not in locator:
        return None
    function, rest = divmod(int(sid) - int(locator.network_address), 1 << behind)
    return function if not rest and 1 <= function < 1 << length else None
