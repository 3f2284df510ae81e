"""Keys that people may look for and that aren't there: why not, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

_OF_ISIS: Mapping[str, tuple[str, str]] = {
    "flex_algo": (
        "FRR has Flex-Algo for MPLS only: it announces every SRv6 locator with algorithm 0, and passes over others",
        "let policies with `dynamic: {metric: …}` choose the ways, or `metric` of links",
    ),
    "metric_style": (
        "IS-IS has wide metrics only here: End.X SIDs are told in TLV 22, which has those (RFC 9352 section 8)",
        "take the key away",
    ),
    "topology": (
        "IS-IS has one topology here, for IPv4 and IPv6",
        "take the key away; each link between routers that speak IPv4 needs an IPv4 prefix",
    ),
}


def absent(place: str, key: str) -> tuple[str, str] | None:
    """What to say of an unknown key of the mapping `place`, None for one that nobody would look for."""
    return _OF_ISIS.get(key.replace("-", "_")) if place == "isis" else None
