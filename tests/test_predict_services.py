"""Walks through firewalls and SR proxies, and what is counted there."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_network

import pytest

from srv6lab.evidence.packets import Direction, Place
from srv6lab.predict.fib import Fib, Gateway
from srv6lab.predict.forwarding import walks
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.srv6.packet import Icmp, Ipv4, build
from tests.small import planned
from tests.walks import (
    BIG,
    FORK,
    LOOP,
    PING,
    ROW,
    counted,
    edited,
    guarded,
    lost,
    rule,
    shown,
    there,
    way,
)

# --- firewalls


@pytest.mark.parametrize(
    ("at", "tool", "chain", "more"),
    [
        ("mid", "nftables", "FORWARD", ""),
        ("mid", "nftables", "FORWARD", ", inner: {source: 10.0.1.0/24, protocol: icmp}"),
        ("gate", "nftables", "FORWARD", ", inner: {destination: 10.0.2.0/24}"),
        ("exit", "iptables", "FORWARD", ", source: 10.0.1.0/24, destination: 10.0.2.1/32, protocol: icmp"),
        ("east", "iptables", "INPUT", ""),
    ],
)
def test_a_firewall_drops_what_its_rule_matches(at: str, tool: str, chain: str, more: str) -> None:
    text = guarded(ROW, rule("stop", at, tool, chain, more))
    assert lost(text) == (at, f"firewall stop drops it in {chain}")
    assert counted(text) == {"firewall stop": (3, 3)}


@pytest.mark.parametrize(
    ("at", "tool", "chain", "more"),
    [
        ("mid", "iptables", "FORWARD", ""),  # what mid forwards is IPv6
        ("mid", "iptables", "INPUT", ""),
        ("mid", "nftables", "INPUT", ""),  # a SID hands nothing to the node
        ("mid", "nftables", "FORWARD", ", inner: {source: 10.0.7.0/24}"),
        ("mid", "nftables", "FORWARD", ", inner: {protocol: udp}"),
        ("exit", "iptables", "FORWARD", ", source: 10.0.7.0/24"),
        ("exit", "iptables", "FORWARD", ", protocol: tcp"),
        ("exit", "nftables", "FORWARD", ", inner: {source: 10.0.1.0/24}"),  # it leaves with no tunnel
        ("east", "iptables", "FORWARD", ""),
        ("gate", "iptables", "FORWARD", ", source: 10.0.1.0/24"),  # a headend forwards the tunnel
    ],
)
def test_a_firewall_lets_pass_what_its_rule_does_not_match(at: str, tool: str, chain: str, more: str) -> None:
    text = guarded(ROW, rule("stop", at, tool, chain, more))
    assert there(text)[0].end.delivered
    assert counted(text) == {}


def test_a_node_s_own_packets_are_not_forwarded() -> None:
    text = guarded(ROW, rule("stop", "gate", "nftables"))
    assert lost(text)[0] == "gate"
    (trace,) = there(text.replace("from: west", "from: gate"))
    assert trace.end.delivered


def test_the_newest_rule_comes_first() -> None:
    """One that drops hides it from those that were put in before."""
    drop, count = (
        rule("stop", "mid", "nftables"),
        rule("count", "mid", "nftables", "FORWARD", ", verdict: accept"),
    )
    assert counted(guarded(ROW, drop, count)) == {"firewall count": (3, 3), "firewall stop": (3, 3)}
    assert counted(guarded(ROW, count, drop)) == {"firewall stop": (3, 3)}


def test_a_rule_counts_both_ways() -> None:
    text = guarded(ROW, rule("count", "mid", "nftables", "FORWARD", ", verdict: accept"))
    assert counted(text) == {"firewall count": (6, 6)}


def test_a_rule_on_one_of_two_ways_counts_what_may_come() -> None:
    text = guarded(
        FORK, rule("count", "north", "nftables", "FORWARD", ", inner: {source: 10.0.1.0/24}, verdict: accept")
    )
    assert counted(text) == {"firewall count": (0, 3)}


def test_a_way_that_may_lose_the_request_makes_the_answer_uncertain() -> None:
    text = guarded(
        FORK,
        rule("count", "exit", "iptables", "FORWARD", ", source: 10.0.1.0/24, verdict: accept"),
        rule("home", "east", "iptables", "INPUT", ", verdict: accept"),
        rule("back", "west", "iptables", "INPUT", ", verdict: accept"),
    )
    assert counted(text)["firewall back"] == (3, 3)
    torn = edited(text, ('{prefix: "fc00:d::/64", via: "2001:cd::2"}, ', ""))
    assert counted(torn) == {"firewall count": (0, 3), "firewall home": (0, 3), "firewall back": (0, 3)}


def test_a_packet_out_of_hops_or_too_big_comes_to_no_firewall() -> None:
    """The kernel looks at hop limit and MTU before it hands a packet to FORWARD."""
    # By Linux gate sends it 32 times (63, 61 … 1), and mid what it still may: 31 times.
    count = rule("count", "mid", "nftables", "FORWARD", ", inner: {source: 10.0.1.0/24}, verdict: accept")
    assert counted(guarded(LOOP, count), sent=1) == {"firewall count": (31, 31)}
    narrow = edited(
        guarded(ROW, count), BIG, ('mtu: 2000, endpoints: ["mid:eth2"', 'mtu: 1500, endpoints: ["mid:eth2"')
    )
    assert counted(narrow) == {}


# --- SR proxies

PROXY = edited(
    ROW,
    ("mid: {role: router", "mid: {role: sr-proxy"),
    ('{node: mid, sid: "fc00:b::e", behavior: End}', '{node: mid, sid: "fc00:b::a4", behavior: End.AD4, service: inspect}'),
    ('"fc00:b::e"', '"fc00:b::a4"'),
    ("local_sids:", """services:
  inspect:
    node: mid
    netns: box
    ports:
      - {outside: veth0, inside: veth0-box, prefix: 192.168.1.0/24}
      - {outside: veth1, inside: veth1-box, prefix: 192.168.2.0/24}
    rules: rules/icmp.rules
