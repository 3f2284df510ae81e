"""The words for a packet, and what an author wrote turned into them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from srv6lab.evidence.fields import NAMED, NONE
from srv6lab.evidence.packets import Direction, PacketView, Point
from srv6lab.evidence.wording import describe, foretell, sentence
from srv6lab.judge.expectations import expectations
from srv6lab.topology.expectations import Inner, Middle, PacketExpectation
from tests.small import EAST, SMALL, WEST, header, packet, plain, planned, srh, tunneled

TWO = ("fc00:b::d4", "fc00:b::e")


def inside_ipv6() -> PacketView:
    routing = srh(*TWO, left=0)
    inner = header("2001:db8::1", "2001:db8::2", 64, "icmpv6")
    return packet(header("2001:ab::1", "fc00:b::d4", 62, "ipv6", routing), inner)


def best_effort() -> PacketView:
    """One segment in a reduced encapsulation: no SRH is there at all."""
    return packet(header("2001:ab::1", "fc00:b::d4", 63, "ipv4"), header(WEST, EAST, 64, "icmp"))


def bound() -> PacketView:
    """Behind a binding SID: a policy's packet within that of another."""
    outer = header("2001:ab::1", "fc00:c::e", 62, "ipv6", srh("fc00:c::6", "fc00:c::e", left=1))
    middle = header("2001:12::1", "fc00:b::d4", 63, "ipv4", srh(*TWO, left=0))
    return packet(outer, middle, header(WEST, EAST, 64, "icmp"))


@pytest.mark.parametrize(
    ("view", "text"),
    [
        pytest.param(plain(), f"{WEST} → {EAST} hl 64 icmp", id="plain"),
        pytest.param(
            tunneled(),
            f"2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] SL 1 | {WEST} → {EAST} hl 64 icmp",
            id="srh",
        ),
        pytest.param(
            tunneled("fc00:b::d4", left=0),
            f"2001:ab::1 → fc00:b::d4 hl 63 [*fc00:b::d4, fc00:b::e] SL 0 | {WEST} → {EAST} hl 64 icmp",
            id="last-segment",
        ),
        pytest.param(
            tunneled(left=5),
            f"2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, fc00:b::e] SL 5 | {WEST} → {EAST} hl 64 icmp",
            id="segments-left-beyond-the-list",
        ),
        pytest.param(
            tunneled(left=2),
            f"2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, fc00:b::e] SL 2 | {WEST} → {EAST} hl 64 icmp",
            id="segments-left-one-beyond-the-list",
        ),
        pytest.param(
            inside_ipv6(),
            "2001:ab::1 → fc00:b::d4 hl 62 [*fc00:b::d4, fc00:b::e] SL 0 | 2001:db8::1 → 2001:db8::2 hl 64 icmpv6",
            id="inner-ipv6",
        ),
        pytest.param(
            bound(),
            "2001:ab::1 → fc00:c::e hl 62 [fc00:c::6, *fc00:c::e] SL 1"
            f" | 2001:12::1 → fc00:b::d4 hl 63 [*fc00:b::d4, fc00:b::e] SL 0 | {WEST} → {EAST} hl 64 icmp",
            id="tunnel-in-a-tunnel",
        ),
        pytest.param(
            best_effort(), f"2001:ab::1 → fc00:b::d4 hl 63 | {WEST} → {EAST} hl 64 icmp", id="no-srh"
        ),
    ],
)
def test_a_packet_in_one_line(view: PacketView, text: str) -> None:
    assert sentence(describe(view)) == text


def test_an_expectation_that_says_little_is_a_line_too() -> None:
    assert sentence({"segments_left": "1"}) == "* → * SL 1"
    assert sentence({"inner.destination": EAST, "hop_limit": "3"}) == f"* → * hl 3 | * → {EAST}"


