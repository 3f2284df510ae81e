"""Walks through SIDs of every behavior that a lab can have, by the RFCs and by Linux."""

from __future__ import annotations

import pytest

from srv6lab.evidence.packets import Direction
from srv6lab.evidence.wording import describe, sentence
from srv6lab.srv6.quirks import QUIRKS
from tests.small import planned
from tests.walks import BACK, FORK, PING, ROW, back, edited, foretold, lost, shown, there, way

# --- segments


def test_end_x_takes_its_link_and_no_other() -> None:
    text = edited(
        FORK,
        (
            "local_sids:\n",
            'local_sids:\n  - {node: gate, sid: "fc00:a::c", behavior: End.X, nh6: "2001:ab::2"}\n',
        ),
        ('segments: ["fc00:d::d4"]', 'segments: ["fc00:a::c", "fc00:d::d4"]'),
    )
    with pytest.raises(Exception, match="route to its first segment"):
        planned(text)
    text = edited(
        FORK,
        (
            "local_sids:\n",
            'local_sids:\n  - {node: south, sid: "fc00:c::c", behavior: End.X, nh6: "2001:cd::2"}\n',
        ),
        ('segments: ["fc00:d::d4"]', 'segments: ["fc00:c::c", "fc00:d::d4"]'),
        (
            'routes: [{prefix: "fc00:d::/64", via: "2001:ab::2", weight: 1}',
            'routes: [{prefix: "fc00:c::/64", via: "2001:ac::2"}, {prefix: "fc00:d::/64", via: "2001:ab::2", weight: 1}',
        ),
        (
            'south: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "fc00:d::/64", via: "2001:cd::2"}, ',
            'south: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [',
        ),
    )
    (trace,) = there(text)
    assert way(trace) == ["west:eth1", "gate:eth3", "south:eth2", "exit:eth1"]
    assert trace.hops[4].reason == "SID fc00:c::c; to neighbor 2001:cd::2"
    # With End in its place the packet needs a route, and south has none.
    assert lost(text.replace('behavior: End.X, nh6: "2001:cd::2"', "behavior: End"))[0] == "south"


TABLE = edited(
    FORK,
    ("local_sids:\n", 'local_sids:\n  - {node: gate, sid: "fc00:a::7", behavior: End.T, table: 100}\n  - {node: exit, sid: "fc00:d::e", behavior: End}\n'),
    ('exit: {role: router, locator: "fc00:d::/64", loopback: "fc00:d::1/64", routes: [', 'exit: {role: router, locator: "fc00:d::/64", loopback: "fc00:d::1/64", routes: ['),
    ('{prefix: "fc00:d::/64", via: "2001:ac::2", weight: 3}]', '{prefix: "fc00:d::/64", via: "2001:ac::2", weight: 3}, {prefix: "fc00:d::/64", via: "2001:ac::2", table: 100}]'),
    ('to: {segments: ["fc00:a::d4"]}', 'to: {segments: ["fc00:a::7", "fc00:d::e", "fc00:a::d4"]}'),
)  # fmt: skip


def test_end_t_looks_into_its_own_table() -> None:
    """The answer goes to gate, from there over the table's only way to exit, and home by either."""
    for trace in back(TABLE):
        at = way(trace).index("gate:eth3")
        assert trace.hops[2 * at].reason == "SID fc00:a::7; fc00:d::/64 via 2001:ac::2"
        assert trace.end.delivered
    assert len(back(TABLE)) == 4, "exit's fork, twice"


def test_end_t_passes_the_main_table_over() -> None:
    text = edited(
        TABLE,
        (
            ', {prefix: "fc00:d::/64", via: "2001:ac::2", table: 100}',
            ', {prefix: "fc00:f::/64", via: "2001:ac::2", table: 100}',
        ),
    )
    assert {trace.end.reason for trace in back(text)} == {"table 100 of gate has no route to fc00:d::e"}


# --- IPv6 customers: End.DX6, End.DT6

SIX = edited(
    ROW,
    ("west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}", 'west: {role: host, routes: [{prefix: "2001:2::/64", via: "2001:1::2"}]}'),
    ("east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}", 'east: {role: host, routes: [{prefix: "2001:1::/64", via: "2001:2::2"}]}'),
    ("cable-a, prefix: 10.0.1.0/24", 'cable-a, prefix: "2001:1::/64"'),
    ("cable-b, prefix: 10.0.2.0/24", 'cable-b, prefix: "2001:2::/64"'),
    ('sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1', 'sid: "fc00:a::d6", behavior: End.DX6, nh6: "2001:1::1"'),
    ('sid: "fc00:c::d4", behavior: End.DX4, nh4: 10.0.2.1', 'sid: "fc00:c::d6", behavior: End.DT6, table: 100'),
    ("match: {prefix: 10.0.2.0/24}", 'match: {prefix: "2001:2:0::/48"}'),
    ("match: {prefix: 10.0.1.0/24}", 'match: {prefix: "2001:1:0::/48"}'),
    ('"fc00:b::e", "fc00:c::d4"', '"fc00:b::e", "fc00:c::d6"'),
    ('["fc00:a::d4"]', '["fc00:a::d6"]'),
    ('exit: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [', 'exit: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "2001:2::/64", via: "2001:2::1", table: 100}, '),
)  # fmt: skip


