"""Whole walks, written by hand: by the RFCs and by Linux; where a packet is lost, and why; forks; the property.

What comes in at the other end of a wire is the same packet, which one test holds for all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from srv6lab.evidence.packets import Direction
from srv6lab.evidence.prediction import Leg, Trace
from srv6lab.evidence.shares import Shares, Way
from srv6lab.predict import predict
from srv6lab.predict.forwarding import MOST_WALKS
from tests.small import SMALL, planned
from tests.walks import (
    BACK,
    BEHIND,
    BIG,
    FORK,
    LOOP,
    ONE,
    PING,
    PLAIN,
    ROW,
    back,
    edited,
    foretold,
    lost,
    shown,
    there,
    way,
)
from tests.walks import (
    SIX_FORK as SIX,
)

# --- whole walks


def test_there_by_the_rfc() -> None:
    (trace,) = there(ROW)
    assert shown(trace) == [
        f"west:eth1 {PING} hl 64 icmp",
        f"gate:eth2 2001:ab::1 → fc00:b::e hl 64 [fc00:c::d4, *fc00:b::e] SL 1 | {PING} hl 63 icmp",
        f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 63 [*fc00:c::d4, fc00:b::e] SL 0 | {PING} hl 63 icmp",
        f"exit:eth1 {PING} hl 62 icmp",
        "delivered to east",
    ]
    assert [hop.behaviors for hop in trace.hops if hop.direction is Direction.OUT] == [
        (), ("H.Encaps",), ("End",), ("End.DX4",),
    ]  # fmt: skip
    assert trace.hops[2].reason == ("10.0.2.0/24 is steered over fc00:b::e, fc00:c::d4; ::/0 via 2001:ab::2")
    assert trace.hops[4].reason == "SID fc00:b::e; fc00:c::/64 via 2001:bc::2"
    assert trace.hops[6].reason == "SID fc00:c::d4; to neighbor 10.0.2.1"


def test_there_by_linux() -> None:
    (trace,) = there(ROW, linux=True)
    assert shown(trace) == [
        f"west:eth1 {PING} hl 64 icmp",
        f"gate:eth2 2001:ab::1 → fc00:b::e hl 63 [fc00:c::d4, *fc00:b::e] SL 1 | {PING} hl 64 icmp",
        f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 62 [*fc00:c::d4, fc00:b::e] SL 0 | {PING} hl 64 icmp",
        f"exit:eth1 {PING} hl 63 icmp",
        "delivered to east",
    ]
    assert {quirk for hop in trace.hops for quirk in hop.quirks} == {"encapsulated-before-the-hop"}
    assert trace.hops[0].quirks == ()


def test_back_starts_with_hops_of_its_own() -> None:
    (trace,) = back(ROW)
    assert shown(trace) == [
        f"east:eth1 {BACK} hl 64 icmp",
        f"exit:eth2 2001:bc::2 → fc00:a::d4 hl 64 [*fc00:a::d4] SL 0 | {BACK} hl 63 icmp",
        f"mid:eth1 2001:bc::2 → fc00:a::d4 hl 63 [*fc00:a::d4] SL 0 | {BACK} hl 63 icmp",
        f"gate:eth1 {BACK} hl 62 icmp",
        "delivered to west",
    ]


def test_both_ends_of_a_wire_see_one_packet() -> None:
    for trace in (*foretold(ROW).rfc, *foretold(SMALL).linux):
        pairs = list(zip(trace.hops[::2], trace.hops[1::2], strict=True))
        assert all(out.packet == into.packet for out, into in pairs)
        assert all((out.direction, into.direction) == (Direction.OUT, Direction.IN) for out, into in pairs)


def test_macs_are_those_of_the_link() -> None:
    nics = {nic.point: nic for nic in planned(ROW).nics()}
    for hop in there(ROW)[0].hops[::2]:
        nic = nics[hop.point]
        assert (hop.packet.source_mac, hop.packet.destination_mac) == (nic.mac, nics[nic.peer].mac)


def test_neighbors_on_one_link() -> None:
    text = edited(ROW, (ONE, "probes: [{id: echo, from: west, to: gate, icmp: 1}]"))
    assert shown(there(text)[0]) == ["west:eth1 10.0.1.1 → 10.0.1.2 hl 64 icmp", "delivered to gate"]
    assert shown(back(text)[0]) == ["gate:eth1 10.0.1.2 → 10.0.1.1 hl 64 icmp", "delivered to west"]


# --- what a router sends itself


def test_a_headend_takes_no_hop_off_what_it_sends_itself() -> None:
    text = edited(ROW, (ONE, "probes: [{id: echo, from: gate, to: east, icmp: 1}]"))
    wanted = "gate:eth2 2001:ab::1 → fc00:b::e hl 64 [fc00:c::d4, *fc00:b::e] SL 1 | 10.0.1.2 → 10.0.2.1 hl 64 icmp"
    for linux in (False, True):
        (trace,) = there(text, linux=linux)
        assert shown(trace)[0] == wanted
    assert not there(text, linux=True)[0].hops[0].quirks


# --- the longest prefix

NEARER = (
    "steering:\n",
    'steering:\n  - {headend: gate, match: {prefix: 10.0.2.1/32}, to: {segments: ["fc00:c::d4"]}}\n',
)


def test_the_longest_prefix_wins() -> None:
    (trace,) = there(edited(ROW, NEARER))
    assert (
        shown(trace)[1] == f"gate:eth2 2001:ab::1 → fc00:c::d4 hl 64 [*fc00:c::d4] SL 0 | {PING} hl 63 icmp"
    )


def test_a_longer_prefix_that_does_not_match_is_passed_over() -> None:
    old, new = NEARER
    assert shown(there(edited(ROW, (old, new.replace("10.0.2.1/32", "10.0.2.128/25"))))[0]) == shown(
        there(ROW)[0]
    )


# --- packets that are lost


def test_no_route() -> None:
    text = edited(ROW, (', {prefix: "fc00:c::/64", via: "2001:bc::2"}', ""))
    assert lost(text) == ("mid", "mid has no route to fc00:c::d4")


def test_no_route_at_the_source() -> None:
    text = edited(
        ROW, ("west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}", "west: {role: host}")
    )
    assert lost(text) == ("west", "west has no route to 10.0.2.1")
    assert back(text) == []


def test_an_unknown_sid_in_a_node_s_own_locator() -> None:
    """The loader refuses a segment that nobody owns, so the SID is taken out of the plan."""
    plan = planned(ROW)
    machines = tuple(replace(one, local_sids=()) if one.name == "mid" else one for one in plan.nodes)
    (prediction,) = predict(replace(plan, nodes=machines), "across")
    (end,) = (trace.end for trace in prediction.rfc)
    assert (end.delivered, str(end.place)) == (False, "mid")
    assert end.reason == "fc00:b::e is no SID or address of mid, though its own prefix fc00:b::/64 holds it"


def test_a_neighbor_that_is_not_there() -> None:
    text = edited(
        ROW,
        (
            'sid: "fc00:c::d4", behavior: End.DX4, nh4: 10.0.2.1',
            'sid: "fc00:c::d4", behavior: End.DX4, nh4: 10.0.2.77',
        ),
    )
    assert lost(text) == ("exit", "nobody on exit:eth1's link has the address 10.0.2.77")
    # Linux asks for the destination itself, which is there.
    (trace,) = there(text, linux=True)
    assert trace.end.delivered
    assert trace.hops[-1].quirks[-1] == "dx4-asks-for-the-destination"


def test_dx4_to_a_router_behind_which_the_destination_is() -> None:
    """By the RFC the neighbor forwards it; Linux asks for the destination on the neighbor's link."""
    (trace,) = there(BEHIND)
    assert way(trace) == ["west:eth1", "gate:eth2", "mid:eth2", "exit:eth1", "inn:eth1"]
    assert trace.end.delivered
    assert lost(BEHIND, linux=True) == ("exit", "nobody on exit:eth1's link has the address 10.0.2.1")


