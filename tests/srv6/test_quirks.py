"""Where Linux departs from the RFC it still does: each test fails when the kernel stops."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv6Address
from random import Random

import pytest

from srv6lab.srv6.endpoint import end
from srv6lab.srv6.headend import h_encaps, h_insert, hop
from srv6lab.srv6.hmac import HmacKey
from srv6lab.srv6.packet import (
    BrokenTlvs,
    HopByHop,
    Icmpv6,
    Ipv4,
    Ipv6,
    Option,
    Packet,
    Pad1,
    PadN,
    Srh,
    UnknownTlv,
    build,
)
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.srv6.results import Forward, IcmpError, LocalSid
from tests.srv6.linux import (
    B6_ENCAPS,
    CSID_AND_PSP,
    DECAPSULATING,
    DX4,
    DX4_TO_A_NEIGHBOR,
    END,
    INLINE,
    L2_HEADENDS,
    PSP,
    SEGMENTS,
    act,
    before_the_hop,
    bound_before_the_hop,
    encapsulation,
    forwarded,
    inner,
    need,
    outer,
    srh,
    steered,
)
from tests.srv6.node import BROADCAST, Node
from tests.srv6.service import AD4, AM, Proxied, chained


def quirk_last_segment_dropped(linux: Node) -> bool:
    random = Random(2)
    packet = build(outer(random, END.sid), replace(srh(random), segments_left=0), *inner(random, 4))
    assert act(END, packet) == IcmpError(4, 4, 40 + len(packet.headers[1].to_bytes()))
    return linux.answer(packet.to_bytes()) == []


def quirk_broken_srh_without_error(linux: Node) -> bool:
    random = Random(3)
    routing = Srh.of((END.sid, *SEGMENTS))
    broken = replace(routing, last_entry=9), replace(routing, segments_left=9)
    packets = [build(outer(random, END.sid), one, *inner(random, 4)) for one in broken]
    assert [act(END, packet) for packet in packets] == [IcmpError(4, 0, 43)] * 2
    return [linux.answer(packet.to_bytes()) for packet in packets] == [[], []]


def quirk_pad1_read_as_tlv(linux: Node) -> bool:
    """The same eight bytes, padded by Pad1 in front of PadN and by PadN alone."""
    random = Random(4)
    tlvs = (UnknownTlv(124, bytes(5)), Pad1()), (UnknownTlv(124, bytes(3)), PadN(b"\0"))
    packets = [
        build(outer(random, END.sid), Srh.of((END.sid, *SEGMENTS), tlvs=one), *inner(random, 4))
        for one in tlvs
    ]
    predicted = [[forwarded(act(END, packet)).to_bytes()] for packet in packets]
    return [linux.answer(packet.to_bytes()) for packet in packets] == [[], predicted[1]]


def quirk_dx4_asks_for_the_destination(linux: Node) -> bool:
    """Bytes 24 to 27 of an ARP request are the address that is asked for."""
    random = Random(6)
    first, *rest = inner(random, 4)
    assert isinstance(first, Ipv4)
    packet = build(outer(random, DX4_TO_A_NEIGHBOR), first, *rest)
    asked = [request[24:28] for request in linux.answer(packet.to_bytes(), BROADCAST)]
    return asked == [first.destination.packed]


def quirk_encapsulated_before_the_hop(linux: Node) -> bool:
    packet = steered(Random(5), 1, 2, 4)
    predicted = forwarded(h_encaps(packet, encapsulation(packet, 2)))
    (said,) = linux.answer(packet.to_bytes())
    return said != predicted.to_bytes() and said == before_the_hop(predicted, packet).to_bytes()


def quirk_frame_encapsulated_before_the_hop(linux: Node) -> bool:
    number, headend = L2_HEADENDS["l2encap"]
    packet = steered(Random(5), number, 2, 6)
    frame = Packet.from_bytes(linux.framed(packet.to_bytes()))
    predicted = forwarded(headend(frame, encapsulation(packet, 2)))
    less = hop(predicted)
    assert isinstance(less, Packet)
    return linux.answer(packet.to_bytes()) == [less.to_bytes()] != [predicted.to_bytes()]


def quirk_bound_before_the_hop(linux: Node) -> bool:
    random = Random(7)
    routing = Srh.of((B6_ENCAPS.sid, *SEGMENTS))
    packet = build(outer(random, B6_ENCAPS.sid), routing, *inner(random, 4))
    bound = replace(B6_ENCAPS, parameters=LocalSid(policy=encapsulation(packet, len(SEGMENTS))))
    predicted = forwarded(act(bound, packet))
    (said,) = linux.answer(packet.to_bytes())
    return said != predicted.to_bytes() and said == bound_before_the_hop(predicted).to_bytes()


def quirk_tlvs_always_walked(linux: Node) -> bool:
    tlvs = BrokenTlvs(bytes((124, 9)) + bytes(6)), UnknownTlv(124, bytes(6))
    packets = [
        build(outer(Random(8), END.sid), Srh.of((END.sid, *SEGMENTS), tlvs=(one,)), *inner(Random(8), 4))
        for one in tlvs
    ]
    predicted = [[forwarded(act(END, packet)).to_bytes()] for packet in packets]
    return [linux.answer(packet.to_bytes()) for packet in packets] == [[], predicted[1]]


def quirk_psp_takes_the_first_srh(linux: Node) -> bool:
    random = Random(9)
    two = replace(Srh.of(SEGMENTS), segments_left=0), Srh.of((PSP.sid, *SEGMENTS))
    packets = [build(outer(random, one.sid), *two, *inner(random, 4)) for one in (PSP, END)]
    predicted = [
        forwarded(act(one, packet)).to_bytes() for one, packet in zip((PSP, END), packets, strict=True)
    ]
    return [linux.answer(packet.to_bytes()) for packet in packets] == [[], [predicted[1]]]


def quirk_next_csid_without_psp(linux: Node) -> bool:
    need(CSID_AND_PSP)
    random = Random(10)
    packet = build(
        outer(random, CSID_AND_PSP.sid), Srh.of((CSID_AND_PSP.sid, SEGMENTS[0])), *inner(random, 4)
    )
    assert forwarded(act(CSID_AND_PSP, packet)).find(Srh) is None
    return linux.answer(packet.to_bytes()) == [forwarded(act(END, packet)).to_bytes()]


def quirk_segment_left_without_error(linux: Node) -> bool:
    random = Random(11)
    packets = {
        one: build(
            outer(random, one.sid), Srh.of((one.sid, *SEGMENTS)), *inner(random, 4 if one is DX4 else 6)
        )
        for one in DECAPSULATING
    }
    assert all(act(one, packet) == IcmpError(4, 0, 43) for one, packet in packets.items())
    return [linux.answer(packet.to_bytes()) for packet in packets.values()] == [[]] * len(packets)


def quirk_upper_layer_without_error(linux: Node) -> bool:
    random = Random(12)
    packets = {
        one: build(outer(random, one.sid), *inner(random, 6 if one is DX4 else 4)) for one in DECAPSULATING
    }
    assert all(act(one, packet) == IcmpError(4, 4, 40) for one, packet in packets.items())
    return [linux.answer(packet.to_bytes()) for packet in packets.values()] == [[]] * len(packets)


def quirk_one_hop_a_node(linux: Node) -> bool:
    """Twice over an End of the node: by the RFC each takes a hop."""
    packet = build(outer(Random(18), END.sid), Srh.of((END.sid, END.sid, *SEGMENTS)), *inner(Random(18), 4))
    predicted = forwarded(act(END, forwarded(act(END, packet))))
    first, *behind = predicted.headers
    assert isinstance(first, Ipv6)
    seen = build(replace(first, hop_limit=first.hop_limit + 1), *behind, payload=predicted.payload)
    return linux.answer(packet.to_bytes()) == [seen.to_bytes()]


def quirk_inserted_before_options(linux: Node) -> bool:
    random = Random(13)
    first, *rest = steered(random, INLINE, 2, 6).headers
    options = HopByHop(options=(Option(0x1E, bytes(4)),))
    packet = build(first, options, *rest)
    predicted = forwarded(h_insert(packet, encapsulation(packet, 2)))
    header, first_behind, second, *behind = predicted.headers
    assert isinstance(first_behind, HopByHop)
    (said,) = linux.answer(packet.to_bytes())
    return said != predicted.to_bytes() and said == build(header, second, first_behind, *behind).to_bytes()


def quirk_address_taken_for_a_segment(linux: Node) -> bool:
    """With segments left, and at the last one: as from an End, and as from an End.DT4. Off, nothing comes out."""
    random = Random(8)
    address = IPv6Address("2001:db8::1")  # the node's own
    under_way = build(outer(random, address), Srh.of((address, *SEGMENTS)), *inner(random, 4))
    arrived = build(outer(random, address), replace(Srh.of((address,)), segments_left=0), *inner(random, 4))
    opened = hop(replace(arrived, headers=arrived.headers[2:]))
    assert isinstance(opened, Packet)
    wanted = [forwarded(end(under_way, LocalSid())).to_bytes()], [opened.to_bytes()]
    sysctls = "for one in all in1; do echo {} >/proc/sys/net/ipv6/conf/$one/seg6_enabled; done"
    linux.run("sh", "-c", sysctls.format(1))
    on = [linux.answer(packet.to_bytes()) for packet in (under_way, arrived)]
    linux.run("sh", "-c", sysctls.format(0))
    off = [linux.answer(packet.to_bytes()) for packet in (under_way, arrived)]
    return on == [*wanted] and off == [[], []]


def quirk_hmac_of_a_draft(linux: Node) -> bool:
    """tests/srv6/test_hmac.py looks at every header of it."""
    key = HmacKey(5, "sha256", b"quirk")
    linux.run("sh", "-c", "echo quirk | setsid --wait ip sr hmac set 5 sha256")
    linux.ip(
        f"route replace fd00:9:2::/48 encap seg6 mode encap segs {SEGMENTS[0]},{SEGMENTS[1]} hmac 5 dev out1"
    )
    packet = steered(Random(11), 9, 2, 6)
    (said,) = linux.answer(packet.to_bytes())
    by_rfc, by_linux = (
        before_the_hop(
            forwarded(h_encaps(packet, replace(encapsulation(packet, 2), key=one))), packet
        ).to_bytes()
        for one in (key, replace(key, drafted=True))
    )
    return said != by_rfc and said == by_linux


def quirk_srh_dropped_where_disabled(linux: Node) -> bool:
    """An echo request with an SRH at its end is answered where seg6_enabled is on, for all and for the NIC, and not off."""
    address = IPv6Address("2001:db8::1")
    arrived = replace(Srh.of((address,)), segments_left=0)
    echo = Icmpv6(128, rest=b"\x00\x01\x00\x01")
    packet = build(outer(Random(10), address), arrived, echo, payload=b"echo").to_bytes()
    answers = []
    for both in ("1 1", "0 1", "1 0", "0 0"):
        for nic, value in zip(("all", "in1"), both.split(), strict=True):
            linux.run("sh", "-c", f"echo {value} >/proc/sys/net/ipv6/conf/{nic}/seg6_enabled")
        answers.append(len(linux.answer(packet)))
    return answers == [1, 0, 0, 0]


def quirk_end_delivers_nothing_here(linux: Node) -> bool:
    """An echo request to the node's address is answered, but not when an End sends it there."""
    address, random = IPv6Address("2001:db8::1"), Random(9)
    echo = Icmpv6(128, rest=b"\x00\x01\x00\x01")
    direct = build(outer(random, address), echo, payload=b"echo")
    over_end = build(outer(random, END.sid), Srh.of((END.sid, address)), echo, payload=b"echo")
    sent_on = forwarded(end(over_end, LocalSid()))
    assert isinstance(sent_on.headers[0], Ipv6) and sent_on.headers[0].destination == address
    answers = [len(linux.answer(packet.to_bytes())) for packet in (direct, over_end)]
    return answers == [1, 0]


