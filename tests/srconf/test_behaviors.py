"""What every behavior but End.AD4 does to packets, byte by byte; test_packets.py has End.AD4."""

import socket
import struct
from collections.abc import Iterator

import pytest

from .chain import Chain
from .packets import (
    IPV4,
    IPV6,
    LAST,
    NEXT,
    OTHER,
    SID,
    SOURCE,
    UDP,
    chained,
    checksum,
    hopped,
    icmp,
    ipv4,
    ipv6,
    plain6,
    probes,
    srh,
    udp,
    udp6,
    view,
)

SID6, MASKED = "fc00:a::a6", "fc00:a::ab"
TO4, TO6 = ("ip", "192.168.1.2", "veth0", "veth1"), ("ip", "fd00:1::2", "veth0", "veth1")
IPV6_FRAME = 0x86DD
MARK = b"srconf-probe"
INNER4 = ipv4("10.0.9.1", payload=udp(MARK))
INNER6 = udp6(MARK, source="fd00:9::1")


@pytest.fixture
def proxy(idle: Chain) -> Iterator[Chain]:
    """The chain without a SID, and none left for the next test."""
    yield idle
    idle.server1.srconf("flush", check=False)


def crossing(
    chain: Chain, packets: list[bytes], *, seconds: float = 5.0, expected: int | None = None
) -> list[bytes]:
    """Send packets to server1; what r3 receives of them."""
    with chain.r3.port("eth2") as port:
        chain.inject(packets)
        return probes(port, len(packets) if expected is None else expected, seconds, having=MARK)


def at_the_service(chain: Chain, packets: list[bytes], port: str = "veth0") -> list[bytes]:
    with chain.vnf.port(port) as sensor:
        chain.inject(packets)
        return probes(sensor, len(packets), having=MARK)


def chained6(inner: bytes, segments: tuple[str, ...] = (SID6, NEXT, LAST), **srh_fields: int) -> bytes:
    return ipv6(srh(segments, next_header=IPV6, **srh_fields) + inner, destination=segments[0])


# End.AD6


def test_ad6_gives_the_header_back_advanced(proxy: Chain) -> None:
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    assert at_the_service(proxy, [chained6(INNER6)]) == [hopped(INNER6, 1)]
    (packet,) = crossing(proxy, [chained6(INNER6)])
    seen = view(packet)
    assert (seen.destination, seen.segments_left, seen.hop_limit) == (NEXT, 1, 60)
    assert seen.segment_list == (LAST, NEXT, SID6)
    assert seen.inner == hopped(INNER6, 2)
    size = 96 + len(INNER6)
    assert proxy.server1.counters(SID6) == {"entered": (2, 2 * size), "returned": (2, 2 * len(INNER6))}


EXTENSIONS = {
    "hop-by-hop": plain6(0, b"\x11\x00\x1e\x04abcd" + INNER6[40:]),
    "destination": plain6(60, b"\x11\x00\x1e\x04abcd" + INNER6[40:]),
    "srh": plain6(43, srh(("fd00:b::1", "fd00:b::2"), next_header=UDP) + INNER6[40:]),
    "atomic-fragment": plain6(44, b"\x11\x00\x00\x00\x00\x00\x00\x07" + INNER6[40:]),
    "fragment": plain6(44, b"\x11\x00\x00\x81\x00\x00\x00\x07" + INNER6[40:]),
    "esp": plain6(50, struct.pack("!II", 1, 2) + MARK),
    "nothing": plain6(59, MARK),
}


@pytest.mark.parametrize("inner", EXTENSIONS.values(), ids=EXTENSIONS.keys())
def test_ad6_takes_any_ipv6(proxy: Chain, inner: bytes) -> None:
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    (packet,) = crossing(proxy, [chained6(inner)])
    assert view(packet).inner == hopped(inner, 2)