def test_a_host_forwards_nothing() -> None:
    text = edited(
        ROW,
        ("mid: {role: router, locator", "mid: {role: host, locator"),
        ('  - {node: mid, sid: "fc00:b::e", behavior: End}\n', ""),
        ('["fc00:b::e", "fc00:c::d4"]', '["fc00:c::d4"]'),
    )
    assert lost(text) == ("mid", "mid forwards nothing")


@pytest.mark.parametrize(("linux", "first", "at"), [(False, 64, "gate"), (True, 63, "mid")])
def test_a_routing_loop_uses_up_the_hop_limit(linux: bool, first: int, at: str) -> None:
    (trace,) = there(LOOP, linux=linux)
    outs = [hop for hop in trace.hops if hop.direction is Direction.OUT]
    assert [hop.packet.outer.hop_limit for hop in outs[1:]] == list(range(first, 0, -1))
    assert [hop.point.node for hop in outs[1:4]] == ["gate", "mid", "gate"]
    assert (trace.end.delivered, str(trace.end.place)) == (False, at)
    assert trace.end.reason == "ICMPv6 Time Exceeded: its hop limit is used up, code 0; 2001:ab::1 is told"


def test_a_policy_into_itself_ends() -> None:
    """The first segment is steered by the policy itself: it would be wrapped up for ever."""
    text = edited(
        ROW,
        (
            "steering:\n",
            'steering:\n  - {headend: gate, match: {prefix: "fc00:b::/64"}, to: {segments: ["fc00:b::e", "fc00:c::d4"]}}\n',
        ),
    )
    place, reason = lost(text)
    assert place == "gate"
    assert reason.startswith("goes round in circles in gate: fc00:b::/64 is steered over")


