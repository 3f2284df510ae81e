"""Walks through firewalls and SR proxies, and what is counted there."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_network

import pytest

from srv6lab.predict.fib import Fib, Gateway
from srv6lab.predict.network import Lab
from srv6lab.predict.walk import walks
from srv6lab.srv6.packet import Icmp, Ipv4, build
from srv6lab.trace import Direction
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
    lab = Lab(plan)
    ping = build(Ipv4(IPv4Address("10.0.1.1"), IPv4Address("10.0.2.1"), 64), Icmp(8), payload=b"")
    veth = replace(
        lab.namespace("mid/box"),
        rules={},
        tables={254: Fib([(ip_network("0.0.0.0/0"), (Gateway(IPv4Address("192.168.2.1"), "veth1-box"),))])},
    )
    lab._built["mid/box"] = veth
    (ended,) = walks(lab, ping, "mid/box")
    assert (ended.end.delivered, ended.end.place) == (False, "mid")
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