local_sids:"""),
)  # fmt: skip


def test_a_proxy_by_the_rfc() -> None:
    """One hop for the segment, one for the inner packet when it comes back; the service takes its own."""
    (trace,) = there(PROXY)
    assert shown(trace)[1:] == [
        f"gate:eth2 2001:ab::1 → fc00:b::a4 hl 64 [fc00:c::d4, *fc00:b::a4] SL 1 | {PING} hl 63 icmp",
        f"mid:veth0 {PING} hl 63 icmp",
        f"mid/box:veth1-box {PING} hl 62 icmp",
        f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 63 [*fc00:c::d4, fc00:b::a4] SL 0 | {PING} hl 61 icmp",
        f"exit:eth1 {PING} hl 60 icmp",
        "delivered to east",
    ]
    assert counted(PROXY) == {"sid fc00:b::a4": (3, 3)}


def test_a_proxy_by_linux() -> None:
    (trace,) = there(PROXY, linux=True)
    assert shown(trace)[1:] == [
        f"gate:eth2 2001:ab::1 → fc00:b::a4 hl 63 [fc00:c::d4, *fc00:b::a4] SL 1 | {PING} hl 64 icmp",
        f"mid:veth0 {PING} hl 63 icmp",
        f"mid/box:veth1-box {PING} hl 62 icmp",
        f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 61 [*fc00:c::d4, fc00:b::a4] SL 0 | {PING} hl 62 icmp",
        f"exit:eth1 {PING} hl 61 icmp",
        "delivered to east",
    ]


def test_what_comes_in_by_one_side_of_a_service_leaves_by_the_other() -> None:
    (trace,) = there(PROXY)
    box = [str(hop.point) for hop in trace.hops if hop.point.netns]
    assert box == ["mid/box:veth0-box", "mid/box:veth1-box"]


def test_a_firewall_in_the_service() -> None:
    text = guarded(PROXY, rule("stop", "mid/box", "iptables", "FORWARD", ", protocol: icmp"))
    assert lost(text) == ("mid/box", "firewall stop drops it in FORWARD")
    assert counted(text) == {"sid fc00:b::a4": (3, 3), "firewall stop": (3, 3)}
    assert there(guarded(PROXY, rule("stop", "mid/box", "iptables", "FORWARD", ", protocol: udp")))[
        0
    ].end.delivered


def test_a_proxy_as_the_last_segment_is_lost() -> None:
    text = edited(PROXY, ('["fc00:b::a4", "fc00:c::d4"]', '["fc00:b::a4"]'))
    assert lost(text) == ("mid", "End.AD4: no segment is left behind the proxy")
    assert counted(text) == {}


def test_a_proxy_that_remembers_nothing_for_what_comes_back() -> None:
    """Its service sends a packet of its own: the cache knows no headers for it."""
    plan = planned(PROXY)
    lab = ModeledLab(plan)
    ping = build(Ipv4(IPv4Address("10.0.1.1"), IPv4Address("10.0.2.1"), 64), Icmp(8), payload=b"")
    veth = replace(
        lab.namespace(Place("mid", "box")),
        rules={},
        tables={254: Fib([(ip_network("0.0.0.0/0"), (Gateway(IPv4Address("192.168.2.1"), "veth1-box"),))])},
    )
    lab._built[Place("mid", "box")] = veth
    (ended,) = walks(lab, ping, Place("mid", "box"))
    assert (ended.end.delivered, str(ended.end.place)) == (False, "mid")
    assert ended.end.reason == "End.AD4: the proxy remembers no headers for it"


TWO = edited(
    PROXY,
    ("exit: {role: router", "exit: {role: sr-proxy"),
    ("local_sids:", """  second:
    node: exit
    netns: box
    ports:
      - {outside: veth0, inside: veth0-box, prefix: 192.168.1.0/24}
      - {outside: veth1, inside: veth1-box, prefix: 192.168.2.0/24}
    rules: rules/icmp.rules
