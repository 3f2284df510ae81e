"""What an exercise may change in a lab while it runs."""

from __future__ import annotations

from typing import Literal

from srv6lab.topology.places import Place
from srv6lab.topology.scalars import (
    Model,
    Name,
    Network,
    PlaceText,
    V4Network,
)
from srv6lab.topology.steering import Steering


class SteeringAction(Model):
    """Replace the headend's policy for a prefix; taken back, the lab's own policy stands again."""

    steering: Steering


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


class FirewallAction(Model):
    """Put a rule in; taken back, it is gone."""

    firewall: Firewall


class Withdrawal(Model):
    """A node whose locator FRR no longer has."""

    node: Name


class WithdrawAction(Model):
    """Take a node's locator away from its routing protocols; taken back, it is announced again. What follows
    is waited for both times."""

    withdraw: Withdrawal


class Cut(Model):
    """A link by its name."""

    link: Name


class CutAction(Model):
    """Let nothing through a link, and tell nobody: its NICs stay up. Taken back, it carries packets again."""

    cut: Cut


Action = SteeringAction | FirewallAction | WithdrawAction | CutAction