# --- MTU


def test_too_big_says_where_and_by_how_much() -> None:
    text = edited(ROW, BIG, ('mtu: 2000, endpoints: ["mid:eth2"', 'mtu: 1500, endpoints: ["mid:eth2"'))
    # 1400 + 8 (ICMP) + 20 (IPv4) + 40 (IPv6) + 8 + 2 * 16 (SRH)
    assert lost(text) == ("mid", "too big: 1508 bytes are 8 more than the MTU 1500 of mid:eth2")


@pytest.mark.parametrize(("size", "delivered"), [(1392, True), (1393, False)])
def test_what_just_fits_passes(size: int, delivered: bool) -> None:
    text = edited(
        ROW,
        ("icmp: 3}]", f"icmp: 3, size: {size}}}]"),
        ('mtu: 2000, endpoints: ["mid:eth2"', 'mtu: 1500, endpoints: ["mid:eth2"'),
    )
    assert there(text)[0].end.delivered is delivered


def test_the_way_back_may_be_too_narrow() -> None:
    """There the packet is reduced; back it has an SRH."""
    text = edited(
        ROW,
        ("icmp: 3}]", "icmp: 3, size: 1412}]"),
        ('to: {segments: ["fc00:b::e", "fc00:c::d4"]}', 'to: {segments: ["fc00:c::d4"]}, mode: encap.red'),
    ).replace("mtu: 2000", "mtu: 1500")
    assert there(text)[0].end.delivered
    (trace,) = back(text)
    assert (str(trace.end.place), trace.end.reason) == (
        "exit", "too big: 1504 bytes are 4 more than the MTU 1500 of exit:eth2",
    )  # fmt: skip


# --- forks


def possible(traces: Sequence[Trace]) -> set[Fraction]:
    return set(Shares.of(Way(trace.share, trace.choices) for trace in traces).possible)


def chosen(traces: Sequence[Trace]) -> dict[str, tuple[Fraction, list[bool]]]:
    """Of each way, by the node behind the fork, its share and whether all flows go it that go it at all."""
    return {trace.hops[3].point.node: (trace.share, [one.all_ for one in trace.choices]) for trace in traces}


def test_a_fork_shares_by_weight_the_flows_that_its_hash_tells_apart() -> None:
    assert chosen(there(PLAIN)) == {"north": (Fraction(1, 4), []), "south": (Fraction(3, 4), [])}
    own = edited(PLAIN, ("from: west, to: east", "from: gate, to: east"))
    assert {trace.hops[1].point.node: trace.share for trace in there(own)} == {"north": 1, "south": 1}


def test_all_flows_of_a_policy_that_look_alike_from_outside_take_one_way() -> None:
    for text in (FORK, FORK.replace("icmp: 3", "udp: 80")):
        assert chosen(there(text)) == {"north": (1, [True]), "south": (1, [True])}
        assert possible(there(text)) == {1}
        assert possible(there(text)[:1]) == {0, 1}
    assert chosen(back(FORK)) == {"north": (1, [True]), "south": (1, [True])}


def test_flows_of_a_policy_that_look_different_take_any_way() -> None:
    """Each processor keeps the way that it found for the first of them."""
    assert chosen(there(SIX)) == {"north": (1, [False]), "south": (1, [False])}
    one, other = there(SIX)
    shares = Shares.of([Way(one.share, one.choices)])
    assert shares.permit(Fraction(1, 2)) and str(shares) == "any"
    assert Shares.of(Way(each.share, each.choices) for each in (one, other)).sure == 1


def test_one_answer_however_many_ways_the_request_may_take() -> None:
    assert len(back(FORK)) == 2


def test_no_fork_has_the_whole_share() -> None:
    assert [trace.share for trace in there(ROW)] == [1]


def test_a_fork_in_which_one_way_loses_the_packet() -> None:
    text = edited(FORK, ('{prefix: "fc00:d::/64", via: "2001:cd::2"}, ', ""))
    ends = {trace.hops[3].point.node: trace.end for trace in there(text)}
    assert ends["north"].delivered
    assert (ends["south"].delivered, ends["south"].reason) == (False, "south has no route to fc00:d::d4")
    assert possible(there(text)) == {1}
    assert possible(back(text)) == {1}