def through(proxied: Proxied) -> tuple[Packet, Packet, Packet, Packet]:
    """A packet through proxy and service: what the model and what srconf send to the service, what they put into
    the chain again of what it gives back."""
    packet = chained(Random(14), AD4)
    said = AD4.act(packet)
    assert isinstance(said, Forward)
    ((sent,), _) = proxied.enter(AD4, packet)
    given = Packet.from_bytes(sent, Ipv4)
    (back,) = proxied.give_back(AD4, given)
    predicted = forwarded(AD4.give_back(given, said.cache))
    return said.packet, given, predicted, Packet.from_bytes(back, Ipv6)


def ttl(packet: Packet) -> int:
    header = packet.find(Ipv4)
    assert header is not None
    return header.ttl


def hop_limit(packet: Packet) -> int:
    header = packet.find(Ipv6)
    assert header is not None
    return header.hop_limit


def quirk_proxy_hop_before_the_service(proxied: Proxied) -> bool:
    predicted, sent, chained_again, back = through(proxied)
    return (ttl(sent), ttl(back)) == (ttl(predicted) - 1, ttl(chained_again) + 1)


def quirk_proxy_segment_before_the_service(proxied: Proxied) -> bool:
    """The service sees a hop and a segment less than by the draft; what comes out of the chain has the draft's segment."""
    packet = chained(Random(17), AM)
    said = AM.act(packet)
    assert isinstance(said, Forward)
    ((sent,), _) = proxied.enter(AM, packet)
    given = Packet.from_bytes(sent, Ipv6)
    (back,) = proxied.give_back(AM, given)
    predicted, seen = forwarded(AM.give_back(said.packet, None)), Packet.from_bytes(back, Ipv6)
    earlier = (hop_limit(given), left(given)) == (hop_limit(said.packet) - 1, left(said.packet) - 1)
    return earlier and (left(seen), destination(seen)) == (left(predicted), destination(predicted))


