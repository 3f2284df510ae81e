"""Topologies of the tests' own for walks, and how a walk is shown: by what leaves each NIC, and its end."""

from __future__ import annotations

from functools import cache

from srv6lab.evidence.packets import Direction
from srv6lab.evidence.prediction import Leg, Prediction, Trace
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.wording import describe, sentence
from srv6lab.judge.compare import predicted_counts
from srv6lab.predict import predict
from tests.small import planned

PING = "10.0.1.1 → 10.0.2.1"
# Three routers in a row between two hosts, with an IPv4 and an IPv6 link at each end's side.
ROW = """\
name: row
nodes:
  west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64", routes: [{prefix: "::/0", via: "2001:ab::2"}]}
  mid: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}, {prefix: "fc00:c::/64", via: "2001:bc::2"}]}
  exit: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "::/0", via: "2001:bc::1"}]}
  east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
  - {name: core-a, prefix: "2001:ab::/64", mtu: 2000, endpoints: ["gate:eth2", "mid:eth1"]}
  - {name: core-b, prefix: "2001:bc::/64", mtu: 2000, endpoints: ["mid:eth2", "exit:eth2"]}
  - {name: cable-b, prefix: 10.0.2.0/24, endpoints: ["east:eth1", "exit:eth1"]}
local_sids:
  - {node: gate, sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1}
  - {node: mid, sid: "fc00:b::e", behavior: End}
  - {node: exit, sid: "fc00:c::d4", behavior: End.DX4, nh4: 10.0.2.1}
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::e", "fc00:c::d4"]}}
  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}
"""
ACROSS = """\
exercises:
  - name: across
    probes: [{id: echo, from: west, to: east, icmp: 3}]
    expect: {packets: [{at: "east:eth1", direction: in, probe: echo}]}
"""
ROW += ACROSS
BACK = "10.0.2.1 → 10.0.1.1"
EXPECT = 'expect: {packets: [{at: "east:eth1", direction: in, probe: echo}]}'
ONE = "probes: [{id: echo, from: west, to: east, icmp: 3}]"


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


@cache
def foretold(text: str) -> Prediction:
    found = planned(text)
    (one,) = predict(found, found.exercises[0].name)
    return one


def there(text: str, *, linux: bool = False) -> list[Trace]:
    one = foretold(text)
    return [trace for trace in (one.linux if linux else one.rfc) if trace.leg is Leg.THERE]


def back(text: str, *, linux: bool = False) -> list[Trace]:
    one = foretold(text)
    return [trace for trace in (one.linux if linux else one.rfc) if trace.leg is Leg.BACK]


def shown(trace: Trace) -> list[str]:
    """What leaves each NIC, and the end."""
    lines = [
        f"{hop.point} {sentence(describe(hop.packet))}"
        for hop in trace.hops
        if hop.direction is Direction.OUT
    ]
    word = "delivered to" if trace.end.delivered else "lost at"
    return [*lines, f"{word} {trace.end.place}"]


def way(trace: Trace) -> list[str]:
    return [str(hop.point) for hop in trace.hops if hop.direction is Direction.OUT]


def lost(text: str, *, linux: bool = False) -> tuple[str, str]:
    """Where the only walk there loses the packet, and why."""
    (trace,) = there(text, linux=linux)
    assert not trace.end.delivered, trace.end
    return str(trace.end.place), trace.end.reason


# Two routers that each take the other for the way.
LOOP = edited(
    ROW,
    ('segments: ["fc00:b::e", "fc00:c::d4"]', 'segments: ["fc00:c::d4"]'),
    ('{prefix: "fc00:c::/64", via: "2001:bc::2"}', '{prefix: "fc00:c::/64", via: "2001:ab::1"}'),
)

BIG = ("icmp: 3}]", "icmp: 3, size: 1400}]")

