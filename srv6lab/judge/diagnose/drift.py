"""What differs from Day0 on a node: which of it a packet meets there, and where it is the cause of a failure.

A leftover that touches nothing is never accused: a rule for other packets, a shorter prefix than the planned one,
another NIC's setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_interface, ip_network

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Address
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.evidence.verdict import Item, Status, Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.everyday import packet_about, rule_about
from srv6lab.judge.diagnose.firewalls import Rule, acts, asks_for_mark, concerns, marks, sets_mark
from srv6lab.judge.diagnose.idle import other_than_idle
from srv6lab.judge.diagnose.lookups import REFUSING, inside, selects
from srv6lab.judge.diagnose.passing import Passing
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.scalars import Network

_SHOWN = 3  # lines of a difference that a cause quotes


def met(plan: Plan, differences: Sequence[Difference], ways: Sequence[Passing]) -> tuple[Difference, ...]:
    """Of what differs the lines that some packet meets."""
    found = []
    for one in differences:
        here = [way for way in ways if _through(way, one)]
        if one.section == "frr":  # what a router tells others, they go by: no packet has to pass it
            here = here or [Passing(plan.node(one.node), one.place, None, None)]
        others = [other for other in differences if other.place == one.place]
        touches = _TOUCHES.get(one.section, _of_nic)
        gone, new = (
            tuple(line for line in lines if any(touches(line, way, others) for way in here))
            for lines in other_than_idle(one, here)
        )
        if gone or new:
            found.append(replace(one, gone=gone, new=new))
    return tuple(found)


def without_learned(touching: Sequence[Difference]) -> tuple[Difference, ...]:
    """What differs, without routes that differ only because the FRR of another node tells something else."""
    told = {one.node for one in touching if one.section == "frr"}
    kept = []
    for one in touching:
        if one.section == "route" and told:
            gone, new = (
                tuple(line for line in lines if not _LEARNED.search(line)) for lines in (one.gone, one.new)
            )
            one = replace(one, gone=gone, new=new)
        kept += [one] if one.gone or one.new else []
    return tuple(kept)


_LEARNED = re.compile(r"\bproto (?:bgp|isis|ospf)\b")


def _through(way: Passing, one: Difference) -> bool:
    """Whether a packet's way is through the namespace; a VPN may have one of its own, of which no point tells."""
    return way.place == one.place or (way.node.name == one.node and one.netns in way.node.vrf_names())


def suspects_of_drift(
    items: Sequence[Item], predicted: Mapping[str, Prediction], touching: Sequence[Difference]
) -> Iterator[Suspect]:
    """What differs where the walks break, then on the way there, the nearest first; then elsewhere."""
    nodes = [*dict.fromkeys([*_before_the_break(items, predicted), *(one.node for one in touching)])]
    for node in nodes:
        told = [(one.section, line) for one in touching if one.node == node for line in one.told()]
        if told:
            lines = "; ".join(f"{section}: {line}" for section, line in told[:_SHOWN])
            more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
            sections = ",".join(dict.fromkeys(section for section, _ in told))
            yield suspect("differs", node, lines=lines + more, sections=sections)


def _before_the_break(items: Sequence[Item], predicted: Mapping[str, Prediction]) -> Iterator[str]:
    """Of each walk that broke the nodes, from where it broke back to where it began."""
    failed = {(item.probe, item.point, item.direction) for item in items if item.status is Status.FAIL}
    for prediction in predicted.values():
        for trace in prediction.linux:
            for index, hop in enumerate(trace.hops):
                if (prediction.probe, hop.point, hop.direction) in failed:
                    yield from (one.point.node for one in reversed(trace.hops[: index + 1]))
                    break


Touches = Callable[[str, Passing, Sequence[Difference]], bool]