def test_ad6_tells_policies_apart(proxy: Chain) -> None:
    """By port, traffic class, address, protocol, ICMP identifier, and for fragments by identification."""
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    ways = (NEXT, OTHER, "fc00:9::5", "fc00:9::6", "fc00:9::7", "fc00:9::8", "fc00:9::9", "fc00:9::10")
    inners = (
        udp6(MARK),
        udp6(MARK, (1001, 2000)),
        udp6(MARK, traffic_class=0x28),
        udp6(MARK, source="fd00:a::9"),
        plain6(58, struct.pack("!BBHHH", 128, 0, 0, 1, 1) + MARK),
        plain6(58, struct.pack("!BBHHH", 128, 0, 0, 2, 1) + MARK),
        plain6(44, b"\x11\x00\x00\x81\x00\x00\x00\x07" + INNER6[40:]),
        plain6(44, b"\x11\x00\x00\x81\x00\x00\x00\x08" + INNER6[40:]),
    )
    expected = {hopped(inner, 2): way for inner, way in zip(inners, ways, strict=True)}
    rounds = [chained6(inner, (SID6, way, LAST)) for inner, way in zip(inners, ways, strict=True)] * 100
    seen = [view(packet) for packet in crossing(proxy, rounds)]
    assert len(seen) == 800
    assert [item for item in seen if item.destination != expected[item.inner]] == []


def test_ad6_icmp_error_of_the_service(proxy: Chain) -> None:
    """A hop limit that ends in the service, in two policies: the error takes the way of the flow it quotes."""
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    crossing(proxy, [chained6(udp6(MARK, (5, 6)), (SID6, OTHER, LAST)), chained6(udp6(MARK, (7, 8)))])
    (packet,) = crossing(proxy, [chained6(udp6(MARK, (7, 8), hop_limit=2))])
    seen = view(packet)
    assert seen.destination == NEXT
    assert (seen.inner[6], seen.inner[40:42]) == (58, b"\x03\x00")
    assert seen.inner[48 + 40 : 48 + 44] == struct.pack("!HH", 7, 8)


def test_neighbors_on_the_return_interface(proxy: Chain) -> None:
    """Neighbor discovery and link-local traffic of the link itself are not taken for the service's."""
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    proxy.vnf.run("ip", "-6", "neigh", "flush", "dev", "veth1")
    proxy.server1.run("ip", "-6", "neigh", "flush", "dev", "veth1")
    link_local = proxy.server1.run("ip", "-6", "-br", "addr", "show", "dev", "veth1", "scope", "link").stdout
    address = link_local.split()[2].split("/")[0]
    proxy.vnf.run("ping", "-c", "1", "-W", "1", f"{address}%veth1")
    proxy.server1.run("ping", "-c", "1", "-W", "1", "-I", "veth1", "fd00:2::2", check=False)
    assert "lladdr" in proxy.server1.run("ip", "-6", "neigh", "show", "dev", "veth1", "fd00:2::2").stdout
    assert "lladdr" in proxy.vnf.run("ip", "-6", "neigh", "show", "dev", "veth1", "fd00:2::1").stdout


def test_ad4_and_ad6_on_one_pair(proxy: Chain) -> None:
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    packets = [
        chained(INNER4),
        chained6(INNER6),
        chained6(INNER4, (SID, NEXT)),
        chained(INNER6, (SID6, NEXT)),
    ]
    seen = [view(packet) for packet in crossing(proxy, packets[:2] * 50)]
    assert sum(item.inner == hopped(INNER6, 2) for item in seen) == 50
    assert sum(item.inner[0] == 0x45 for item in seen) == 50
    assert crossing(proxy, packets[2:], seconds=0.1) == []
    for sid, inner in ((SID, INNER4), (SID6, INNER6)):
        counted = proxy.server1.counters(sid)
        assert {name: packets for name, (packets, _) in counted.items()} == {
            "entered": 50,
            "returned": 50,
            "inner_type": 1,
        }
        assert counted["returned"] == (50, 50 * len(inner))


