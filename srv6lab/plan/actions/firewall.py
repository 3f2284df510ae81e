"""One rule of iptables, ip6tables or nftables, and what it counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.firewall import FirewallAction, InnerMatch


@changes.register
def _(action: FirewallAction, plan: Plan) -> tuple[PlannedChange, ...]:
    firewall = action.firewall
    values = {"firewall": firewall, "inner": _inner_bits(firewall.inner) if firewall.inner else ()}
    what = f"{firewall.tool} on {firewall.at}, {firewall.chain}: {firewall.name}"
    return (PlannedChange(what, firewall.place.node, "firewall", values, f"firewall {firewall.name}"),)


@changed.register
def _(action: FirewallAction, lab: ChangedLab) -> ChangedLab:
    return replace(lab, firewalls=(*lab.firewalls, action.firewall))


@needs.register
def _(action: FirewallAction, exercise: str) -> Iterator[tuple[str, str]]:
    yield f"{action.firewall.tool} rule", f"firewall {action.firewall.name} of exercise {exercise}"


@dataclass(frozen=True, slots=True)
class _Bits:
    """A field of the inner IPv4 header by its place, in bits (RFC 791 section 3.1)."""

    offset: int
    length: int
    value: str


_PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17}


def _inner_bits(inner: InnerMatch) -> tuple[_Bits, ...]:
    """nftables has no name for what lies behind an SRH, but reads any bits of it."""
    found = []
    if inner.protocol:
        found.append(_Bits(72, 8, str(_PROTOCOL_NUMBERS[inner.protocol])))
    for offset, network in ((96, inner.source), (128, inner.destination)):
        if network and network.prefixlen:
            value = int(network.network_address) >> (32 - network.prefixlen)
            found.append(_Bits(offset, network.prefixlen, hex(value)))
    return tuple(found)