def test_a_plain_packet_has_no_srh_and_nothing_inside() -> None:
    fields = describe(plain())
    assert (fields["source"], fields["destination"], fields["hop_limit"]) == (WEST, EAST, "64")
    assert {name for name, value in fields.items() if value == NONE} == {
        "segment_list",
        "segments_left",
        "hmac",
        "oam",
        "tag",
        "flow_label",
        *(f"middle.{name}" for name in ("source", "destination", "hop_limit", "protocol")),
        "middle.segment_list",
        "middle.segments_left",
        "inner.source",
        "inner.destination",
        "inner.hop_limit",
        "inner.protocol",
    }


def test_without_an_srh_the_inner_header_is_described() -> None:
    fields = describe(best_effort())
    assert (fields["segment_list"], fields["segments_left"]) == (NONE, NONE)
    assert (fields["protocol"], fields["inner.source"], fields["inner.protocol"]) == ("ipv4", WEST, "icmp")


@pytest.mark.parametrize(("flags", "said"), [(0x20, "set"), (0x00, "not set"), (0xDF, "not set")])
def test_the_o_flag_is_one_bit(flags: int, said: str) -> None:
    view = tunneled()
    assert view.outer.srh
    outer = replace(view.outer, srh=replace(view.outer.srh, flags=flags))
    assert describe(replace(view, headers=(outer, *view.headers[1:])))["oam"] == said
    assert _written("oam: true") == {"oam": "set"}


def test_the_segment_list_is_in_wire_order() -> None:
    assert describe(tunneled())["segment_list"] == "fc00:b::d4, fc00:b::e"


def test_of_three_headers_the_inner_one_is_the_innermost() -> None:
    outer = header("2001:ab::1", "fc00:b::e", 64, "ipv6", srh(*TWO, left=1))
    middle = header("2001:cd::1", "fc00:c::1", 64, "ipv4")
    fields = describe(packet(outer, middle, header(WEST, EAST, 9, "icmp")))
    assert (fields["inner.source"], fields["inner.hop_limit"]) == (WEST, "9")


class TestWhatTheAuthorWrote:
    wanted = expectations(planned(), "across")

    def test_the_order_is_the_file_s(self) -> None:
        assert [(one.point, one.direction) for one in self.wanted] == [
            (Point("gate", "eth2"), Direction.OUT),
            (Point("east", "eth1"), Direction.IN),
            (Point("west", "eth1"), Direction.IN),
        ]

    def test_only_what_is_written_is_judged(self) -> None:
        assert dict(self.wanted[0].fields) == {
            "destination": "fc00:b::e",
            "segment_list": "fc00:b::d4, fc00:b::e",
            "segments_left": "1",
            "inner.source": WEST,
            "inner.destination": EAST,
            "inner.protocol": "icmp",
        }
        assert self.wanted[2].fields == ()

    def test_counts_and_absence(self) -> None:
        assert [(one.count, one.absent) for one in self.wanted] == [(None, False), (2, False), (None, True)]

    def test_each_knows_its_place_in_the_file(self) -> None:
        for one in self.wanted:
            assert f'at: "{one.point}"' in one.location.source

    def test_the_flow_is_the_innermost_one(self) -> None:
        flow = (ip_address(WEST), ip_address(EAST))
        assert [one.flow for one in self.wanted] == [flow, flow, (None, None)]

    def test_it_means_packets_of_its_flow_only(self) -> None:
        first = self.wanted[0]
        assert first.means(tunneled())
        assert first.means(plain()), "a packet that lost its tunnel is still the flow's"
        assert not first.means(plain(EAST, WEST))


def _written(keys: str) -> dict[str, str]:
    text = f"""\
name: one
nodes: {{west: {{role: host}}, east: {{role: host}}}}
links: [{{name: cable, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "east:eth1"]}}]
exercises:
  - name: it
    probes: [{{id: echo, from: west, to: east, icmp: 1}}]
    expect: {{packets: [{{at: "east:eth1", direction: in, probe: echo, {keys}}}]}}
"""
    (one,) = expectations(planned(text), "it")
    return dict(one.fields)