# End.EAD4 and End.EAD6


@pytest.mark.parametrize(
    ("word", "sid", "to", "inner", "kind"),
    [("end.ead4", SID, TO4, INNER4, IPV4), ("end.ead6", SID6, TO6, INNER6, IPV6)],
    ids=["end.ead4", "end.ead6"],
)
def test_ead_may_be_the_last_segment(
    proxy: Chain, word: str, sid: str, to: tuple[str, ...], inner: bytes, kind: int
) -> None:
    """Back from the service, a packet of the last segment is plain; one of the middle has its header."""
    proxy.server1.srconf("add", sid, word, *to)
    middle = ipv6(srh((sid, NEXT, LAST), next_header=kind) + inner, destination=sid)
    last = ipv6(srh((NEXT, sid), next_header=kind, segments_left=0) + inner, destination=sid)
    bare = ipv6(inner, destination=sid, next_header=kind)
    for packet, segments_left in ((middle, 1), (last, None), (middle, 1), (bare, None), (middle, 1)):
        (seen,) = crossing(proxy, [packet])
        if segments_left is None:
            assert seen[-len(MARK) :] == MARK and len(seen) == len(inner)
        else:
            assert view(seen).segments_left == segments_left
    counted = proxy.server1.counters(sid)
    assert counted["entered"] == (5, len(last) + len(bare) + 3 * len(middle))
    assert counted["returned"] == (5, 5 * len(inner))


def test_ad_may_not_be_the_last_segment(proxy: Chain) -> None:
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    last = chained6(INNER6, (NEXT, SID6), segments_left=0)
    last = last[:24] + socket.inet_pton(socket.AF_INET6, SID6) + last[40:]
    bare = ipv6(INNER6, destination=SID6, next_header=IPV6)
    assert crossing(proxy, [last, bare], seconds=0.1) == []
    assert proxy.server1.counters(SID6) == {"segments_left_zero": (1, len(last)), "no_srh": (1, len(bare))}


# End.AS4 and End.AS6


def static(kind: int, inner: bytes, segments: tuple[str, ...], left: int, source: str) -> bytes:
    """What the static proxy must send, on the wire behind server1."""
    header = srh(segments, next_header=kind, segments_left=left)
    packet = ipv6(header + inner, destination=segments[len(segments) - 1 - left], hop_limit=63)
    return packet[:8] + socket.inet_pton(socket.AF_INET6, source) + packet[24:]


@pytest.mark.parametrize(
    ("word", "sid", "to", "inner", "kind"),
    [("end.as4", SID, TO4, INNER4, IPV4), ("end.as6", SID6, TO6, INNER6, IPV6)],
    ids=["end.as4", "end.as6"],
)
@pytest.mark.parametrize(
    ("segments", "left"), [((NEXT, LAST), None), ((LAST,), None), ((SID, NEXT, LAST), 1)]
)
def test_as_puts_on_the_chain_it_was_given(
    proxy: Chain,
    word: str,
    sid: str,
    to: tuple[str, ...],
    inner: bytes,
    kind: int,
    segments: tuple[str, ...],
    left: int | None,
) -> None:
    """Whatever the packet came with: any Segments Left, or no SRH at all."""
    given = [
        "src",
        "fc00:a::a",
        "segs",
        ",".join(segments),
        *(["left", str(left)] if left is not None else []),
    ]
    proxy.server1.srconf("add", sid, word, *to, *given)
    arriving = [
        ipv6(srh((sid, OTHER, LAST), next_header=kind) + inner, destination=sid),
        ipv6(srh((OTHER, sid), next_header=kind, segments_left=0) + inner, destination=sid),
        ipv6(inner, destination=sid, next_header=kind),
    ]
    rest = len(segments) - 1 if left is None else left
    back = hopped(inner, 2) if kind == IPV6 else ipv4("10.0.9.1", payload=udp(MARK), ttl=62)
    assert crossing(proxy, arriving) == [static(kind, back, segments, rest, "fc00:a::a")] * 3
    (shown,) = proxy.server1.show()
    assert (shown["source"], tuple(shown["segments"]), shown["segments_left"]) == (
        "fc00:a::a",
        segments,
        rest,
    )
    assert proxy.server1.counters(sid)["returned"] == (3, 3 * len(inner))
    text = proxy.server1.srconf("show").stdout
    assert f"\t Segments:        {','.join(segments)} \n\t Left    :        {rest} \n" in text