def test_an_ipv6_probe_through_a_table() -> None:
    """The outer hop limit takes after the inner one's; icmpv6 is what the host speaks."""
    (trace,) = there(SIX)
    assert shown(trace) == [
        "west:eth1 2001:1::1 → 2001:2::1 hl 64 icmpv6",
        "gate:eth2 2001:ab::1 → fc00:b::e hl 64 [fc00:c::d6, *fc00:b::e] SL 1 | 2001:1::1 → 2001:2::1 hl 63 icmpv6",
        "mid:eth2 2001:ab::1 → fc00:c::d6 hl 63 [*fc00:c::d6, fc00:b::e] SL 0 | 2001:1::1 → 2001:2::1 hl 63 icmpv6",
        "exit:eth1 2001:1::1 → 2001:2::1 hl 62 icmpv6",
        "delivered to east",
    ]
    assert trace.hops[6].reason == "SID fc00:c::d6; 2001:2::/64 via 2001:2::1"
    assert shown(back(SIX)[0])[-2:] == ["gate:eth1 2001:2::1 → 2001:1::1 hl 62 icmpv6", "delivered to west"]


def test_a_table_without_the_route_is_not_made_up_for_by_the_main_one() -> None:
    text = edited(SIX, ('via: "2001:2::1", table: 100}', 'via: "2001:2::1", table: 101}'))
    assert lost(text) == ("exit", "table 100 of exit has no route to 2001:2::1")


# --- flavors and tunnels


def test_psp_takes_the_srh_off_before_the_last_segment() -> None:
    text = edited(
        ROW, ('sid: "fc00:b::e", behavior: End}', 'sid: "fc00:b::e", behavior: End, flavors: [PSP]}')
    )
    (trace,) = there(text)
    assert shown(trace)[2] == f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 63 | {PING} hl 63 icmp"
    assert trace.end.delivered
    # 84 bytes of IPv4 and a header of 40: no SRH is counted.
    assert trace.hops[4].packet.ip_length == 84 + 40


def test_reduced_leaves_the_first_segment_out() -> None:
    text = edited(ROW, ('["fc00:b::e", "fc00:c::d4"]}', '["fc00:b::e", "fc00:c::d4"]}, mode: encap.red'))
    assert shown(there(text)[0])[1:3] == [
        f"gate:eth2 2001:ab::1 → fc00:b::e hl 64 [fc00:c::d4] SL 1 | {PING} hl 63 icmp",
        f"mid:eth2 2001:ab::1 → fc00:c::d4 hl 63 [*fc00:c::d4] SL 0 | {PING} hl 63 icmp",
    ]


def test_reduced_of_one_segment_has_no_srh() -> None:
    text = edited(ROW, ('to: {segments: ["fc00:a::d4"]}', 'to: {segments: ["fc00:a::d4"]}, mode: encap.red'))
    assert shown(back(text)[0])[1] == f"exit:eth2 2001:bc::2 → fc00:a::d4 hl 64 | {BACK} hl 63 icmp"


def test_next_csid_moves_up_what_follows_in_the_address() -> None:
    text = edited(
        ROW,
        ('{node: mid, sid: "fc00:b::e", behavior: End}', '{node: mid, sid: "fc00:f:b::", behavior: End, flavors: [NEXT-CSID]}\n  - {node: exit, sid: "fc00:f:c::", behavior: End, flavors: [NEXT-CSID]}'),
        ('["fc00:b::e", "fc00:c::d4"]', '["fc00:f:b:c::", "fc00:c::d4"]'),
        ('{prefix: "fc00:c::/64", via: "2001:bc::2"}', '{prefix: "fc00:c::/64", via: "2001:bc::2"}, {prefix: "fc00:f:c::/48", via: "2001:bc::2"}'),
    )  # fmt: skip
    (trace,) = there(text)
    assert shown(trace)[1:] == [
        f"gate:eth2 2001:ab::1 → fc00:f:b:c:: hl 64 [fc00:c::d4, *fc00:f:b:c::] SL 1 | {PING} hl 63 icmp",
        f"mid:eth2 2001:ab::1 → fc00:f:c:: hl 63 [fc00:c::d4, *fc00:f:b:c::] SL 1 | {PING} hl 63 icmp",
        f"exit:eth1 {PING} hl 62 icmp",
        "delivered to east",
    ]
    assert trace.hops[6].behaviors == ("End", "End.DX4")