# Two ways between gate and exit: over north and over south.
FORK = """\
name: fork
nodes:
  west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64", routes: [{prefix: "fc00:d::/64", via: "2001:ab::2", weight: 1}, {prefix: "fc00:d::/64", via: "2001:ac::2", weight: 3}]}
  north: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/64", routes: [{prefix: "fc00:d::/64", via: "2001:bd::2"}, {prefix: "fc00:a::/64", via: "2001:ab::1"}]}
  south: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "fc00:d::/64", via: "2001:cd::2"}, {prefix: "fc00:a::/64", via: "2001:ac::1"}]}
  exit: {role: router, locator: "fc00:d::/64", loopback: "fc00:d::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:bd::1"}, {prefix: "fc00:a::/64", via: "2001:cd::1"}]}
  east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
  - {name: ab, prefix: "2001:ab::/64", mtu: 2000, endpoints: ["gate:eth2", "north:eth1"]}
  - {name: ac, prefix: "2001:ac::/64", mtu: 2000, endpoints: ["gate:eth3", "south:eth1"]}
  - {name: bd, prefix: "2001:bd::/64", mtu: 2000, endpoints: ["north:eth2", "exit:eth2"]}
  - {name: cd, prefix: "2001:cd::/64", mtu: 2000, endpoints: ["south:eth2", "exit:eth3"]}
  - {name: cable-b, prefix: 10.0.2.0/24, endpoints: ["east:eth1", "exit:eth1"]}
local_sids:
  - {node: gate, sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1}
  - {node: exit, sid: "fc00:d::d4", behavior: End.DX4, nh4: 10.0.2.1}
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:d::d4"]}}
  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}
"""
FORK += ACROSS

# A headend's flows of IPv4 look all the same from outside; flows of IPv6 that are only forwarded don't.
SIX_FORK = edited(
    FORK.replace("10.0.1.0/24", "2001:db8:1::/64").replace("10.0.2.0/24", "2001:db8:2::/64").replace("icmp: 3", "udp: 80"),
    ("via: 10.0.1.2", 'via: "2001:db8:1::2"'), ("via: 10.0.2.2", 'via: "2001:db8:2::2"'),
    ("End.DX4, nh4: 10.0.1.1", 'End.DX6, nh6: "2001:db8:1::1"'), ("End.DX4, nh4: 10.0.2.1", 'End.DX6, nh6: "2001:db8:2::1"'),
)  # fmt: skip
PLAIN = SIX_FORK.replace("  - {headend: gate, match: {prefix: 2001:db8:2::/64}", "  # ").replace(
    'prefix: "fc00:d::/64", via: "2001:a', 'prefix: "2001:db8:2::/64", via: "2001:a'
)

RULE = "firewall: {{name: {name}, at: {at}, tool: {tool}, chain: {chain}{more}}}"


def guarded(text: str, *rules: str) -> str:
    return edited(
        text, (f"    {ONE}", "    apply:\n" + "".join(f"      - {rule}\n" for rule in rules) + f"    {ONE}")
    )


def rule(name: str, at: str, tool: str = "iptables", chain: str = "FORWARD", more: str = "") -> str:
    if tool == "nftables" and "inner" not in more:
        more += ", inner: {protocol: icmp}"
    return RULE.format(name=name, at=at, tool=tool, chain=chain, more=more)


def counted(text: str, sent: int = 3) -> dict[str, tuple[int, int]]:
    one = foretold(text)
    return predicted_counts({one.probe: one}, {one.probe: Found(Sent(one.probe, sent, sent, "aa"), ())})


# A router on the link of exit's End.DX4, with the destination behind it.
BEHIND = edited(
    ROW,
    ("east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}",
     "inn: {role: router, routes: [{prefix: 10.0.1.0/24, via: 10.0.9.2}]}\n"
     "  east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}"),
    ('["east:eth1", "exit:eth1"]', '["east:eth1", "inn:eth1"]'),
    ("local_sids:", '  - {name: cable-c, prefix: 10.0.9.0/24, endpoints: ["inn:eth2", "exit:eth1"]}\nlocal_sids:'),
    ("nh4: 10.0.2.1}", "nh4: 10.0.9.1}"),
)  # fmt: skip