def test_as_takes_what_the_service_says_itself(proxy: Chain) -> None:
    """The static proxy needs no packet that came in before."""
    proxy.server1.srconf("add", SID, "end.as4", *TO4, "src", "fc00:a::a", "segs", f"{NEXT},{LAST}")
    own = ipv4("192.168.2.2", "10.0.1.1", payload=udp(MARK))
    with proxy.r3.port("eth2") as port:
        proxy.inject([own], node="vnf", interface="veth1", ethertype=0x0800)
        assert probes(port, 1, having=MARK) == [static(IPV4, own, (NEXT, LAST), 1, "fc00:a::a")]
    assert proxy.server1.counters(SID) == {"returned": (1, len(own))}


# End.AM


def masked(inner: bytes, segments: tuple[str, ...] = (MASKED, NEXT, LAST), tlvs: bytes = b"") -> bytes:
    return ipv6(srh(segments, next_header=IPV4, tlvs=tlvs, tag=9) + inner, destination=segments[0])


@pytest.mark.parametrize("tlvs", [b"", b"\x05\x06abcdef"], ids=["", "tlvs"])
def test_am_shows_the_last_segment_and_restores_the_next(proxy: Chain, tlvs: bytes) -> None:
    proxy.server1.srconf("add", MASKED, "end.am", *TO6)
    sent = masked(INNER4, tlvs=tlvs)
    (before,) = map(view, at_the_service(proxy, [sent]))
    assert (before.destination, before.segments_left, before.hop_limit) == (LAST, 1, 61)
    (after,) = map(view, crossing(proxy, [sent]))
    assert (after.destination, after.segments_left, after.hop_limit) == (NEXT, 1, 59)
    assert after.segment_list == (LAST, NEXT, MASKED)
    assert (after.tag, after.tlvs, after.inner) == (9, tlvs, INNER4)
    assert proxy.server1.counters(MASKED) == {"entered": (2, 2 * len(sent)), "returned": (2, 2 * len(sent))}


def test_am_with_a_reduced_srh_and_as_last_but_one(proxy: Chain) -> None:
    proxy.server1.srconf("add", MASKED, "end.am", *TO6)
    reduced = srh((NEXT, LAST), segments_left=2, last_entry=1)
    (seen,) = map(view, crossing(proxy, [ipv6(reduced + INNER4, destination=MASKED)]))
    assert (seen.destination, seen.segments_left) == (NEXT, 1)
    (seen,) = map(view, crossing(proxy, [masked(INNER4, (MASKED, LAST))]))
    assert (seen.destination, seen.segments_left) == (LAST, 0)


def test_am_without_an_inner_packet(proxy: Chain) -> None:
    """An SRH that was inserted, an upper layer behind it: nothing but the destination changes."""
    proxy.server1.srconf("add", MASKED, "end.am", *TO6)
    packet = ipv6(srh((MASKED, NEXT, LAST), next_header=UDP) + udp(MARK), destination=MASKED)
    (seen,) = map(view, crossing(proxy, [packet]))
    assert (seen.destination, seen.inner) == (NEXT, udp(MARK))


