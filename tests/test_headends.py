"""Headends: an SRH that is put into a packet, hosts that steer, and where tunnels begin, as the model and Day0 have them."""

from __future__ import annotations

import pytest

from srv6lab.evidence.prediction import Trace
from srv6lab.render.day0 import render
from srv6lab.srv6.quirks import QUIRKS
from tests.small import planned
from tests.walks import ROW, back, edited, lost, shown, there

# ROW with IPv6 hosts; what is said of steering goes in behind.
SIX = edited(
    ROW,
    ("{prefix: 10.0.2.0/24, via: 10.0.1.2}", '{prefix: "::/0", via: "2001:1::2"}'),
    ("{prefix: 10.0.1.0/24, via: 10.0.2.2}", '{prefix: "::/0", via: "2001:2::2"}'),
    ('{prefix: "fc00:a::/64", via: "2001:ab::1"}', '{prefix: "2001:1::/64", via: "2001:ab::1"}'),
    ('{prefix: "fc00:c::/64", via: "2001:bc::2"}', '{prefix: "::/0", via: "2001:bc::2"}'),
    ("{name: cable-a, prefix: 10.0.1.0/24,", '{name: cable-a, prefix: "2001:1::/64",'),
    ("{name: cable-b, prefix: 10.0.2.0/24,", '{name: cable-b, prefix: "2001:2::/64",'),
    ("gate, sid: \"fc00:a::d4\", behavior: End.DX4, nh4: 10.0.1.1", 'gate, sid: "fc00:a::d6", behavior: End.DT6, table: 254'),
    ("exit, sid: \"fc00:c::d4\", behavior: End.DX4, nh4: 10.0.2.1", 'exit, sid: "fc00:c::d6", behavior: End.DT6, table: 254'),
    ('  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::e", "fc00:c::d4"]}}\n', "STEERING"),
    ('  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}\n', ""),
)  # fmt: skip


def steered(by: str, mode: str = "inline", segments: str = '"fc00:b::e"', prefix: str = "2001:2::/64") -> str:
    line = f'  - {{headend: {by}, match: {{prefix: "{prefix}"}}, to: {{segments: [{segments}]}}, mode: {mode}}}\n'
    return SIX.replace("STEERING", line)


def outgoing(trace: Trace) -> list[str]:
    return [line.partition(" ")[2] for line in shown(trace)[:-1]]


@pytest.mark.parametrize("linux", [False, True])
def test_a_router_inserts_and_takes_its_hop(linux: bool) -> None:
    (trace,) = there(steered("gate"), linux=linux)
    assert shown(trace) == [
        "west:eth1 2001:1::1 → 2001:2::1 hl 64 icmpv6",
        "gate:eth2 2001:1::1 → fc00:b::e hl 63 [2001:2::1, *fc00:b::e] SL 1 icmpv6",
        "mid:eth2 2001:1::1 → 2001:2::1 hl 62 [*2001:2::1, fc00:b::e] SL 0 icmpv6",
        "exit:eth1 2001:1::1 → 2001:2::1 hl 61 [*2001:2::1, fc00:b::e] SL 0 icmpv6",
        "delivered to east",
    ]
    (answer,) = back(steered("gate"), linux=linux)
    assert shown(answer)[0] == "east:eth1 2001:2::1 → 2001:1::1 hl 64 icmpv6"


def test_a_host_inserts_and_no_hop_is_taken_there() -> None:
    (trace,) = there(steered("west"), linux=True)
    assert outgoing(trace)[:2] == [
        "2001:1::1 → fc00:b::e hl 64 [2001:2::1, *fc00:b::e] SL 1 icmpv6",
        "2001:1::1 → fc00:b::e hl 63 [2001:2::1, *fc00:b::e] SL 1 icmpv6",
    ]
    assert not any(hop.quirks for hop in trace.hops)


