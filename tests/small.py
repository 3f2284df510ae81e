"""A topology of the tests' own, and hand-made values: no machine, no file, no lab of the repository."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from srv6lab.errors import Location
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, Icmp, IpHeader, PacketView, Point, Srh
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.judge.expectations import Expected
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.topology.load import loads

SMALL = """\
name: small
nodes:
  west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64", routes: [{prefix: "fc00:b::/64", via: "2001:ab::2"}]}
  exit: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}]}
  east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
  - {name: core, prefix: "2001:ab::/64", mtu: 2000, endpoints: [{at: "gate:eth2", trace: middle}, "exit:eth2"]}
  - {name: cable-b, prefix: 10.0.2.0/24, endpoints: ["east:eth1", "exit:eth1"]}
local_sids:
  - {node: gate, sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1}
  - {node: exit, sid: "fc00:b::e", behavior: End}
  - {node: exit, sid: "fc00:b::d4", behavior: End.DX4, nh4: 10.0.2.1}
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::e", "fc00:b::d4"]}}
  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}
exercises:
  - name: across
    probes: [{id: echo, from: west, to: east, icmp: 3}]
    expect:
      elsewhere: absent
      packets:
        - {at: "gate:eth2", direction: out, probe: echo, destination: "fc00:b::e", segment_list: ["fc00:b::d4", "fc00:b::e"], segments_left: 1, inner: {source: 10.0.1.1, destination: 10.0.2.1, protocol: icmp}}
        - {at: "east:eth1", direction: in, probe: echo, source: 10.0.1.1, destination: 10.0.2.1, protocol: icmp, count: 2}
        - {at: "west:eth1", direction: in, probe: echo, absent: true}
"""

WEST, EAST = "10.0.1.1", "10.0.2.1"
PLACE = Point("gate", "eth2")
OTHER = Point("exit", "eth2")
LINE = Location("small.yml", 22, 11)
MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:0b")


def planned(text: str = SMALL) -> Plan:
    lab = loads(text, "small.yml")
    return plan(lab.topology, lab.source.locate)


def srh(*segment_list: str, left: int) -> Srh:
    return Srh(tuple(IPv6Address(sid) for sid in segment_list), left, len(segment_list) - 1)


def header(
    source: str, destination: str, hop_limit: int, protocol: str, routing: Srh | None = None
) -> IpHeader:
    return IpHeader(ip_address(source), ip_address(destination), hop_limit, protocol, routing)


def packet(
    *headers: IpHeader, macs: tuple[str, str] = MACS, icmp: Icmp | None = None, payload: bytes = b""
) -> PacketView:
    return PacketView(1, 0.0, 100, *macs, headers, icmp, payload)


def plain(source: str = WEST, destination: str = EAST, hop_limit: int = 64) -> PacketView:
    return packet(header(source, destination, hop_limit, "icmp"))


def tunneled(segment: str = "fc00:b::e", left: int = 1, hop_limit: int = 63) -> PacketView:
    routing = srh("fc00:b::d4", "fc00:b::e", left=left)
    return packet(header("2001:ab::1", segment, hop_limit, "ipv4", routing), header(WEST, EAST, 64, "icmp"))


def hops(*packets: PacketView, point: Point = PLACE, direction: Direction = Direction.OUT) -> tuple[Hop, ...]:
    return tuple(Hop(point, direction, one) for one in packets)


def expected(
    point: Point = PLACE,
    direction: Direction = Direction.OUT,
    *,
    count: int | None = None,
    absent: bool = False,
    flow: tuple[str | None, str | None] = (WEST, EAST),
    **fields: str,
) -> Expected:
    source, destination = (ip_address(one) if one else None for one in flow)
    named = tuple((name.replace("__", "."), value) for name, value in fields.items())
    return Expected(point, direction, "echo", named, (source, destination), count, absent, LINE)


def live(*points: Point) -> dict[Point, Tracer]:
    return {point: Tracer(point, "live", 3) for point in (points or (PLACE, OTHER))}


def shown(verdict: Verdict) -> list[tuple[str, str]]:
    """What a verdict says, in short: kind and status of each item."""
    return [(item.kind, item.status.value) for item in verdict.items]


def not_passed(verdict: Verdict) -> Sequence[str]:
    return [item.kind for item in verdict.items if item.status is not Status.PASS]