def test_am_discards(proxy: Chain) -> None:
    proxy.server1.srconf("add", MASKED, "end.am", *TO6)
    broken = {
        "segments_left_zero": ipv6(srh((NEXT, MASKED), segments_left=0) + INNER4, destination=MASKED),
        "no_srh": ipv6(INNER4, destination=MASKED, next_header=IPV4),
        "hop_limit": ipv6(srh((MASKED, NEXT)) + INNER4, destination=MASKED, hop_limit=1),
        "malformed_srh": ipv6(srh((MASKED, NEXT), segments_left=7) + INNER4, destination=MASKED),
    }
    assert crossing(proxy, list(broken.values()), seconds=0.1) == []
    assert proxy.server1.counters(MASKED) == {name: (1, len(packet)) for name, packet in broken.items()}


def test_am_return_side(proxy: Chain) -> None:
    """An SRH that makes no sense is discarded; what has none is the service's own, and goes its way."""
    proxy.server1.srconf("add", MASKED, "end.am", *TO6)
    wrong = ipv6(srh((NEXT, LAST), segments_left=2) + INNER4, destination=LAST)
    own = udp6(MARK, source="fd00:2::2", destination="fd00:b::1")
    with proxy.r3.port("eth2") as port:
        proxy.inject([wrong, own], node="vnf", interface="veth1", ethertype=IPV6_FRAME)
        assert probes(port, 2, 0.2, having=MARK) == [hopped(own, 1)]
    assert proxy.server1.counters(MASKED) == {"malformed_srh": (1, len(wrong))}


def test_am_packet_too_big_for_the_service(proxy: Chain) -> None:
    """The kernel answers with Packet Too Big; one byte less passes."""
    proxy.server1.run("ip", "link", "set", "veth0", "mtu", "1500")
    try:
        proxy.server1.srconf("add", MASKED, "end.am", *TO6)
        fits = masked(ipv4(payload=udp(MARK + bytes(1500 - 40 - 56 - 28 - len(MARK)))))
        assert len(fits) == 1500
        big = masked(ipv4(payload=udp(MARK + bytes(1501 - 40 - 56 - 28 - len(MARK)))))
        assert len(crossing(proxy, [fits])) == 1
        with proxy.r1.port("eth2") as port:
            proxy.inject([big])
            (answer,) = probes(port, 1, having=MARK)
        assert (answer[6], answer[40], struct.unpack_from("!I", answer, 44)) == (58, 2, (1500,))
        counted = proxy.server1.counters(MASKED)
        assert (counted["too_big"], counted["entered"][0]) == ((1, 1501), 1)
    finally:
        proxy.server1.run("ip", "link", "set", "veth0", "mtu", "2000")


# Next hops


@pytest.mark.parametrize("word", ["end.ad6", "end.ead6", "end.as6", "end.am"])
@pytest.mark.parametrize("kind", ["mac", "link-local"])
def test_next_hop_by_mac_or_link_local_address(proxy: Chain, word: str, kind: str) -> None:
    before = proxy.server1.state()
    mac = proxy.vnf.mac("veth0").hex(":")
    hop = ("mac", mac) if kind == "mac" else ("ip", "fe80::1:2")
    given = ("src", "fc00:a::a", "segs", NEXT) if word == "end.as6" else ()
    proxy.server1.srconf("add", SID6, word, *hop, "veth0", "veth1", *given)
    assert proxy.server1.show()[0]["next_hop"] == hop[1]
    (packet,) = crossing(proxy, [chained6(INNER6)])
    assert view(packet).destination == NEXT
    assert (
        "Identical"
        in proxy.server1.srconf("add", SID6, word, *hop, "veth0", "veth1", *given, check=False).stderr
    )
    proxy.server1.srconf("del", SID6)
    assert "fd73:7263:6f6e" not in proxy.server1.state()
    without = [line for line in proxy.server1.state().splitlines() if "fe80" not in line]
    assert without == [line for line in before.splitlines() if "fe80" not in line]


# The kernel's own behaviors