local_sids:
  - {node: exit, sid: "fc00:c::a4", behavior: End.AD4, service: second}"""),
    ('["fc00:b::a4", "fc00:c::d4"]', '["fc00:b::a4", "fc00:c::a4", "fc00:c::d4"]'),
)  # fmt: skip


@pytest.mark.parametrize(
    ("linux", "limits"),
    [(False, [64, 63, 63, 62, 61, 61, 60, 58]), (True, [64, 64, 63, 62, 62, 61, 60, 59])],
)
def test_two_proxies_one_after_the_other(linux: bool, limits: list[int]) -> None:
    """Of the last router the second proxy and End.DX4 take a hop each by the RFC."""
    (trace,) = there(TWO, linux=linux)
    assert way(trace) == [
        "west:eth1", "gate:eth2", "mid:veth0", "mid/box:veth1-box", "mid:eth2",
        "exit:veth0", "exit/box:veth1-box", "exit:eth1",
    ]  # fmt: skip
    assert [hop.packet.innermost.hop_limit for hop in trace.hops if hop.direction is Direction.OUT] == limits
    assert trace.end.delivered
    assert counted(TWO) == {"sid fc00:b::a4": (3, 3), "sid fc00:c::a4": (3, 3)}


# --- SR proxies for IPv6

SIX = """\
name: six
nodes:
  west: {role: host, routes: [{prefix: "::/0", via: "2001:a::2"}]}
  gate: {role: router, locator: "fc00:a::/64", routes: [{prefix: "::/0", via: "2001:ab::2"}]}
  mid: {role: sr-proxy, locator: "fc00:b::/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}, {prefix: "2001:a::/64", via: "2001:ab::1"}, {prefix: "fc00:c::/64", via: "2001:bc::2"}, {prefix: "2001:c::/64", via: "2001:bc::2"}]}
  exit: {role: router, locator: "fc00:c::/64", routes: [{prefix: "::/0", via: "2001:bc::1"}]}
  east: {role: host, routes: [{prefix: "::/0", via: "2001:c::2"}]}
links:
  - {name: cable-a, prefix: "2001:a::/64", endpoints: ["west:eth1", "gate:eth1"]}
  - {name: core-a, prefix: "2001:ab::/64", mtu: 2000, endpoints: ["gate:eth2", "mid:eth1"]}
  - {name: core-b, prefix: "2001:bc::/64", mtu: 2000, endpoints: ["mid:eth2", "exit:eth2"]}
  - {name: cable-b, prefix: "2001:c::/64", endpoints: ["east:eth1", "exit:eth1"]}
services:
  inspect:
    node: mid
    netns: box
    ports:
      - {outside: veth0, inside: veth0-box, prefix: "fd00:0:0:1::/64"}
      - {outside: veth1, inside: veth1-box, prefix: "fd00:0:0:2::/64"}
    rules: rules/icmp.rules
local_sids:
  - {node: exit, sid: "fc00:c::d6", behavior: End.DX6, nh6: "2001:c::1"}
  - {node: exit, sid: "fc00:c::e", behavior: End, flavors: [PSP]}
  - {node: mid, sid: "fc00:b::a6", behavior: End.AD6, service: inspect}
steering:
  - {headend: gate, match: {prefix: "2001:c::/64"}, to: {segments: ["fc00:b::a6", "fc00:c::d6"]}}
exercises:
  - name: across
    probes: [{id: echo, from: west, to: east, icmp: 3}]
    expect: {packets: [{at: "east:eth1", direction: in, probe: echo}]}
"""
SIX_PING = "2001:a::1 → 2001:c::1"
MASQUERADED = edited(
    SIX,
    ("behavior: End.AD6", "behavior: End.AM"),
    ('to: {segments: ["fc00:b::a6", "fc00:c::d6"]}', 'to: {segments: ["fc00:c::d6"]}'),
    ("to: east, icmp: 3}", 'to: east, icmp: 3, segments: ["fc00:b::a6", "fc00:c::e"]}'),
)


@pytest.mark.parametrize(
    ("linux", "outer", "inner"),
    [(False, (64, 63), (63, 63, 62, 61, 60)), (True, (63, 61), (64, 63, 62, 62, 61))],
)
def test_a_proxy_of_ipv6(linux: bool, outer: tuple[int, ...], inner: tuple[int, ...]) -> None:
    (trace,) = there(SIX, linux=linux)
    assert shown(trace)[1:] == [
        f"gate:eth2 2001:ab::1 → fc00:b::a6 hl {outer[0]} [fc00:c::d6, *fc00:b::a6] SL 1 | {SIX_PING} hl {inner[0]} icmpv6",
        f"mid:veth0 {SIX_PING} hl {inner[1]} icmpv6",
        f"mid/box:veth1-box {SIX_PING} hl {inner[2]} icmpv6",
        f"mid:eth2 2001:ab::1 → fc00:c::d6 hl {outer[1]} [*fc00:c::d6, fc00:b::a6] SL 0 | {SIX_PING} hl {inner[3]} icmpv6",
        f"exit:eth1 {SIX_PING} hl {inner[4]} icmpv6",
        "delivered to east",
    ]
    assert counted(SIX) == {"sid fc00:b::a6": (3, 3)}


def test_a_masqueraded_service_by_the_draft() -> None:
    """It takes one hop for its segment, when the packet comes back."""
    (trace,) = there(MASQUERADED)
    whole, rest = "[2001:c::1, fc00:c::e, *fc00:b::a6] SL 2", "[2001:c::1, *fc00:c::e, fc00:b::a6] SL 1"
    assert shown(trace)[1:] == [
        f"gate:eth2 2001:a::1 → fc00:b::a6 hl 63 {whole} icmpv6",
        f"mid:veth0 {SIX_PING} hl 63 {whole} icmpv6",
        f"mid/box:veth1-box {SIX_PING} hl 62 {whole} icmpv6",
        f"mid:eth2 2001:a::1 → fc00:c::e hl 61 {rest} icmpv6",
        f"exit:eth1 {SIX_PING} hl 60 icmpv6",
        "delivered to east",
    ]


def test_a_masqueraded_service_by_srconf() -> None:
    (trace,) = there(MASQUERADED, linux=True)
    rest = "[2001:c::1, *fc00:c::e, fc00:b::a6] SL 1"
    assert shown(trace)[2:5] == [
        f"mid:veth0 {SIX_PING} hl 62 {rest} icmpv6",
        f"mid/box:veth1-box {SIX_PING} hl 61 {rest} icmpv6",
        f"mid:eth2 2001:a::1 → fc00:c::e hl 60 {rest} icmpv6",
    ]
    assert trace.end.delivered
    assert "proxy-segment-before-the-service" in trace.hops[-1].quirks
    assert "proxy-hop-before-the-service" not in trace.hops[-1].quirks


def test_a_masqueraded_service_before_the_last_segment() -> None:
    """Its packets go on to their destination with an SRH that has no segments left."""
    text = edited(MASQUERADED, (', segments: ["fc00:b::a6", "fc00:c::e"]', ', segments: ["fc00:b::a6"]'))
    for linux in (False, True):
        (trace,) = there(text, linux=linux)
        assert (
            shown(trace)[4]
            == f"mid:eth2 {SIX_PING} hl {60 + (not linux)} [*2001:c::1, fc00:b::a6] SL 0 icmpv6"
        )


RULE_SIX = ', destination: "2001:c::/64", protocol: icmpv6'


@pytest.mark.parametrize(
    ("text", "at", "more", "count"),
    [
        (SIX, "mid/box", RULE_SIX, 3),
        (SIX, "mid/box", ", protocol: udp", 0),
        (SIX, "mid/box", ', source: "2001:c::/64"', 0),
        (SIX, "mid", RULE_SIX, 3),  # what comes out of End.DX6 is forwarded
        (SIX, "gate", RULE_SIX, 0),  # a headend forwards the tunnel
        (MASQUERADED, "mid/box", RULE_SIX, 3),  # its extension headers are passed over
        (MASQUERADED, "mid", RULE_SIX, 0),  # srconf sends it to the service past the firewall
        (MASQUERADED, "gate", RULE_SIX, 0),
        (MASQUERADED, "gate", ', destination: "fc00:b::/64", protocol: icmpv6', 3),
    ],
)
def test_a_firewall_of_ipv6(text: str, at: str, more: str, count: int) -> None:
    probes = "    probes:"
    put = "    apply:\n      - " + rule("stop", at, "ip6tables", "FORWARD", more) + "\n"
    found = counted(edited(text, (probes, put + probes)))
    assert found.get("firewall stop", (0, 0)) == (count, count)