def test_an_empty_segment_list_says_that_there_is_no_srh() -> None:
    wanted = _written("segment_list: []")
    assert wanted == {"segment_list": NONE}
    assert describe(best_effort())["segment_list"] == NONE
    assert describe(tunneled())["segment_list"] != NONE


def test_the_tag_is_the_srhs_and_none_without_one() -> None:
    view = tunneled()
    outer = replace(view.outer, srh=replace(view.outer.srh or srh(left=0), tag=7))
    assert describe(replace(view, headers=(outer, *view.headers[1:])))["tag"] == "7"
    assert (describe(tunneled())["tag"], describe(plain())["tag"]) == ("0", NONE)
    assert _written("tag: 0") == {"tag": "0"}


def test_of_a_flow_label_the_author_speaks_and_the_model_does_not() -> None:
    view = tunneled()
    outer = replace(view.outer, flow_label=0xBEEF)
    labeled = replace(view, headers=(outer, *view.headers[1:]))
    assert (describe(labeled)["flow_label"], describe(plain())["flow_label"]) == ("48879", NONE)
    assert "flow_label" not in foretell(labeled)
    assert _written("flow_label: 48879") == {"flow_label": "48879"}


def test_whatever_an_author_may_name_is_described() -> None:
    """A field that is in the topology's model and in no row of the table would be taken and never judged."""
    beside = {"at", "direction", "probe", "count", "share", "absent", "middle", "inner"}
    named = {*PacketExpectation.model_fields} - beside
    named |= {f"middle.{name}" for name in Middle.model_fields} | {
        f"inner.{name}" for name in Inner.model_fields
    }
    assert named <= describe(tunneled()).keys()
    assert {row.name for row in NAMED} <= named


def test_a_length_is_that_of_the_ip_packet() -> None:
    assert _written("length: 86") == {"length": "86"}
    assert describe(plain())["length"] == "86", "a frame of 100 bytes, less 14 of Ethernet"


def test_the_next_header_is_told_from_the_protocol() -> None:
    view = tunneled()
    outer = replace(view.outer, next_header="routing")
    fields = describe(replace(view, headers=(outer, *view.headers[1:])))
    assert (fields["next_header"], fields["protocol"]) == ("routing", "ipv4")
    assert _written("next_header: routing") == {"next_header": "routing"}


def test_the_middle_header_of_three_is_judged_with_its_srh() -> None:
    keys = 'middle: {destination: "fc00:b::d4", hop_limit: 63, segment_list: ["fc00:b::d4", "fc00:b::e"], segments_left: 0}'
    wanted = _written(keys)
    assert wanted == {
        "middle.destination": "fc00:b::d4",
        "middle.hop_limit": "63",
        "middle.segment_list": "fc00:b::d4, fc00:b::e",
        "middle.segments_left": "0",
    }
    assert wanted.items() <= describe(bound()).items()
    assert (
        wanted.keys() & {key for key, value in describe(tunneled()).items() if value == NONE} == wanted.keys()
    )
    assert _written("middle: {segment_list: []}") == {"middle.segment_list": NONE}


def test_a_hop_limit_of_0_is_judged() -> None:
    assert _written("hop_limit: 0") == {"hop_limit": "0"}


def test_who_names_only_outer_addresses_means_those() -> None:
    text = SMALL[: SMALL.index("      packets:")] + (
        "      walk:\n        echo:\n          there:\n            - gate > exit: 2001:ab::1 → fc00:b::d4\n"
    )
    text = text.replace("elsewhere: absent", "elsewhere: any")
    sent, _ = expectations(planned(text), "across")
    assert sent.means(best_effort())
    assert sent.means(tunneled("fc00:b::d4", left=0)), "with an SRH as well"
    assert not sent.means(tunneled()), "to another SID"
    assert not sent.means(plain())
    whole, *_ = expectations(planned(), "across")
    assert whole.means(tunneled()) and whole.means(plain()), "who names inner addresses means the flow"
