"""What an exercise changes in a running lab, as scripts for its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from srv6lab.plan.nodes import Nic, Plan, SteeredPrefix
from srv6lab.plan.planner import steered_prefix
from srv6lab.topology.actions import (
    Action,
    CutAction,
    Firewall,
    FirewallAction,
    InnerMatch,
    WithdrawAction,
)
from srv6lab.topology.steering import Steering

if TYPE_CHECKING:
    pass
from srv6lab.render.templates import template


@dataclass(frozen=True, slots=True)
class Change:
    """What an exercise changes in a node: scripts that do it, take it back, and print what it counted."""

    what: str
    node: str
    do: str
    undo: str
    count: str = ""
    counter: str = ""


def changes_of(plan: Plan, action: Action) -> tuple[Change, ...]:
    """An action of an exercise as scripts for its nodes. Taking back twice does no harm."""
    if isinstance(action, FirewallAction):
        return (_firewall(action.firewall),)
    if isinstance(action, WithdrawAction):
        return (_withdraw(plan, action.withdraw.node),)
    if isinstance(action, CutAction):
        return tuple(_cut(nic) for nic in plan.nics() if nic.link == action.cut.link)
    return (_steering(plan, action.steering),)


def _cut(nic: Nic) -> Change:
    put, take = (template("apply/cut.sh.j2", nic=nic.name, work=work) for work in ("put", "take"))
    return Change(f"{nic.point} takes nothing in: link {nic.link} is cut", nic.point.node, put, take)


def _firewall(firewall: Firewall) -> Change:
    inner = _inner_bits(firewall.inner) if firewall.inner else ()

    def script(work: str) -> str:
        return template("apply/firewall.sh.j2", firewall=firewall, inner=inner, work=work)

    counter = f"firewall {firewall.name}"
    what = f"{firewall.tool} on {firewall.at}, {firewall.chain}: {firewall.name}"
    return Change(what, firewall.node, script("put"), script("take"), script("count"), counter)


def _withdraw(plan: Plan, node: str) -> Change:
    routing = plan.node(node).routing

    def script(work: str) -> str:
        return template("apply/withdraw.sh.j2", routing=routing, work=work)

    return Change(f"{node} withdraws its locator", node, script("put"), script("take"))


def _steering(plan: Plan, steering: Steering) -> Change:
    node = plan.node(steering.headend)
    prefix = steering.match.prefix
    before = next((one for one in node.steering if one.prefix == prefix), None)
    routes = node.next_hops().get((prefix, None), ())

    def script(policy: SteeredPrefix | None) -> str:
        return template("apply/steering.sh.j2", policy=policy, routes=routes, prefix=prefix)

    what = f"{node.name} steers {prefix} over {', '.join(map(str, steering.segments))}"
    return Change(what, node.name, script(steered_prefix(node, steering)), script(before))


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
