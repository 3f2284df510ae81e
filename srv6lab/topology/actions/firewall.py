"""`firewall`: one rule, and what it counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.places import Place
from srv6lab.topology.scalars import (
    Model,
    Name,
    Network,
    PlaceText,
    V4Network,
)


class InnerMatch(Model):
    """The inner IPv4 header behind an SRH, matched by its bytes."""

    source: V4Network | None = None
    destination: V4Network | None = None
    protocol: Literal["icmp", "tcp", "udp"] | None = None


class Firewall(Model):
    """One rule that drops (or with `verdict: accept` only counts), and the counter that it keeps.

    `tool: iptables` sees plain IPv4 in `chain`, `ip6tables` the first header of IPv6 and what comes behind its
    extension headers; `nftables` looks behind the SRH of an IPv6 packet for an `inner` IPv4 header.
    """

    name: Name
    at: PlaceText
    tool: Literal["iptables", "ip6tables", "nftables"]
    chain: Literal["INPUT", "FORWARD"] = "FORWARD"
    source: Network | None = None
    destination: Network | None = None
    protocol: Literal["icmp", "icmpv6", "tcp", "udp"] | None = None
    inner: InnerMatch | None = None
    verdict: Literal["drop", "accept"] = "drop"

    @property
    def place(self) -> Place:
        return Place.parse(self.at)


class FirewallAction(Action):
    """Put a rule in; taken back, it is gone."""

    firewall: Firewall

    def mentions(self) -> Iterator[Mention]:
        yield Mention("place", self.firewall.at, ("firewall", "at"))
