"""What people do to a node every day: the suspicions of a packet that a node lost, or sent on as another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from srv6lab.evidence.packets import Address, Direction, IpHeader, PacketView
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Item, Status, Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.frames import FIRST_TABLE as OF_FRAMES
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.srv6.policy.steering import FIRST_TABLE

_TABLES = " ".join(str(first + number) for first in (FIRST_TABLE, OF_FRAMES) for number in range(100))
_OF_SERVICES = "101 102"  # by which Day0 leads packets through a service from one port to the other


def packet_about(came: Hop | None, out: Hop | None) -> dict[str, str]:
    """What a firewall's rules are held against: the NICs, and the outermost headers there."""
    ways = [("in", came), ("out", out)]
    nics = [f"{way}:{hop.point.nic}" for way, hop in ways if hop]
    headers = dict.fromkeys(_words(hop.packet.outer, hop.packet) for _, hop in ways if hop)
    return {"nics": " ".join(nics), "headers": " ".join(headers)}


def _words(header: IpHeader, packet: PacketView) -> str:
    left = header.srh.segments_left if header.srh else ""
    inside = f"{header.protocol},{header.next_header or header.protocol}"
    dscp = "" if header.traffic_class is None else header.traffic_class >> 2
    more = f"{header.hop_limit},{left},{dscp},{header.flow_label or ''},{packet.ip_length}"
    macs = f"{packet.source_mac},{packet.destination_mac}"
    return f"{header.source}>{header.destination}>{inside}>{more},{macs}"


def down(plan: Plan, out: Hop) -> Iterator[Suspect]:
    """A NIC that a packet should leave by, or the far one, which takes its carrier."""
    yield suspect("nic-down", out.point.place, nic=out.point.nic)
    for far in _receivers(plan.far_ends().get(out.point, ()), out):
        yield suspect("nic-down", far.point.place, nic=far.name)