def _of_nic(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A line of a NIC: of those that the packet comes and goes by, or of the loopback."""
    named = re.match(r"(\S+): <", line) or re.search(r"\bdev (\S+)", line) or re.match(r"(\S+) ", line)
    return named is not None and named.group(1) in {*way.nics(), "lo"}


def _of_neighbor(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A neighbor whom the packet goes to next: by a route, the plan's or a new one, or as its destination."""
    if not _of_nic(line, way, others):
        return False
    word, node = line.partition(" ")[0], way.node
    if line.endswith("proxy") or word.startswith("fe80:") or node.routing or node.proxies:
        return True  # whom others ask for, or whom the plan doesn't know
    routes = "\n".join(route for one in others if one.section == "route" for route in one.lines())
    known = {*map(str, way.addresses()), *(str(route.via) for route in node.routes)}
    return word in known or re.search(rf"\bvia (?:inet6 )?{re.escape(word)}(?!\S)", routes) is not None


def _of_address(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """An address of a NIC's, or of the packet's; one that is new on the loopback takes only what is in its network."""
    found = re.search(r"\binet6? (\S+/\d+)", line)
    own = ip_interface(found.group(1)) if found else None
    if own and line.startswith("lo ") and not way.node.routing and any(line in one.new for one in others):
        return any(end in own.network for end in way.addresses())
    return _of_nic(line, way, others) or bool(own and own.ip in way.addresses())


_TO_MANY = ("broadcast", "anycast", "multicast")
_ROUTE = re.compile(rf"(?:({'|'.join(_TO_MANY)}|local|blackhole|unreachable|prohibit|throw) )?(\S*)")


def _of_route(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A route that takes an address of the packet, and not less well than what the plan has."""
    found = _ROUTE.match(line)
    kind, word = found.groups() if found else ("", "")
    prefix, table = _prefix(word, line), re.search(r"\btable (\S+)", line)
    tos = re.search(r"\btos (\S+)", line)
    if (
        kind in _TO_MANY
        or not prefix
        or (tos and not any(one.packet.outer.traffic_class for one in way.hops()))
    ):
        return False
    if table and not _looked_into(table.group(1), way, others):
        return False
    gone = any(line in one.gone for one in others)
    return any(
        end in prefix and (gone or table or not _better(way.node, end, prefix, line))
        for end in way.addresses()
    )


def _prefix(word: str, line: str) -> Network | None:
    if word == "default":
        return ip_network("::/0" if re.search(r"\bvia \S*:|\bmetric 1024|\bvia inet6", line) else "0.0.0.0/0")
    try:
        return ip_network(word)
    except ValueError:
        return None


def _better(node: PlannedNode, end: Address, prefix: Network, line: str) -> bool:
    """Whether the plan has a longer prefix for an address, or as long a one and a metric that is preferred."""
    usual = 1024 if end.version == 6 else 0
    planned: list[tuple[Network, int]] = [(network, usual) for nic in node.nics for network in nic.networks()]
    planned += [(route.prefix, route.kernel_metric) for route in node.routes if route.table is None]
    planned += [(sid.prefix, usual) for sid in node.local_sids]
    planned += [(one.prefix, one.metric or usual) for one in node.steering if one.table is None]
    longest = max((one.prefixlen for one, _ in planned if end in one), default=-1)
    ranks = [rank for one, rank in planned if end in one and one.prefixlen == longest]
    metric = re.search(r"\bmetric (\d+)", line)
    worse = int(metric.group(1)) > min(ranks, default=usual) if metric else False
    return longest > prefix.prefixlen or (longest == prefix.prefixlen and worse)


def _looked_into(table: str, way: Passing, others: Sequence[Difference]) -> bool:
    """Whether packets are looked up in a table: by the plan, or by a rule that is new."""
    tables = {value for sid in way.node.local_sids for name, value in sid.parameters if name == "table"}
    tables |= {str(rule.table) for rule in way.node.rules}
    tables |= {str(one.table) for one in way.node.frames}
    by_rules = "\n".join(line for one in others if one.section == "rule" for line in one.lines())
    tables |= {str(vrf.table) for vrf in way.node.vrfs}
    known = table in ("local", "main") or table in tables or way.node.headend or way.node.services
    return bool(known) or re.search(rf"\blookup {re.escape(table)}\b", by_rules) is not None


def _of_rule(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A rule that takes the packet to a table with a route to it, or refuses it."""
    gone = any(line in one.gone for one in others)
    if gone and line.endswith(("lookup main", "lookup local")):
        return True
    text = re.sub(r"^(\d+): ", r"\1:\t", line)
    firewall = "\n".join(line for one in others if one.section == "firewall" for line in one.new)
    if not any(selects(text, firewall, about) for about in rule_about(way.node, way.came, way.out)):
        return False
    table = re.search(r"\blookup (\S+)", line)
    routes = [route for one in others if one.section == "route" for route in (*one.gone, *one.new)]
    filled = table and any(re.search(rf"\btable {re.escape(table.group(1))}\b", route) for route in routes)
    return bool(filled or gone) or any(re.search(rf"\b{word}\b", line) for word in REFUSING)


def _of_firewall(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A rule that takes the packet, as far as its selectors tell, and does something to it."""
    where, _, text = line.partition(": ")
    marked = marks(text) and any(
        "fwmark" in rule for one in others for rule in one.lines() if one.section == "rule"
    )
    if not (acts(text) or marked or text == "policy drop"):
        return False
    if not _is_set(asks_for_mark(text), way, others) or not _called(line, way, others):
        return False
    family = re.match(r"table (\w+)|(ip6?)tables", where)
    hook = re.search(r"\((\w+)(?: devices? =? ?\{? ?\"?([\w.-]+))?", where)
    known = (family.group(1) or family.group(2)) if family else ""
    rule = Rule(known, hook.group(1) if hook else "", (hook.group(2) or "") if hook else "", text)
    return concerns(rule, {"arp": ""} if known == "arp" else packet_about(*_at(rule.hook, way)))


def _is_set(mark: int | None, way: Passing, others: Sequence[Difference]) -> bool:
    """Whether a packet may have the mark that a rule asks for; a headend's and a service's own rules give some."""
    text = "\n".join(line for one in others if one.section == "firewall" for line in one.new)
    return mark is None or bool(way.node.headend or way.node.services) or sets_mark(text, mark)


def _called(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """Whether a packet comes to a rule's chain: by its hook, by a jump that takes it, or by one of Day0's."""
    where, _, text = line.partition(": ")
    table, _, chain = where.partition(" chain ")
    named = re.match(r"-A (\S+)", text)
    name = chain or (named.group(1) if named else "")
    leads = re.compile(rf"{re.escape(table)}\b.*(?:\b(?:jump|goto)|-j) {re.escape(name)}(?!\S)")
    lines = (each for one in others for each in (one.gone if line in one.gone else one.new))
    calls = [each for each in lines if name and leads.match(each)]
    return not calls or any(_of_firewall(call, way, others) for call in calls)


def _at(hook: str, way: Passing) -> tuple[Hop | None, Hop | None]:
    """What a hook sees of a packet: as it came, as it leaves, or both. Nobody traces a proxy's ports: there it sees both."""
    if way.node.proxies and not way.place.netns:
        return way.came, way.out
    came = None if hook in ("output", "postrouting", "egress") else way.came
    return came, None if hook in ("ingress", "prerouting", "input") else way.out


def _of_sysctl(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A switch of the node, or of a NIC that the packet comes or goes by, for the IP that the packet has there."""
    path = line.partition(" = ")[0]
    version = re.match(r"net\.ipv(\d)\.", path)
    if version and not any(end.version == int(version[1]) for end in way.addresses()):
        return False
    if _OF_ERRORS.match(path) and way.came and way.out:
        return False
    found = re.match(r"net\.ipv\d\.(?:conf|neigh)\.([^.]+)\.", path)
    if found and _OF_ARRIVALS.match(path) and way.came:
        return found.group(1) in {way.came.point.nic, "all"}
    if found:
        return found.group(1) in {*way.nics(), "all", "lo"} and not _OF_HOSTS.match(path)
    return not re.match(r"net\.ipv\d\.(?:tcp_|udp_|igmp_|inet_peer|xfrm|ping_|ip_local_|raw_)", path)


# Linux asks the NIC that a packet came by; of IPv6 it asks `all`, and a NIC only whether it learns from routers.
_OF_ARRIVALS = re.compile(r"net\.ipv4\.conf\.[^.]+\.(?:forwarding|rp_filter)$")
_OF_HOSTS = re.compile(r"net\.ipv6\.conf\.(?!all\.)[^.]+\.forwarding$")
_OF_ERRORS = re.compile(r"net\.ipv\d\.icmp")  # and of answers, which a node sends that a packet ends at


def _of_ipsec(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A policy of xfrm for a header of the packet."""
    found = re.match(r"src (\S+) dst (\S+)", line)
    ends = {(header.source, header.destination) for hop in way.hops() for header in hop.packet.headers}
    return found is not None and any(
        inside(str(source), found[1]) and inside(str(to), found[2]) for source, to in ends
    )


def _of_tunnels(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    return bool(way.out and any(name.startswith(("H.", "End.B6")) for name in way.out.behaviors))


def _of_hmacs(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A key of the HMAC that the packet has there."""
    srhs = (header.srh for hop in way.hops() for header in hop.packet.headers)
    number = line.split()[1] if len(line.split()) > 1 else ""
    return any(srh is not None and str(srh.hmac) == number for srh in srhs)


def _of_proxy(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A line of a SID that the packet comes for, or of a proxy's port to its service."""
    ports = {nic for proxy in way.node.proxies for nic in (proxy.to, proxy.back)}
    sid = _prefix(line.partition(": ")[0], line)
    mine = not sid or any(end in sid for end in way.addresses()) or not ports.isdisjoint(line.split())
    return bool(way.node.proxies) and mine


_IDLE = re.compile(
    r"(?:ip(?:v6)? )?(?:prefix-list|access-list|community-list|route-map) (\S+)|.*\bdescription\b"
)


def _of_frr(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """Anything but words for people, and lists that nothing else uses which differs."""
    found = _IDLE.match(line.partition(": ")[0]) or _IDLE.match(line)
    if not found:
        return not _QUIET.match(line) and _reaches(line, way, others)
    name = found.group(1)
    lines = [one for other in others if other.section == "frr" for one in other.lines() if one[2:] != line]
    used = any(name in one.split() and not _IDLE.match(one[2:]) for one in lines) if name else False
    return used or bool(name and any(line in other.gone for other in others))


def _reaches(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """Whether a line of FRR's may change where packets go: a static route to some planned address, or a word to a
    neighbor that the plan has."""
    route = re.match(r"ip(?:v6)? route (\S+)", line)
    neighbor = re.search(r"\bneighbor (\S+) ", line)
    if neighbor and way.node.routing:
        return neighbor.group(1) in {str(one.address) for _, one in way.node.routing.sessions()}
    return not route or _of_route(route.group(1), way, others)


# What a router does by itself, and tells nobody.
_QUIET = re.compile(
    r"(?:.*: )?(?:log |debug |isis hello-|service |password |.*\bsoft-reconfiguration\b|.*\btimers\b)"
)


def _of_files(line: str, way: Passing, others: Sequence[Difference]) -> bool:
    """A file of the lab's own: who reads it isn't known."""
    return True


_TOUCHES: Mapping[str, Touches] = {
    "file": _of_files,
    "link": _of_nic,
    "address": _of_address,
    "neighbor": _of_neighbor,
    "route": _of_route,
    "rule": _of_rule,
    "tunnel source": _of_tunnels,
    "hmac key": _of_hmacs,
    "ipsec": _of_ipsec,
    "firewall": _of_firewall,
    "tc": _of_nic,
    "sysctl": _of_sysctl,
    "proxy": _of_proxy,
    "frr": _of_frr,
}