def test_end(proxy: Chain) -> None:
    proxy.server1.srconf("add", "fc00:a::e", "end")
    sent = chained(INNER4, ("fc00:a::e", NEXT, LAST))
    (seen,) = map(view, crossing(proxy, [sent]))
    assert (seen.destination, seen.segments_left, seen.hop_limit) == (NEXT, 1, 61)
    last = ipv6(srh((NEXT, "fc00:a::e"), segments_left=0) + INNER4, destination="fc00:a::e")
    assert crossing(proxy, [last], seconds=0.1) == []
    assert proxy.server1.counters("fc00:a::e") == {
        "entered": (1, len(sent)),
        "segments_left_zero": (1, len(last)),
    }
    (shown,) = proxy.server1.show()
    assert (shown["behavior"], shown["next_hop"], shown["oif"], shown["iif"]) == ("End", None, None, None)


@pytest.mark.parametrize("hop", [("ip", "fd00:1::2"), ("ip", "fe80::1:2"), ("mac",)], ids=["ip", "ll", "mac"])
def test_end_x(proxy: Chain, hop: tuple[str, ...]) -> None:
    hop = hop if hop[0] == "ip" else ("mac", proxy.vnf.mac("veth0").hex(":"))
    proxy.server1.srconf("add", "fc00:a::e", "end.x", *hop, "veth0")
    sent = chained(INNER4, ("fc00:a::e", NEXT, LAST))
    (seen,) = map(view, at_the_service(proxy, [sent]))
    assert (seen.destination, seen.segments_left, seen.hop_limit) == (NEXT, 1, 61)
    assert proxy.server1.counters("fc00:a::e") == {"entered": (1, len(sent))}


@pytest.mark.parametrize(
    ("word", "inner", "kind", "address"),
    [("end.dx4", INNER4, IPV4, "192.168.1.2"), ("end.dx6", INNER6, IPV6, "fd00:1::2")],
    ids=["end.dx4", "end.dx6"],
)
@pytest.mark.parametrize("by", ["ip", "mac"])
def test_end_dx(proxy: Chain, word: str, inner: bytes, kind: int, address: str, by: str) -> None:
    hop = ("ip", address) if by == "ip" else ("mac", proxy.vnf.mac("veth0").hex(":"))
    proxy.server1.srconf("add", "fc00:a::d", word, *hop, "veth0")
    last = ipv6(srh((NEXT, "fc00:a::d"), next_header=kind, segments_left=0) + inner, destination="fc00:a::d")
    middle = ipv6(srh(("fc00:a::d", NEXT), next_header=kind) + inner, destination="fc00:a::d")
    (seen,) = at_the_service(proxy, [last])
    assert seen[-len(MARK) :] == MARK and len(seen) == len(inner)
    assert crossing(proxy, [middle], seconds=0.1) == []
    assert proxy.server1.counters("fc00:a::d") == {
        "entered": (1, len(last)),
        "segments_left": (1, len(middle)),
    }


def test_end_dx2(proxy: Chain) -> None:
    proxy.server1.srconf("add", "fc00:a::2", "end.dx2", "veth0")
    frame = b"\x02\x00\x00\x00\x00\x77" + b"\x02\x00\x00\x00\x00\x78" + b"\x08\x00" + INNER4
    header = srh((NEXT, "fc00:a::2"), next_header=143, segments_left=0)
    (seen,) = at_the_service(proxy, [ipv6(header + frame, destination="fc00:a::2")])
    assert seen == INNER4
    assert proxy.server1.counters("fc00:a::2")["entered"][0] == 1