def test_a_host_encapsulates() -> None:
    (trace,) = there(steered("west", "encap", '"fc00:b::e", "fc00:c::d6"'), linux=True)
    assert shown(trace)[0] == (
        "west:eth1 2001:1::1 → fc00:b::e hl 64 [fc00:c::d6, *fc00:b::e] SL 1 | 2001:1::1 → 2001:2::1 hl 64 icmpv6"
    )
    assert trace.end.delivered


def test_a_host_inserts_into_nothing_that_it_does_not_send_itself() -> None:
    """A router's route leads over a host: it forwards nothing, and its policy is no reason to."""
    text = steered("gate", "encap", '"fc00:b::e", "fc00:a::d6"')
    more = (
        '  - {headend: east, match: {prefix: "fc00:a::/64"}, to: {segments: ["fc00:b::e"]}, mode: inline}\n'
    )
    text = text.replace("exercises:\n", f"{more}exercises:\n")
    text = edited(text, ('{prefix: "::/0", via: "2001:bc::1"}', '{prefix: "::/0", via: "2001:bc::1"}, {prefix: "fc00:a::/64", via: "2001:2::1"}'))  # fmt: skip
    assert lost(text, linux=True) == ("east", "east forwards nothing")


def test_a_segment_that_takes_something_out_finds_nothing() -> None:
    text = steered("gate", segments='"fc00:c::d6"')
    assert lost(text)[0] == "exit"


def test_without_seg6_enabled_an_srh_ends_a_packet_on_linux_only() -> None:
    """Of a prefix that no policy of the lab inserts for, Day0 doesn't know: here an exercise's own SRH comes."""
    text = SIX.replace("STEERING", "").replace("steering:\n", "")
    text = text.replace("icmp: 3}]", 'icmp: 3, segments: ["fc00:b::e"]}]')
    assert [trace.end.delivered for trace in there(text)] == [True]
    place, reason = lost(text, linux=True)
    assert (place, reason) == (
        "east",
        "2001:2::1 is an address of east, where seg6_enabled is off: it takes no SRH",
    )
    assert "srh-dropped-where-disabled" in QUIRKS


def test_day0_lets_a_host_take_what_is_inserted_and_no_other() -> None:
    files = render(planned(steered("gate")))
    assert "seg6_enabled" in files["day0/east.sh"]
    assert "seg6_enabled" not in files["day0/west.sh"]
    assert (
        "route replace 2001:2::/64 encap seg6 mode inline segs fc00:b::e dev $eth2\n" in files["day0/gate.sh"]
    )
    files = render(planned(steered("west", "encap", '"fc00:b::e", "fc00:c::d6"')))
    assert (
        "route replace 2001:2::/64 encap seg6 mode encap segs fc00:b::e,fc00:c::d6" in files["day0/west.sh"]
    )
    assert "seg6_enabled" not in files["day0/east.sh"]


def test_a_tunnel_begins_where_the_node_says() -> None:
    text = steered("gate", "encap", '"fc00:b::e", "fc00:c::d6"')
    told = text.replace('loopback: "fc00:a::1/64"', 'loopback: "fc00:a::1/64", tunnel_source: "fc00:a::1"')
    (plain,), (trace,) = there(text, linux=True), there(told, linux=True)
    assert shown(plain)[1].startswith("gate:eth2 2001:ab::1 → fc00:b::e")
    assert shown(trace)[1].startswith("gate:eth2 fc00:a::1 → fc00:b::e")
    assert "sr tunsrc set fc00:a::1\n" in render(planned(told))["day0/gate.sh"]
    assert "tunsrc" not in render(planned(text))["day0/gate.sh"]
    # What is inserted keeps the source of the packet.
    inline = steered("gate").replace(
        'loopback: "fc00:a::1/64"', 'loopback: "fc00:a::1/64", tunnel_source: "fc00:a::1"'
    )
    (trace,) = there(inline, linux=True)
    assert shown(trace)[1].startswith("gate:eth2 2001:1::1 → fc00:b::e")