def test_a_fork_behind_a_fork() -> None:
    """South forks too: to exit, or back over gate's other neighbor."""
    text = edited(
        FORK,
        (
            '{prefix: "fc00:d::/64", via: "2001:cd::2"}',
            '{prefix: "fc00:d::/64", via: "2001:cd::2"}, {prefix: "fc00:d::/64", via: "2001:bc::1"}',
        ),
        (
            "local_sids:",
            '  - {name: bc, prefix: "2001:bc::/64", mtu: 2000, endpoints: ["north:eth3", "south:eth3"]}\nlocal_sids:',
        ),
    )
    traces = {tuple(way(trace)): trace for trace in there(text)}
    assert {key: len(trace.choices) for key, trace in traces.items()} == {
        ("west:eth1", "gate:eth2", "north:eth2", "exit:eth1"): 1,
        ("west:eth1", "gate:eth3", "south:eth2", "exit:eth1"): 2,
        ("west:eth1", "gate:eth3", "south:eth3", "north:eth2", "exit:eth1"): 2,
    }
    assert possible([*traces.values()]) == {1}
    assert possible([*traces.values()][:2]) == {0, 1}


def test_too_many_ways_are_given_up_with_the_rest_of_the_share() -> None:
    """Two that send each half of what they have to the other: 2^60 ways to nowhere."""
    text = edited(
        PLAIN,
        ('{prefix: "fc00:d::/64", via: "2001:bd::2"}', '{prefix: "2001:db8:2::/64", via: "2001:ab::1"}'),
        ('{prefix: "fc00:d::/64", via: "2001:cd::2"}', '{prefix: "2001:db8:2::/64", via: "2001:ac::1"}'),
    )
    traces = there(text)
    assert len(traces) == MOST_WALKS + 1
    assert "does it go round in circles?" in traces[-1].end.reason
    assert sum(trace.share for trace in traces) == 1


# --- the property


def _random(chance: random.Random) -> str:
    """A mesh with routes that know no better: some lead home, some in circles, some nowhere."""
    text = FORK
    for old, choices in (
        ("weight: 3", ["weight: 1", "weight: 7"]),
        ('{prefix: "fc00:d::/64", via: "2001:bd::2"}', ['{prefix: "fc00:d::/64", via: "2001:ab::1"}', '{prefix: "fc00:e::/64", via: "2001:bd::2"}', '{prefix: "::/0", via: "2001:bd::2"}']),
        ('{prefix: "fc00:d::/64", via: "2001:cd::2"}', ['{prefix: "fc00:d::/64", via: "2001:cd::2"}, {prefix: "fc00:d::/64", via: "2001:ac::1"}', '{prefix: "fc00:d::/64", via: "2001:cd::77"}']),
        ('{prefix: "fc00:a::/64", via: "2001:cd::1"}', ['{prefix: "fc00::/16", via: "2001:cd::1"}']),
        ("behavior: End.DX4, nh4: 10.0.2.1", ["behavior: End.DX4, nh4: 10.0.2.9", "behavior: End"]),
        ("icmp: 3}]", ["icmp: 3, size: 1472}]"]),
        ("mtu: 2000, endpoints: [\"south:eth2\"", ["mtu: 1500, endpoints: [\"south:eth2\""]),
        ('to: {segments: ["fc00:a::d4"]}', ['to: {segments: ["fc00:a::d4"]}, mode: encap.red']),
    ):  # fmt: skip
        if chance.random() < 0.4:
            text = edited(text, (old, chance.choice(choices)))
    return text


def test_walks_end_and_no_hop_limit_rises_and_shares_make_a_whole() -> None:
    chance = random.Random(8986)
    ends: set[bool] = set()
    for _ in range(30):
        prediction = foretold(_random(chance))
        for traces in (prediction.rfc, prediction.linux):
            for leg in Leg:
                of_leg = [trace for trace in traces if trace.leg is leg]
                assert possible(of_leg) in (({1},) if leg is Leg.THERE else ({0}, {1}))
                ends |= {trace.end.delivered for trace in of_leg}
        for trace in (*prediction.rfc, *prediction.linux):
            innermost = [hop.packet.innermost.hop_limit for hop in trace.hops]
            assert innermost == sorted(innermost, reverse=True), shown(trace)
            for before, after in zip(trace.hops, trace.hops[1:], strict=False):
                if len(before.packet.headers) == len(after.packet.headers):
                    assert after.packet.outer.hop_limit <= before.packet.outer.hop_limit
    assert ends == {True, False}, "the property is of little worth if all walks end alike"


def test_a_link_with_another_mtu_takes_what_fits() -> None:
    """1300 bytes behind the IPv4 and ICMP headers, and 80 more for two segments."""
    narrow = "  - name: across\n    apply: [{mtu: {link: core, to: 1400}}]\n"
    text = SMALL.replace("  - name: across\n", narrow).replace("icmp: 3}", "icmp: 3, size: 1300}")
    (there,) = predict(planned(text), "across")[0].rfc
    assert there.end.reason == "too big: 1408 bytes are 8 more than the MTU 1400 of gate:eth2"
    assert predict(planned(text.replace("1400", "1408")), "across")[0].rfc[0].end.delivered