def test_every_behavior_at_once(proxy: Chain) -> None:
    """Twelve SIDs of twelve behaviors are shown, and flushed without a trace."""
    before = proxy.server1.state()
    proxy.connect("server1", "veth2", "vnf", "veth2")
    proxy.connect("server1", "veth3", "vnf", "veth3")
    static_ = ("src", "fc00:a::a", "segs", f"{NEXT},{LAST}")
    pairs = ((("veth0", "veth1"), ("veth0", "veth2"), ("veth0", "veth3")), ("192.168.1.2", "fd00:1::2"))
    four, six = (tuple(("ip", hop, *pair) for pair in pairs[0]) for hop in pairs[1])
    lines = [
        ("end",),
        ("end.x", *six[0][:3]),
        ("end.dx2", "veth0"),
        ("end.dx4", *four[0][:3]),
        ("end.dx6", *six[0][:3]),
        ("end.ad4", *four[0]),
        ("end.ad6", *six[0]),
        ("end.ead4", *four[1]),
        ("end.ead6", *six[1]),
        ("end.as4", *four[2], *static_),
        ("end.as6", *six[2], *static_),
        ("end.am", "ip", "fd00:1::2", "veth0", "eth2"),
    ]
    try:
        for number, line in enumerate(lines, 1):
            proxy.server1.srconf("add", f"fc00:a::{number:x}0", *line)
            again = proxy.server1.srconf("add", f"fc00:a::{number:x}0", *line, check=False)
            assert "Identical localsid" in again.stderr, line
        assert [entry["behavior"].lower() for entry in proxy.server1.show()] == [line[0] for line in lines]
        text = proxy.server1.srconf("show").stdout
        assert text.count("\t SID     :") == 12
        proxy.server1.srconf("flush")
    finally:
        proxy.server1.ip("link del veth2\nlink del veth3")
    assert [line for line in proxy.server1.state().splitlines() if "fe80" not in line] == [
        line for line in before.splitlines() if "fe80" not in line
    ]


# Services that change packets


@pytest.mark.parametrize("policies", [1, 2])
def test_a_service_that_rewrites_addresses(proxy: Chain, policies: int) -> None:
    """The only chain of a SID is right for every packet; of two, none is known to be."""
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    segments = ((SID, NEXT, LAST), (SID, OTHER, LAST))
    rewritten = ipv4("192.0.2.1", "10.0.1.1", payload=udp(MARK, 7, 8), ttl=62)
    for way in segments[:policies]:
        crossing(proxy, [chained(ipv4(payload=udp(MARK, len(way[1]))), way)])
    with proxy.r3.port("eth2") as port:
        proxy.inject([rewritten], node="vnf", interface="veth1", ethertype=0x0800)
        seen = [view(packet) for packet in probes(port, 1, 0.3, having=MARK)]
    counted = proxy.server1.counters(SID)
    if policies == 1:
        assert [(item.destination, item.inner) for item in seen] == [(NEXT, rewritten)]
        assert counted["only_chain"] == (1, len(rewritten))
        assert "only_chain:" in proxy.server1.srconf("show").stdout
    else:
        assert seen == []
        assert counted["no_cache"] == (1, len(rewritten))


def test_hop_limit_class_and_label_make_no_other_chain(proxy: Chain) -> None:
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    for label, hop_limit in ((1, 62), (2, 60), (0xF00003, 50)):
        packet = ipv6(srh((SID, NEXT)) + ipv4(payload=udp(MARK, label & 7)), hop_limit=hop_limit, label=label)
        crossing(proxy, [packet])
    assert "only_chain" not in proxy.server1.counters(SID)
    lonely = ipv4("192.0.2.1", payload=udp(MARK))
    with proxy.r3.port("eth2") as port:
        proxy.inject([lonely], node="vnf", interface="veth1", ethertype=0x0800)
        assert len(probes(port, 1, having=MARK)) == 1


def test_a_deleted_sid_leaves_no_headers(proxy: Chain) -> None:
    """Neither a flow's nor the SID's chain outlives `del`, also if the other family's SID stays."""
    lonely, known = udp6(MARK, source="fd00:77::1"), hopped(INNER6, 2)
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    crossing(proxy, [chained6(INNER6, (SID6, OTHER, LAST))])
    proxy.server1.srconf("del", SID6)
    proxy.server1.srconf("add", SID6, "end.ad6", *TO6)
    with proxy.r3.port("eth2") as port:
        proxy.inject([lonely, known], node="vnf", interface="veth1", ethertype=IPV6_FRAME)
        assert probes(port, 1, 0.2, having=MARK) == []
    assert proxy.server1.counters(SID6) == {"no_cache": (2, len(lonely) + len(known))}


