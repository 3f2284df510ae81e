"""The notation of packets: what `check` prints is what a file accepts."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srv6lab.evidence.fields import expected
from srv6lab.evidence.packets import IpHeader, PacketView, Srh
from srv6lab.evidence.wording import describe, sentence
from srv6lab.topology.expectations import PacketExpectation
from srv6lab.topology.notation import NotationError, parse, written

SIDS = st.integers(1, 2**128 - 1).map(IPv6Address)
HOPS = st.integers(0, 255)
PROTOCOLS = st.sampled_from(["icmp", "udp", "tcp"])


def fields_of(text: str) -> dict[str, str]:
    """What an author who writes this expects."""
    document = parse(text).document()
    return dict(
        expected(
            PacketExpectation.model_validate(
                {"at": "r1:eth1", "direction": "in", "probe": "echo", **document}
            )
        )
    )


@st.composite
def headers(draw: st.DrawFn, following: str, six: bool = True) -> IpHeader:
    """An IP header as it is on the wire: behind it is what it says."""
    kind = SIDS if six else st.integers(1, 2**32 - 1).map(IPv4Address)
    listed = draw(st.lists(SIDS, max_size=4)) if six else []
    left = draw(st.integers(0, len(listed)))
    srh = Srh(tuple(listed), left, len(listed) - 1) if listed else None
    protocol = "icmpv6" if (six, following) == (True, "icmp") else following
    return IpHeader(
        draw(kind),
        draw(kind),
        draw(HOPS),
        protocol=protocol,
        srh=srh,
        next_header="routing" if srh else protocol,
    )


@st.composite
def packets(draw: st.DrawFn) -> PacketView:
    """Up to three IP headers, of which the innermost may be IPv4."""
    six = draw(st.booleans())
    found = [draw(headers(draw(PROTOCOLS), six))]
    for _ in range(draw(st.integers(0, 2))):
        found.insert(0, draw(headers("ipv6" if found[0].source.version == 6 else "ipv4")))
    if len(found) > 1:
        found[-1] = replace(found[-1], srh=None, next_header=found[-1].protocol)
    return PacketView(1, 0.0, 200, "", "", tuple(found))


@pytest.mark.parametrize("examples", [300, pytest.param(10_000, marks=pytest.mark.prove)])
def test_every_printed_packet_parses_back(examples: int) -> None:
    settings(max_examples=examples, deadline=None)(given(packets())(parses_back))()


def parses_back(packet: PacketView) -> None:
    seen = describe(packet)
    said = sentence(seen)
    found = fields_of(said)
    assert found.items() <= seen.items()
    assert sentence(found) == said
    assert {"source", "destination", "hop_limit", "protocol"} <= found.keys()
    assert ("segment_list" in found) == (packet.outer.srh is not None)
    assert fields_of(said.replace("→", "->")) == found


@settings(max_examples=300, deadline=None)
@given(packets(), packets(), st.integers(0, 255))
def test_what_is_written_short_is_read_back(one: PacketView, other: PacketView, hops: int) -> None:
    packet = parse(sentence(describe(one)))
    moved = replace(one, headers=(replace(one.outer, hop_limit=hops), *one.headers[1:]))
    inside = replace(one, headers=one.headers[1:] or one.headers)
    for before in (None, packet, *(parse(sentence(describe(view))) for view in (other, moved, inside))):
        assert parse(written(packet, before), before).document() == packet.document()


def test_what_is_the_same_is_written_short() -> None:
    first = parse("10.0.0.1 → 10.0.1.1 hl 64 icmp")
    text = "2001:12::1 → fc00:2::a hl 63 [fc00:3::a, *fc00:2::a] | same"
    second = parse(text, first)
    assert written(second, first) == text
    assert written(parse("same hl 62 | same hl 9", second), second) == "same hl 62 | same hl 9"
    assert (
        written(parse("same hl 63 len 84 count 2 share 1/2", first), first)
        == "same hl 63 len 84 count 2 share 1/2"
    )
    assert (
        written(parse("→ fc00::a [fc00::b] SL 1 tag 7 oam udp")) == "* → fc00::a [fc00::b] SL 1 tag 7 oam udp"
    )


def test_what_is_written_together_belongs_together() -> None:
    found = fields_of(
        "2001:12::1 -> fc00:2::a hl 63 [fc00:3::a, *fc00:2::a] tag 7 oam flow 0xab len 188 | 10.0.0.1 → 10.0.1.1 icmp"
    )
    assert found == {
        "source": "2001:12::1",
        "destination": "fc00:2::a",
        "hop_limit": "63",
        "protocol": "ipv4",
        "segment_list": "fc00:3::a, fc00:2::a",
        "segments_left": "1",
        "next_header": "routing",
        "length": "188",
        "oam": "set",
        "tag": "7",
        "flow_label": "171",
        "inner.source": "10.0.0.1",
        "inner.destination": "10.0.1.1",
        "inner.protocol": "icmp",
    }


def test_what_is_not_written_is_not_judged() -> None:
    assert fields_of("→ fc00::a") == {"destination": "fc00::a"}
    assert fields_of("* → fc00::a | * → *") == {"destination": "fc00::a"}
    assert fields_of("fc00::1 → fc00::a []") == {
        "source": "fc00::1",
        "destination": "fc00::a",
        "segment_list": "none",
    }
    assert fields_of("→ fc00::a [] udp")["next_header"] == "udp"


def test_the_same_is_counted_from_the_innermost_header() -> None:
    first = parse("10.0.0.1 → 10.0.1.1 hl 64 icmp len 84")
    second = parse("2001:12::1 → fc00:2::a hl 63 [*fc00:2::a] | same hl 63", first)
    third = parse("same hl 62 | same", second)
    assert third.document() == {**second.document(), "hop_limit": 62}
    assert parse("same", second).document() == {
        "source": "10.0.0.1",
        "destination": "10.0.1.1",
        "hop_limit": 63,
        "protocol": "icmp",
    }


@pytest.mark.parametrize(
    "text, at, what",
    [
        ("", 0, "an IP header is missing"),
        ("10.0.0.1", 8, "something is missing behind `10.0.0.1`"),
        ("10.0.0.1 10.0.0.2", 9, "`10.0.0.2` stands where → should"),
        ("10.0.0.1 →", 10, "something is missing behind `→`"),
        ("10.0.0.1 → b", 11, "`b` is no address"),
        ("10.0.0.1 → 10.0.0.2 |", 21, "an IP header is missing"),
        ("| 10.0.0.1 → 10.0.0.2", 0, "no IP header stands before `|`"),
        ("same", 0, "no line before has such a header"),
        ("→ fc00::a hl", 12, "something is missing behind `hl`"),
        ("→ fc00::a hl x", 13, "`x` is no number"),
        ("→ fc00::a hl -1", 13, "`-1` is no number"),
        ("→ fc00::a hopp 1", 10, "`hopp` says nothing here"),
        ("→ fc00::a [fc00::b", 18, "something is missing behind `fc00::b`"),
        ("→ fc00::a [fc00::b fc00::c]", 19, "`fc00::c` stands where , or ] should"),
        ("→ fc00::a [10.0.0.1]", 11, "10.0.0.1 is no segment: those are IPv6"),
        ("→ fc00::a [*fc00::b, *fc00::c]", 21, "two segments are active"),
        ("→ fc00::a [fc00::b, *fc00::c] SL 0", 33, "the star is at segment 1, and SL is 0"),
        ("→ fc00::a icmpv6 | same", 10, "what follows this header says that it is icmpv6, or not"),
        ("→ fc00::a | → fc00::b tag 7", 26, "`tag` is said of the outermost header only"),
        ("→ fc00::a | → fc00::b [fc00::b]", 22, "no SRH can be said"),
        ("→ ::a | → ::b | → ::c | → ::d", 24, "more than 3 IP headers"),
        ("→ fc00::a hl 64 hl 63", 19, "hop limit is said twice"),
        ("→ fc00::a icmpv6 udp", 17, "protocol is said twice"),
        ("→ fc00::a [*fc00::b] hl 63 SL 1", 30, "segments left is said twice"),
        ("→ fc00::a SL 1 [*fc00::b]", 16, "segments left is said twice"),
        ("→ fc00::a [fc00::b] [fc00::c]", 20, "segment list is said twice"),
        ("→ fc00::a count 1 | → ::b count 2", 32, "count is said twice"),
        ("→ *b.End [*b.End]", 2, "`*b.End` is no address"),
        ("→ fc00::a ] ,", 10, "`]` says nothing here"),
    ],
)
def test_a_mistake_is_told_at_its_place(text: str, at: int, what: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse(text)
    assert what in caught.value.what
    assert caught.value.at == at
    assert caught.value.mend


def test_a_star_belongs_into_a_segment_list() -> None:
    with pytest.raises(NotationError) as caught:
        parse("→ *b.End hl 63")
    assert caught.value.mend == "a star stands in a segment list, [*fc00:2::a]; here write b.End"


@given(st.text(alphabet="→->|[]*, hlSL0123456789abcdef:.samecountshr", max_size=60))
def test_nothing_but_a_notation_error(text: str) -> None:
    try:
        parse(text, parse("10.0.0.1 → 10.0.1.1"))
    except NotationError as error:
        assert 0 <= error.at <= len(text)
