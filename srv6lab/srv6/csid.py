"""The flavor NEXT-CSID (RFC 9800 section 4.1): what follows a SID in its address is a list of shorter ones."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

from .outer import Outer
from .packet import Packet
from .results import NextCsid


def argument(outer: Outer, csid: NextCsid) -> int:
    """DA.Argument: what the destination has behind the SID's block, node and function."""
    return int(outer.header.destination) & ((1 << 128 - csid.block - csid.node_function) - 1)


def moved_up(outer: Outer, csid: NextCsid) -> Packet:
    """N05 to N07 of section 4.1.1: the argument takes the place of node and function."""
    behind = 128 - csid.block
    block = int(outer.header.destination) >> behind << behind
    destination = block | argument(outer, csid) << csid.node_function  # N05, N06
    hop_limit = outer.header.hop_limit - 1  # N07
    return outer.with_header(replace(outer.header, destination=IPv6Address(destination), hop_limit=hop_limit))