def left(packet: Packet) -> int:
    """Of the SRH that a chain of the tests has."""
    return next(one.segments_left for one in reversed(packet.headers) if isinstance(one, Srh))


def destination(packet: Packet) -> IPv6Address:
    header = packet.find(Ipv6)
    assert header is not None
    return header.destination


def quirk_proxy_takes_two_hops(proxied: Proxied) -> bool:
    _, _, predicted, back = through(proxied)
    return hop_limit(back) == hop_limit(predicted) - 1


def quirk_proxy_discards_silently(proxied: Proxied) -> bool:
    first, *behind = chained(Random(15), AD4).headers
    assert isinstance(first, Ipv6)
    packet = build(replace(first, hop_limit=1), *behind)
    assert AD4.act(packet) == IcmpError(3, 0)
    return proxied.enter(AD4, packet) == ([], [])


def quirk_proxy_remembers_by_flow(proxied: Proxied) -> bool:
    random = Random(16)
    packets = [chained(random, AD4) for _ in range(2)]
    *_, said = [AD4.act(packet) for packet in packets]
    assert isinstance(said, Forward)
    other = build(*inner(random, 4))
    assert isinstance(AD4.give_back(other, said.cache), Forward)
    (sent,) = [sent for packet in packets for sent in proxied.enter(AD4, packet)[0]][1:]
    return (
        proxied.give_back(AD4, other) == []
        and len(proxied.give_back(AD4, Packet.from_bytes(sent, Ipv4))) == 1
    )


@pytest.mark.parametrize("name", QUIRKS)
def test_linux_still_has_the_quirk(request: pytest.FixtureRequest, name: str) -> None:
    prove: Callable[[Node], bool] = globals()[f"quirk_{name.replace('-', '_')}"]
    one = request.getfixturevalue("proxied" if name.startswith("proxy-") else "linux")
    assert prove(one), f"Linux {os.uname().release} follows {QUIRKS[name].section} now"
