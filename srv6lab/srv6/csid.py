"""The flavor NEXT-CSID (RFC 9800 section 4.1): what follows a SID in its address is a list of shorter ones.

Addresses in, addresses out: a lab's author writes carriers, and a router moves them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network


@dataclass(frozen=True, slots=True)
class NextCsid:
    """The flavor's lengths in bits: the locator block, and the locator node with the function
    (RFC 9800 section 4.1)."""

    block: int = 32
    node_function: int = 16

    def prefix(self, sid: IPv6Address) -> IPv6Network:
        """All destinations that the SID takes, whatever their argument."""
        return IPv6Network((sid, self.block + self.node_function), strict=False)

    def argument(self, destination: IPv6Address) -> int:
        """DA.Argument: what the destination has behind the SID's block, node and function."""
        return int(destination) & ((1 << 128 - self.block - self.node_function) - 1)

    def moved_up(self, destination: IPv6Address) -> IPv6Address:
        """N05 and N06 of section 4.1.1: the argument takes the place of node and function."""
        behind = 128 - self.block
        block = int(destination) >> behind << behind
        return IPv6Address(block | self.argument(destination) << self.node_function)
