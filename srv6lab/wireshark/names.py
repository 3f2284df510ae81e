"""What the addresses of a lab are called in Wireshark: NODE:NIC for a NIC's, NODE for a loopback, NODE:BEHAVIOR for a SID.

An address that several have (customers' own in two VPNs) has the names of all. A SID that shares node and behavior with
another is told by its next hop, its VRF or else its last part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

from srv6lab.evidence.prediction import Prediction
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedSid

Address = IPv4Address | IPv6Address
LONGEST = 63  # Wireshark cuts a name behind so many bytes
_NO_NAME = re.compile(r"[^!-~]|[#,'\"\\`]")  # a hosts file parts words at spaces, and begins remarks with #


def names(plan: Plan, predictions: Iterable[Prediction] = ()) -> list[tuple[Address, str]]:
    """Every address of the plan with its name, then the destinations of predictions that are none of these: the SIDs of
    carriers, of which a node takes a whole prefix."""
    known: dict[Address, list[str]] = {}
    for address, name in (*_sids(plan), *_addresses(plan)):
        known.setdefault(address, []).append(name)
    for address, name in _carriers(plan, predictions):
        known.setdefault(address, []).append(name)
    return [(address, _joined(all_)) for address, all_ in known.items()]


def about(nic: Nic) -> str:
    """A NIC's link, its addresses and the other ends."""
    addresses = ", ".join(map(str, nic.addresses))
    ends = ", ".join(map(str, nic.peers))
    return f"link {nic.link}" + (f", {addresses}" if addresses else "") + (f", to {ends}" if ends else "")


def hosts(known: Iterable[tuple[Address, str]]) -> str:
    """A hosts file."""
    lines = [f"{address!s:39} {name}" for address, name in known]
    return "\n".join(["# Written by srv6lab: the names of this lab's addresses and SIDs.", *lines]) + "\n"


def clean(name: str) -> str:
    """A word that a hosts file can hold: of printing ASCII characters, without those that mean something there."""
    return _NO_NAME.sub("_", name)[:LONGEST] or "_"


def _joined(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return (
        clean("|".join(distinct))
        if len("|".join(distinct)) <= LONGEST
        else clean(f"{distinct[0]}|+{len(distinct) - 1}")
    )


def _addresses(plan: Plan) -> Iterator[tuple[Address, str]]:
    for nic in plan.traced():
        for address in nic.addresses:
            yield address.ip, str(nic.point)
    of_nics = {address.ip for nic in plan.nics() for address in nic.addresses}
    for node in plan.nodes:
        yield from ((address, node.name) for address in node.addresses() if address not in of_nics)


def _sids(plan: Plan) -> Iterator[tuple[Address, str]]:
    for node in plan.nodes:
        every = [sid.behavior.name for sid in node.local_sids]
        behaviors = Counter([*every, *(proxy.behavior.name for proxy in node.proxies)])
        for sid in node.local_sids:
            more = f"({_apart(plan, sid)})" if behaviors[sid.behavior.name] > 1 else ""
            yield sid.sid, f"{node.name}:{sid.behavior.name}{more}"
        for proxy in node.proxies:
            more = f"({proxy.service})" if behaviors[proxy.behavior.name] > 1 else ""
            yield proxy.sid, f"{node.name}:{proxy.behavior.name}{more}"


def _apart(plan: Plan, sid: PlannedSid) -> str:
    """What sets a SID apart from others of its node with the same behavior."""
    given = dict(sid.parameters)
    hop = given.get("nh6") or given.get("nh4")
    owner = next((node.name for node in plan.nodes if _has(node, hop)), "") if hop else ""
    return owner or sid.vrf or str(sid.sid).rstrip(":").rpartition(":")[2]


def _has(node: PlannedNode, address: str) -> bool:
    return any(str(one) == address for one in node.addresses())


def _carriers(plan: Plan, predictions: Iterable[Prediction]) -> Iterator[tuple[Address, str]]:
    """The longest prefix of a SID that a destination is in."""
    sids = [
        (sid.prefix, f"{node.name}:{sid.behavior.name}+")
        for node in plan.nodes
        for sid in node.local_sids
        if sid.prefix.prefixlen < 128
    ]
    exact = {address for address, _ in (*_sids(plan), *_addresses(plan))}
    traces = (trace for one in predictions for trace in (*one.rfc, *one.linux))
    headers = (header for trace in traces for hop in trace.hops for header in hop.packet.headers)
    for address in dict.fromkeys(header.destination for header in headers):
        fits = [(prefix.prefixlen, name) for prefix, name in sids if address in prefix]
        if fits and address not in exact:
            yield address, max(fits)[1]
