"""Steering by flow (RFC 9256 section 8.6): packets are colored with a forwarding class as they come in, and each
class has a routing table of its own in front of the main one, which is that of class 0.

In Linux a class is a packet's mark, which nftables sets and `ip rule` reads. Where all of an array is as class 0,
no rule leads to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ..srv6.policy.identity import within
from ..srv6.policy.steering import FIRST_MARK, FIRST_PREFERENCE, FIRST_TABLE, FORWARDING_CLASSES

NFT_TABLE = "inet srv6lab_classes"
_PROTOCOLS = ("tcp", "udp")
Words = tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """Packets that all of these match have a forwarding class; None matches any. A port is the destination's,
    of a protocol."""

    forwarding_class: int
    source: IPv4Network | IPv6Network | None = None
    destination: IPv4Network | IPv6Network | None = None
    dscp: int | None = None
    protocol: str | None = None
    port: int | None = None
    mark: int | None = None

    def __post_init__(self) -> None:
        within("a forwarding class", self.forwarding_class, 0, FORWARDING_CLASSES - 1)
        within("a DSCP", self.dscp or 0, 0, 63)
        within("a port", self.port or 0, 0, 2**16 - 1)
        within("a mark", self.mark or 0, 0, 2**32 - 1)
        if self.protocol not in (None, *_PROTOCOLS):
            raise ValueError(f"a protocol is {' or '.join(_PROTOCOLS)}, and this is {self.protocol!r}")
        if self.port is not None and self.protocol is None:
            raise ValueError("a port needs its protocol")
        if self.source and self.destination and self.source.version != self.destination.version:
            raise ValueError("source and destination are of two families")


def read_flow(given: Mapping[str, Any]) -> Flow:
    rest = dict(given)
    networks: dict[str, Any] = {
        key: ip_network(rest.pop(key)) for key in ("source", "destination") if key in rest
    }
    return Flow(rest.pop("class"), **networks, **rest)


def rules(classes: frozenset[int]) -> Iterator[Words]:
    """The `ip rule` commands by which these classes have their tables, and the others none, whatever was before."""
    for number in range(1, FORWARDING_CLASSES):
        table, preference = str(FIRST_TABLE + number), str(FIRST_PREFERENCE + number)
        what = ("fwmark", hex(FIRST_MARK + number), "lookup", table, "pref", preference)
        verb = "add" if number in classes else "del"
        yield from (("ip", family, "rule", verb, *what) for family in ("-4", "-6"))


def ruleset(flows: Sequence[Flow]) -> str:
    """What `nft -f -` makes the marks of, in place of what it had. The first flow that matches counts."""
    lines = "".join(f"    {line}\n" for flow in flows for line in _lines(flow))
    chain = f"  chain classify {{\n    type filter hook prerouting priority mangle;\n{lines}  }}\n"
    return f"table {NFT_TABLE}\ndelete table {NFT_TABLE}\ntable {NFT_TABLE} {{\n{chain}}}\n"


def _lines(flow: Flow) -> Iterator[str]:
    """A line for each family that the flow may have."""
    networks = [one for one in (flow.source, flow.destination) if one is not None]
    for version in (4, 6):
        if all(one.version == version for one in networks):
            mark = f"meta mark set {FIRST_MARK + flow.forwarding_class:#x} accept"
            yield " ".join(
                [f"meta nfproto ipv{version}", *_matches(flow, "ip" if version == 4 else "ip6"), mark]
            )


def _matches(flow: Flow, family: str) -> Iterator[str]:
    if flow.mark is not None:
        yield f"meta mark {flow.mark:#x}"
    if flow.source is not None:
        yield f"{family} saddr {flow.source}"
    if flow.destination is not None:
        yield f"{family} daddr {flow.destination}"
    if flow.dscp is not None:
        yield f"{family} dscp {flow.dscp}"
    if flow.protocol is not None:
        yield (
            f"{flow.protocol} dport {flow.port}" if flow.port is not None else f"meta l4proto {flow.protocol}"
        )
