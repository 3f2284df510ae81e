"""Linux agrees: random packets go through a node, and the model says exactly what comes out.

Where it doesn't, `test_quirks.py` says so.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address
from random import Random

import pytest

from srv6lab.srv6.headend import hop
from srv6lab.srv6.packet import (
    Ethernet,
    Header,
    Icmpv6,
    Ipv6,
    Packet,
    Srh,
    build,
)
from srv6lab.srv6.results import IcmpError, LocalSid
from tests.srv6.linux import (
    B6_ENCAPS,
    CSID,
    DECAPSULATING,
    DX2,
    END,
    ENDPOINTS,
    HEADENDS,
    L2_HEADENDS,
    SEGMENTS,
    Installed,
    act,
    before_the_hop,
    bound_before_the_hop,
    encapsulation,
    forwarded,
    inner,
    need,
    options,
    outer,
    srh,
    steered,
)
from tests.srv6.node import NEIGHBOR, Node

COUNTS = pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.prove)])


@COUNTS
@pytest.mark.parametrize("one", ENDPOINTS, ids=lambda one: one.action)
def test_a_segment_in_the_middle(linux: Node, one: Installed, count: int) -> None:
    need(one)
    random = Random(f"{one.action} {count}")
    for _ in range(count):
        routing = srh(random)
        left = random.randrange(1, routing.last_entry + 2)
        headers = [
            *options(random),
            replace(routing, segments_left=left),
            *inner(random, random.choice((4, 6))),
        ]
        first = outer(random, one.sid)
        first = replace(first, hop_limit=max(first.hop_limit, 2))
        packet = build(first, *headers, payload=random.randbytes(random.randrange(40)))
        predicted = forwarded(act(one, packet)).to_bytes()
        assert linux.answer(packet.to_bytes()) == [predicted], packet


@COUNTS
def test_shorter_segments(linux: Node, count: int) -> None:
    need(CSID)
    random = Random(count)
    for _ in range(count):
        routing = srh(random)
        left = random.randrange(1, routing.last_entry + 2)
        headers = [*options(random), replace(routing, segments_left=left), *inner(random, 4)]
        argument = random.choice((0, random.getrandbits(80) | 1 << 79))
        first = outer(random, IPv6Address(int(CSID.sid) | argument))
        packet = build(replace(first, hop_limit=max(first.hop_limit, 2)), *headers)
        predicted = forwarded(act(CSID, packet)).to_bytes()
        assert linux.answer(packet.to_bytes()) == [predicted], packet


@COUNTS
@pytest.mark.parametrize("one", DECAPSULATING, ids=lambda one: one.action)
def test_the_last_segment(linux: Node, one: Installed, count: int) -> None:
    """What is exposed is then forwarded, which takes a hop of its own."""
    need(one)
    random = Random(f"{one.action} {count}")
    for _ in range(count):
        routing: list[Header] = [replace(srh(random), segments_left=0)] if random.randrange(4) else []
        within = inner(random, 4 if one.behavior.endswith("4") else 6)
        headers = [outer(random, one.sid), *options(random), *routing, *within]
        packet = build(*headers, payload=random.randbytes(random.randrange(40)))
        exposed = hop(forwarded(act(one, packet)))
        assert isinstance(exposed, Packet)
        assert linux.answer(packet.to_bytes()) == [exposed.to_bytes()], packet


@COUNTS
@pytest.mark.parametrize("mode", HEADENDS)
@pytest.mark.parametrize("version", [4, 6])
def test_a_headend(linux: Node, mode: str, version: int, count: int) -> None:
    random = Random(f"{mode} {version} {count}")
    number, headend = HEADENDS[mode]
    for _ in range(count):
        size = random.choice((1, 2, 3))
        packet = steered(random, number, size, version)
        predicted = forwarded(headend(packet, encapsulation(packet, size)))
        assert linux.answer(packet.to_bytes()) == [before_the_hop(predicted, packet).to_bytes()], packet


@COUNTS
def test_a_frame_at_the_last_segment(linux: Node, count: int) -> None:
    random = Random(count)
    for _ in range(count):
        routing: list[Header] = [replace(srh(random), segments_left=0)] if random.randrange(4) else []
        frame = Ethernet(NEIGHBOR, random.randbytes(6), 0x88B5)
        headers = [outer(random, DX2.sid), *options(random), *routing, frame]
        packet = build(*headers, payload=random.randbytes(random.randrange(60)))
        predicted = forwarded(act(DX2, packet)).to_bytes()
        assert linux.frames(packet.to_bytes()) == [predicted], packet


@COUNTS
@pytest.mark.parametrize("mode", L2_HEADENDS)
@pytest.mark.parametrize("version", [4, 6])
def test_a_headend_takes_frames(linux: Node, mode: str, version: int, count: int) -> None:
    random = Random(f"{mode} {version} {count}")
    number, headend = L2_HEADENDS[mode]
    for _ in range(count):
        size = random.choice((1, 2, 3))
        packet = steered(random, number, size, version)
        frame = Packet.from_bytes(linux.framed(packet.to_bytes()))
        predicted = hop(forwarded(headend(frame, encapsulation(packet, size))))
        assert isinstance(predicted, Packet)
        assert linux.answer(packet.to_bytes()) == [predicted.to_bytes()], packet


@COUNTS
def test_a_binding_sid(linux: Node, count: int) -> None:
    random = Random(count)
    for _ in range(count):
        routing = srh(random)
        left = random.randrange(1, routing.last_entry + 2)
        first = outer(random, B6_ENCAPS.sid)
        first = replace(first, hop_limit=max(first.hop_limit, 2))
        within = inner(random, random.choice((4, 6)))
        packet = build(first, *options(random), replace(routing, segments_left=left), *within)
        policy = encapsulation(packet, len(SEGMENTS))
        bound = replace(B6_ENCAPS, parameters=LocalSid(policy=policy))
        predicted = bound_before_the_hop(forwarded(act(bound, packet)))
        assert linux.answer(packet.to_bytes()) == [predicted.to_bytes()], packet


def test_a_hop_limit_of_one(linux: Node) -> None:
    random = Random(1)
    packet = build(
        replace(outer(random, END.sid), hop_limit=1), Srh.of((END.sid, *SEGMENTS)), *inner(random, 4)
    )
    said = act(END, packet)
    assert said == IcmpError(3, 0)
    (error,) = (Packet.from_bytes(wire, Ipv6).find(Icmpv6) for wire in linux.answer(packet.to_bytes()))
    assert error is not None
    assert (error.type, error.code) == (said.type, said.code)