def test_a_service_that_duplicates_reorders_and_drops(proxy: Chain) -> None:
    """Every copy gets its flow's header, in whatever order; a packet that was kept is missing from no count."""
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    ways = (NEXT, OTHER, "fc00:9::d1", "fc00:9::d2")
    inners = [ipv4(payload=udp(MARK + struct.pack("!H", n), 1000 + n)) for n in range(200)]
    crossing(proxy, [chained(inner, (SID, ways[n % 4], LAST)) for n, inner in enumerate(inners)])
    given_back = [inner for n, inner in enumerate(inners) if n % 3][::-1] * 2
    with proxy.r3.port("eth2") as port:
        proxy.inject(given_back, node="vnf", interface="veth1", ethertype=0x0800)
        seen = [view(packet) for packet in probes(port, len(given_back), having=MARK)]
    assert [item.inner for item in seen] == given_back
    wrong = [item for item in seen if item.destination != ways[struct.unpack("!H", item.inner[-2:])[0] % 4]]
    assert wrong == []
    counted = proxy.server1.counters(SID)
    assert (counted["entered"][0], counted["returned"][0]) == (200, 200 + len(given_back))


def test_a_service_that_nats(proxy: Chain) -> None:
    """A real NAT in the service, one policy on the SID: the stream passes, counted apart."""
    proxy.server1.srconf("add", SID, "end.ad4", *TO4)
    rules = """
        add table ip nat
        add chain ip nat post { type nat hook postrouting priority 100; }
        add rule ip nat post oif veth1 snat to 10.0.9.1
    """
    proxy.vnf.run("nft", rules)
    try:
        proxy.hosta.run("ping", "-c", "3", "-i", "0.05", "-W", "0.2", "10.0.1.1", check=False)
        assert proxy.server1.counters(SID)["only_chain"][0] == 3
    finally:
        proxy.vnf.run("nft", "delete table ip nat")


KEY = 42


def hmac_tlv(segments: tuple[str, ...], secret: bytes) -> bytes:
    """RFC 8754 section 2.1.2: HMAC-SHA-256 over source, Last Entry, flags, key id and the segment list."""
    import hashlib
    import hmac

    listed = b"".join(socket.inet_pton(socket.AF_INET6, segment) for segment in reversed(segments))
    text = socket.inet_pton(socket.AF_INET6, SOURCE) + bytes((len(segments) - 1, 8)) + struct.pack("!I", KEY)
    digest = hmac.new(secret, text + listed, hashlib.sha256).digest()
    return struct.pack("!BBHI", 5, 38, 0, KEY) + digest


@pytest.mark.parametrize("secret", [b"right", b"wrong"])
def test_hmac_survives_and_the_kernel_checks_it(proxy: Chain, secret: bytes) -> None:
    node = proxy.server1
    node.srconf("add", SID, "end.ad4", *TO4)
    segments = (SID, NEXT, LAST)
    header = bytearray(srh(segments, tlvs=hmac_tlv(segments, secret)))
    header[5] = 8  # the H flag
    done = node.run("sh", "-c", f"printf 'right\\n' | ip sr hmac set {KEY} sha256", check=False)
    assert done.returncode == 0, done.stderr
    try:
        seen = [view(p) for p in crossing(proxy, [ipv6(bytes(header) + INNER4)], seconds=0.3)]
        if secret == b"wrong":
            assert seen == []
        else:
            assert [(item.destination, item.tlvs) for item in seen] == [(NEXT, hmac_tlv(segments, secret))]
    finally:
        node.run("sh", "-c", f"printf '\\n' | ip sr hmac set {KEY} sha256", check=False)


def test_helpers_know_a_checksum() -> None:
    assert checksum(icmp(8, 0, b"abcd")) == 0