BOUND = edited(
    ROW,
    ('{node: mid, sid: "fc00:b::e", behavior: End}', '{node: mid, sid: "fc00:b::b6", behavior: End.B6.Encaps, policy: {segments: ["fc00:c::e"]}}\n  - {node: exit, sid: "fc00:c::e", behavior: End}\n  - {node: exit, sid: "fc00:c::d6", behavior: End.DT6, table: 254}'),
    ('["fc00:b::e", "fc00:c::d4"]', '["fc00:b::b6", "fc00:c::d4"]'),
)  # fmt: skip


def test_a_binding_sid_ends_where_nobody_opens_the_outer_packet() -> None:
    """End is no decapsulation: the outer header's last segment is an End, which has nothing to hand on."""
    place, reason = lost(BOUND)
    assert place == "exit"
    assert reason.startswith("End: ICMPv6 Parameter Problem")


@pytest.mark.parametrize("linux", [False, True])
def test_a_binding_sid_puts_a_tunnel_in_a_tunnel(linux: bool) -> None:
    text = edited(
        BOUND,
        ('policy: {segments: ["fc00:c::e"]}', 'policy: {segments: ["fc00:c::d6"]}'),
        ("table: 254", "table: 100"),
        (
            'exit: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [',
            'exit: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "fc00:c::/64", via: "2001:bc::1", table: 100}, ',
        ),
    )
    (trace,) = there(text, linux=linux)
    outer, inner = (62, 63) if linux else (63, 63)
    innermost = 64 if linux else 63
    third = sentence(describe(trace.hops[4].packet))
    if linux:
        assert (
            third
            == f"2001:bc::1 → fc00:c::d6 hl {outer} [*fc00:c::d6] SL 0 | 2001:ab::1 → fc00:c::d4 hl {inner} [*fc00:c::d4, fc00:b::b6] SL 0 | {PING} hl {innermost} icmp"
        )
        assert "bound-before-the-hop" in trace.hops[4].quirks
    else:
        assert (
            third
            == f"2001:bc::1 → fc00:c::d6 hl 64 [*fc00:c::d6] SL 0 | 2001:ab::1 → fc00:c::d4 hl {inner} [*fc00:c::d4, fc00:b::b6] SL 0 | {PING} hl {innermost} icmp"
        )
    # Table 100 sends what was inside back to mid, which forwards it to exit again.
    assert trace.end.delivered
    assert way(trace)[2:] == ["mid:eth2", "exit:eth2", "mid:eth2", "exit:eth1"]


# --- an SRH that ends at an address

AT_ADDRESS = edited(ROW, ('["fc00:b::e", "fc00:c::d4"]', '["fc00:b::e", "fc00:c::1"]'))


def test_an_srh_that_ends_at_an_address_is_not_opened_by_the_rfc() -> None:
    assert lost(AT_ADDRESS) == (
        "exit",
        "fc00:c::1 is an address of exit, no SID: nothing opens what it holds",
    )


def test_linux_opens_it_and_its_tracer_sees_it_twice() -> None:
    (trace,) = there(AT_ADDRESS, linux=True)
    again = [hop for hop in trace.hops if str(hop.point) == "exit:eth2" and hop.direction is Direction.IN]
    first, second = (describe(hop.packet) for hop in again)
    framed = first.keys() - second.keys()  # what comes in again has no frame of its own
    assert framed == {"source_mac", "destination_mac"}
    assert {name: word for name, word in first.items() if name not in framed} == second
    assert trace.end.delivered
    assert trace.hops[-1].quirks[-1] == "address-taken-for-a-segment"


def test_an_address_in_the_middle_of_a_path() -> None:
    text = edited(ROW, ('["fc00:b::e", "fc00:c::d4"]', '["fc00:b::1", "fc00:c::d4"]'))
    assert lost(text) == ("mid", "fc00:b::1 is an address of mid, no SID, and segments are left")
    (trace,) = there(text, linux=True)
    assert trace.end.delivered


def test_linux_delivers_nothing_that_end_sends_to_its_own_node() -> None:
    text = edited(ROW, ('["fc00:b::e", "fc00:c::d4"]', '["fc00:b::e", "fc00:b::1", "fc00:c::d4"]'))
    assert lost(text, linux=True) == (
        "mid", "fc00:b::1 is an address of mid, and Linux delivers nothing that End sends on",
    )  # fmt: skip
    assert lost(text) == ("mid", "fc00:b::1 is an address of mid, no SID, and segments are left")


# --- every quirk that the walk knows is one of the record


def test_linux_never_has_a_quirk_that_the_record_does_not_know() -> None:
    for text in (ROW, FORK, SIX, AT_ADDRESS, BOUND, TABLE):
        quirks = {quirk for trace in foretold(text).linux for hop in trace.hops for quirk in hop.quirks}
        assert quirks <= set(QUIRKS)
        assert not any(hop.quirks for trace in foretold(text).rfc for hop in trace.hops)
