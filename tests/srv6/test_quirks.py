"""Where Linux departs from the RFC it still does: each test fails when the kernel stops."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from srv6lab.srv6.headend import h_encaps
from srv6lab.srv6.packet import (
    Ipv4,
    Pad1,
    PadN,
    Srh,
    UnknownTlv,
    build,
)
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.srv6.results import IcmpError, LocalSid
from tests.srv6.linux import (
    B6_ENCAPS,
    DX4_TO_A_NEIGHBOR,
    END,
    SEGMENTS,
    act,
    before_the_hop,
    bound_before_the_hop,
    encapsulation,
    forwarded,
    inner,
    outer,
    srh,
    steered,
)
from tests.srv6.node import BROADCAST, Node


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


def quirk_bound_before_the_hop(linux: Node) -> bool:
    random = Random(7)
    routing = Srh.of((B6_ENCAPS.sid, *SEGMENTS))
    packet = build(outer(random, B6_ENCAPS.sid), routing, *inner(random, 4))
    bound = replace(B6_ENCAPS, parameters=LocalSid(policy=encapsulation(packet, len(SEGMENTS))))
    predicted = forwarded(act(bound, packet))
    (said,) = linux.answer(packet.to_bytes())
    return said != predicted.to_bytes() and said == bound_before_the_hop(predicted).to_bytes()


@pytest.mark.parametrize("name", QUIRKS)
def test_linux_still_has_the_quirk(linux: Node, name: str) -> None:
    prove: Callable[[Node], bool] = globals()[f"quirk_{name.replace('-', '_')}"]
    assert prove(linux), f"Linux {os.uname().release} follows {QUIRKS[name].section} now"