def switched_off(plan: Plan, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """NICs without IPv6, or without their addresses, at both ends of the link that it should leave by, and where it
    came in; a port to a service is one of them, though nobody traces it."""
    ends = plan.far_ends()
    own = {nic.point: nic for nic in (*(far for others in ends.values() for far in others), *plan.traced())}
    version = out.packet.outer.destination.version
    for nic in (own.get(came.point) if came else None, own.get(out.point)):
        if nic is not None:
            yield from _of_nic(nic)
            yield suspect(
                "mtu",
                nic.point.place,
                nic=nic.name,
                bytes=out.packet.ip_length if nic.point == out.point else 0,
                version=version,
            )
    for far in _receivers(ends.get(out.point, ()), out):
        yield from _of_nic(far)
        yield from _without_address(far)
        if found := far.of(version):
            yield suspect("neighbor", out.point.place, nic=out.point.nic, neighbor=found.ip, mac=far.mac)
        yield suspect("firewall", far.point.place, arp="")


def misaddressed(plan: Plan, items: Iterable[Item]) -> Iterator[Suspect]:
    """Frames with other MACs than those of the two ends of their link: asked of the sender, then of whose NIC it is."""
    own, ends = {nic.point: nic for nic in plan.traced()}, plan.far_ends()
    for item in items:
        if (
            item.status is Status.FAIL
            and item.point in ends
            and item.field in ("source_mac", "destination_mac")
        ):
            near = own[item.point]
            both = (
                (near, far) if item.direction is Direction.OUT else (far, near) for far in ends[item.point]
            )
            for sender, receiver in both:
                yield from _other_macs(item.field, sender, receiver)


def _other_macs(field: str, sender: Nic, receiver: Nic) -> Iterator[Suspect]:
    if field == "destination_mac":
        for one in receiver.addresses:
            about = {"nic": sender.name, "neighbor": one.ip, "mac": receiver.mac}
            yield suspect("neighbor", sender.point.place, **about)
        yield suspect("field-rewritten", receiver.point.place, arp="")  # it answers with another MAC
    other = sender if field == "source_mac" else receiver
    yield suspect("mac-address", other.point.place, nic=other.name, mac=other.mac)


def _receivers(ends: Sequence[Nic], out: Hop) -> Iterator[Nic]:
    """The other ends of a link that a packet is for: of a bridge the one whose MAC it has."""
    known = any(one.mac == out.packet.destination_mac for one in ends)
    yield from (one for one in ends if not known or one.mac == out.packet.destination_mac)


def neighbors(plan: Plan, out: Hop) -> tuple[Address, ...]:
    """The addresses of whom a packet is handed to: of the end of the link that its MAC is of, and of the neighbors over
    which the node's static routes lead to where it goes."""
    to, node = out.packet.outer.destination, plan.node(out.point.node)
    ends = _receivers(plan.far_ends().get(out.point, ()), out)
    mine = [route for route in node.routes if route.nic == out.point.nic and to in route.prefix]
    hops = [*(one.ip for far in ends for one in far.addresses), *(route.via for route in mine if route.via)]
    return tuple(dict.fromkeys(hops))


def for_another_mac(plan: Plan, delivered: Hop) -> Iterator[Suspect]:
    """A NIC takes only what is for its own MAC; its tracer sees the rest, too."""
    for nic in plan.traced():
        if nic.point == delivered.point:
            yield suspect("mac-address", nic.point.place, nic=nic.name, mac=nic.mac)


def _without_address(nic: Nic) -> Iterator[Suspect]:
    for address in nic.addresses:
        yield suspect("address-missing", nic.point.place, nic=nic.name, address=address)


def _of_nic(nic: Nic) -> Iterator[Suspect]:
    if nic.of(6):
        sysctl = f"/proc/sys/net/ipv6/conf/{nic.name}/disable_ipv6"
        yield suspect("ipv6-disabled", nic.point.place, nic=nic.name, sysctl=sysctl)


def readdressed(plan: Plan, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """NICs with other addresses or MACs than the plan's; asked late, for many a packet passes all the same."""
    own = {nic.point: nic for nic in plan.traced()}
    for hop in (came, out):
        nic = own.get(hop.point) if hop else None
        if nic is not None:
            yield from _without_address(nic)
            yield suspect("mac-address", nic.point.place, nic=nic.name, mac=nic.mac)


def next_hops(node: PlannedNode, came: Hop | None) -> tuple[Address, ...]:
    """The neighbors to whom a SID hands over what came for it: they are looked up, too."""
    to = came.packet.outer.destination if came else None
    sids = [sid for sid in node.local_sids if to in sid.prefix] if to is not None else []
    return tuple(ip_address(hop) for sid in sids for name, hop in sid.parameters if name in ("nh4", "nh6"))


def turned_away(node: PlannedNode | None, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """Rules that look a packet up elsewhere, and routes that refuse it."""
    for about in rule_about(node, came, out):
        yield suspect("policy-rule", out.point.place, **about)
        refused = {"version": about["version"], "destination": about["destination"]}
        yield suspect("route-discards", out.point.place, **refused)


def taken_in(plan: Plan, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """An address that a node shouldn't have: what came is for itself then, and what it sends stays with it."""
    own = plan.node(out.point.node).addresses()
    for to in dict.fromkeys(hop.packet.outer.destination for hop in (came, out) if hop is not None):
        if to not in own:
            yield suspect("address-unplanned", out.point.place, destination=to, version=f"-{to.version}")


def rule_about(node: PlannedNode | None, came: Hop | None, out: Hop | None) -> Iterator[dict[str, str]]:
    """What the selectors of `ip rule` are held against: a packet as it came, as it leaves, as it was born, and on its
    way to a SID's next hop."""
    looked_up = {hop.packet.outer.destination: hop.packet.outer for hop in (came, out) if hop}
    if came is None and out is not None:
        looked_up[out.packet.innermost.destination] = out.packet.innermost
    if node is not None and came is not None:
        looked_up = dict.fromkeys(next_hops(node, came), came.packet.outer) | looked_up
    for to, header in looked_up.items():
        yield {
            "version": f"-{to.version}",
            "destination": str(to),
            "source": str(header.source),
            "in": came.point.nic if came else "lo",
            "out": out.point.nic if out else "",
            "protocols": f"{header.protocol},{header.next_header}",
            "planned": _OF_SERVICES if out and out.point.netns else _tables(node),
        }


def _tables(node: PlannedNode | None) -> str:
    """Those of forwarding classes, and those that the node's own rules lead to."""
    return " ".join([_TABLES, *(str(rule.table) for rule in (node.rules if node else ()))])


def not_answered(came: Hop) -> Iterator[Suspect]:
    """Why a node that got an echo request doesn't answer."""
    version = came.packet.innermost.destination.version
    path = (
        "/proc/sys/net/ipv4/icmp_echo_ignore_all"
        if version == 4
        else "/proc/sys/net/ipv6/icmp/echo_ignore_all"
    )
    yield suspect("echo-ignored", came.point.place, family=f"IPv{version}", sysctl=path)
    yield suspect("firewall", came.point.place, **packet_about(came, None))


def changed(
    node: PlannedNode, came: Hop | None, out: Hop, seen: PacketView, begins: bool
) -> Iterator[Suspect]:
    """Why a packet left as another; `begins` says that the node itself wrote its outermost header."""
    place, wanted, got = out.point.place, out.packet.outer, seen.outer
    if begins and wanted.source != got.source:
        planned = node.tunnel_source or (node.routing.source if node.routing else None) or "::"
        yield suspect("tunnel-source", place, captured=got.source, planned=planned)
        yield from source(out)
    if begins and wanted.hop_limit != got.hop_limit:
        version = got.destination.version
        conf = f"ipv6/conf/{out.point.nic}/hop_limit" if version == 6 else "ipv4/ip_default_ttl"
        yield suspect("hop-limit", place, sysctl=f"/proc/sys/net/{conf}", captured=got.hop_limit)
    if seen.ip_length < out.packet.ip_length:  # it was fragmented
        fitting = {"bytes": out.packet.ip_length, "version": wanted.destination.version}
        yield suspect("mtu", place, nic=out.point.nic, **fitting)
    about = packet_about(came, out)
    yield suspect("address-translated", place, **about)
    yield suspect("field-rewritten", place, **about)


def born(plan: Plan, out: Hop) -> Iterator[Suspect]:
    """Why a node sends another packet than it should: it hasn't its address, or takes another."""
    yield from unaddressed(plan, out)
    yield from source(out)


def unaddressed(plan: Plan, hop: Hop) -> Iterator[Suspect]:
    for nic in plan.traced():
        if nic.point == hop.point:
            yield from _without_address(nic)


def source(out: Hop) -> Iterator[Suspect]:
    header = out.packet.outer
    about = {"version": f"-{header.destination.version}", "destination": header.destination}
    yield suspect("source-address", out.point.place, **about, source=header.source)
