"""What is steered by its destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from ..srv6.policy.identity import Address
from ..srv6.policy.steering import Color, ColorOnly


@dataclass(frozen=True, slots=True)
class Steered:
    """Packets to a prefix, in one routing table, go by the policy of one of the colors to an endpoint.

    `sid` comes behind the policy's segments: the service's at the endpoint (RFC 9256 section 8.4). `otherwise`
    is the rest of an `ip route` command for when no policy is to be used, none where there is no route then.
    """

    prefix: IPv4Network | IPv6Network
    endpoint: Address
    colors: tuple[Color, ...]
    sid: IPv6Address | None = None
    mode: str = "encap"
    table: int | None = None
    otherwise: tuple[str, ...] = ()


def read_steered(given: Mapping[str, Any]) -> Steered:
    """KeyError for what is missing, ValueError for what can't be."""
    return Steered(
        ip_network(given["prefix"]),
        ip_address(given["endpoint"]),
        tuple(Color(one["color"], ColorOnly.of(one.get("co", 0))) for one in given["colors"]),
        IPv6Address(given["sid"]) if "sid" in given else None,
        given.get("mode", "encap"),
        given.get("table"),
        tuple(given.get("otherwise", ())),
    )
