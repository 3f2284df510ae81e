"""Linux agrees: random packets go through a node, and the model says exactly what comes out.

Where it doesn't, `test_quirks.py` says so.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address
from random import Random

import pytest

from srv6lab.srv6.headend import h_insert, hop
from srv6lab.srv6.packet import (
    Ethernet,
    Header,
    HopByHop,
    Icmpv6,
    Ipv6,
    Packet,
    Srh,
    build,
)
from srv6lab.srv6.results import Discard, Forward, IcmpError, Interface, LocalSid
from tests.srv6 import linux as installed
from tests.srv6.node import NEIGHBOR, Node
from tests.srv6.service import PROXIES, Proxied, Proxy, chained, served, wired

COUNTS = pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.prove)])


@COUNTS
@pytest.mark.parametrize("one", installed.ENDPOINTS, ids=lambda one: one.action)
def test_a_segment_in_the_middle(linux: Node, one: installed.Installed, count: int) -> None:
    installed.need(one)
    random = Random(f"{one.action} {count}")
    for _ in range(count):
        routing = installed.srh(random)
        left = random.randrange(1, routing.last_entry + 2)
        headers = [
            *installed.options(random),
            replace(routing, segments_left=left),
            *installed.inner(random, random.choice((4, 6))),
        ]
        first = installed.outer(random, one.sid)
        first = replace(first, hop_limit=max(first.hop_limit, 2))
        packet = build(first, *headers, payload=random.randbytes(random.randrange(40)))
        predicted = installed.forwarded(installed.act(one, packet)).to_bytes()
        assert linux.answer(packet.to_bytes()) == [predicted], packet


@COUNTS
@pytest.mark.parametrize("one", installed.ENDPOINTS, ids=lambda one: one.action)
def test_a_segment_list_that_may_be_broken(linux: Node, one: installed.Installed, count: int) -> None:
    """Two SRHs or one, any number of segments left, any last entry: the packet goes on, or it is dropped (without the
    error, and for reasons of its own: see the quirks)."""
    installed.need(one)
    random = Random(f"{one.action} {count}")
    dropped = 0
    for _ in range(count):
        exhausted = [replace(installed.srh(random), segments_left=0)] if random.randrange(3) == 0 else []
        routing = installed.srh(random)
        last_entry = random.choice((routing.last_entry, routing.last_entry, random.randrange(8)))
        routing = replace(routing, last_entry=last_entry, segments_left=random.randrange(last_entry + 4))
        first = installed.outer(random, one.sid)
        packet = build(
            replace(first, hop_limit=max(first.hop_limit, 2)),
            *exhausted,
            routing,
            *installed.inner(random, 4),
        )
        said = installed.act(one, Packet.from_bytes(packet.to_bytes(), Ipv6))
        takes = installed.walks_tlvs(packet.to_bytes(), 1 + len(exhausted)) and not (
            exhausted and one.parameters.flavors
        )
        predicted = [said.packet.to_bytes()] if takes and isinstance(said, Forward) else []
        assert linux.answer(packet.to_bytes()) == predicted, packet
        dropped += not predicted
    assert 0 < dropped < count


@COUNTS
@pytest.mark.parametrize("one", installed.CSIDS, ids=lambda one: one.action)
def test_shorter_segments(linux: Node, one: installed.Installed, count: int) -> None:
    """With an SRH or without one; dropped where neither an argument nor a segment is left (see the quirks)."""
    installed.need(one)
    random = Random(f"{one.action} {count}")
    dropped = 0
    for _ in range(count):
        routing = installed.srh(random)
        left = random.randrange(routing.last_entry + 2)
        chain = [replace(routing, segments_left=left)] if random.randrange(3) else []
        argument = random.choice((0, random.getrandbits(80) | 1 << 79))
        first = installed.outer(random, IPv6Address(int(one.sid) | argument))
        packet = build(
            replace(first, hop_limit=max(first.hop_limit, 2)),
            *installed.options(random),
            *chain,
            *installed.inner(random, 4),
        )
        said = installed.act(one, packet)
        predicted = [said.packet.to_bytes()] if isinstance(said, Forward) else []
        assert linux.answer(packet.to_bytes()) == predicted, packet
        dropped += not predicted
    assert 0 < dropped < count


@COUNTS
@pytest.mark.parametrize("one", installed.DECAPSULATING, ids=lambda one: one.action)
def test_the_last_segment(linux: Node, one: installed.Installed, count: int) -> None:
    """What is exposed is then forwarded, which takes a hop of its own."""
    installed.need(one)
    random = Random(f"{one.action} {count}")
    for _ in range(count):
        routing: list[Header] = (
            [replace(installed.srh(random), segments_left=0)] if random.randrange(4) else []
        )
        within = installed.inner(random, 4 if one.behavior.endswith("4") else 6)
        headers = [installed.outer(random, one.sid), *installed.options(random), *routing, *within]
        packet = build(*headers, payload=random.randbytes(random.randrange(40)))
        exposed = hop(installed.forwarded(installed.act(one, packet)))
        assert isinstance(exposed, Packet)
        assert linux.answer(packet.to_bytes()) == [exposed.to_bytes()], packet


@COUNTS
@pytest.mark.parametrize("mode", installed.HEADENDS)
@pytest.mark.parametrize("version", [4, 6])
def test_a_headend(linux: Node, mode: str, version: int, count: int) -> None:
    random = Random(f"{mode} {version} {count}")
    number, headend = installed.HEADENDS[mode]
    for _ in range(count):
        size = random.choice((1, 2, 3))
        packet = installed.steered(random, number, size, version)
        predicted = installed.forwarded(headend(packet, installed.encapsulation(packet, size)))
        assert linux.answer(packet.to_bytes()) == [installed.before_the_hop(predicted, packet).to_bytes()], (
            packet
        )


@COUNTS
@pytest.mark.parametrize("one", [*installed.DECAPSULATING, installed.DX2], ids=lambda one: one.action)
def test_no_last_segment_for_it(linux: Node, one: installed.Installed, count: int) -> None:
    """A segment is left, or something else is inside: dropped, without the error (see the quirks)."""
    installed.need(one)
    random = Random(f"{one.action} {count}")
    for number in range(count):
        inside: dict[str, list[Header]] = {
            "2": [Ethernet(NEIGHBOR, random.randbytes(6), 0x88B5)],
            "4": installed.inner(random, 4),
            "6": installed.inner(random, 6),
        }
        fits = inside.pop(one.behavior[-1])
        routing = replace(installed.srh(random), segments_left=number % 2)
        within = fits if number % 2 else random.choice(list(inside.values()))
        packet = build(installed.outer(random, one.sid), *installed.options(random), routing, *within)
        assert isinstance(installed.act(one, packet), IcmpError)
        assert linux.answer(packet.to_bytes()) == [], packet


@COUNTS
def test_inline(linux: Node, count: int) -> None:
    """H.Insert, in front of all but hop-by-hop options (see the quirk)."""
    random = Random(count)
    for _ in range(count):
        size = random.choice((1, 2, 3))
        first, *rest = installed.steered(random, installed.INLINE, size, 6).headers
        between = [one for one in (*installed.options(random), installed.srh(random)) if random.randrange(2)]
        behind = [one for one in between if not isinstance(one, HopByHop)]
        packet = build(first, *behind, *rest, payload=random.randbytes(random.randrange(40)))
        predicted = installed.forwarded(h_insert(packet, installed.encapsulation(packet, size))).to_bytes()
        assert linux.answer(packet.to_bytes()) == [predicted], packet


@COUNTS
def test_a_frame_at_the_last_segment(linux: Node, count: int) -> None:
    random = Random(count)
    for _ in range(count):
        routing: list[Header] = (
            [replace(installed.srh(random), segments_left=0)] if random.randrange(4) else []
        )
        frame = Ethernet(NEIGHBOR, random.randbytes(6), 0x88B5)
        headers = [installed.outer(random, installed.DX2.sid), *installed.options(random), *routing, frame]
        packet = build(*headers, payload=random.randbytes(random.randrange(60)))
        predicted = installed.forwarded(installed.act(installed.DX2, packet)).to_bytes()
        assert linux.frames(packet.to_bytes()) == [predicted], packet


@COUNTS
@pytest.mark.parametrize("mode", installed.L2_HEADENDS)
@pytest.mark.parametrize("version", [4, 6])
def test_a_headend_takes_frames(linux: Node, mode: str, version: int, count: int) -> None:
    random = Random(f"{mode} {version} {count}")
    number, headend = installed.L2_HEADENDS[mode]
    for _ in range(count):
        size = random.choice((1, 2, 3))
        packet = installed.steered(random, number, size, version)
        frame = Packet.from_bytes(linux.framed(packet.to_bytes()))
        predicted = hop(installed.forwarded(headend(frame, installed.encapsulation(packet, size))))
        assert isinstance(predicted, Packet)
        assert linux.answer(packet.to_bytes()) == [predicted.to_bytes()], packet


@COUNTS
def test_a_binding_sid(linux: Node, count: int) -> None:
    """Into the policy, or dropped (without the error: see the quirks)."""
    random = Random(count)
    dropped = 0
    for _ in range(count):
        routing = installed.srh(random)
        routing = replace(routing, segments_left=random.randrange(routing.last_entry + 4))
        first = installed.outer(random, installed.B6_ENCAPS.sid)
        first = replace(first, hop_limit=max(first.hop_limit, 2))
        packet = build(
            first, *installed.options(random), routing, *installed.inner(random, random.choice((4, 6)))
        )
        policy = installed.encapsulation(packet, len(installed.SEGMENTS))
        said = installed.act(replace(installed.B6_ENCAPS, parameters=LocalSid(policy=policy)), packet)
        predicted = (
            [installed.bound_before_the_hop(said.packet).to_bytes()] if isinstance(said, Forward) else []
        )
        assert linux.answer(packet.to_bytes()) == predicted, packet
        dropped += not predicted
    assert 0 < dropped < count


def test_a_hop_limit_of_one(linux: Node) -> None:
    random = Random(1)
    packet = build(
        replace(installed.outer(random, installed.END.sid), hop_limit=1),
        Srh.of((installed.END.sid, *installed.SEGMENTS)),
        *installed.inner(random, 4),
    )
    said = installed.act(installed.END, packet)
    assert said == IcmpError(3, 0)
    (error,) = (Packet.from_bytes(wire, Ipv6).find(Icmpv6) for wire in linux.answer(packet.to_bytes()))
    assert error is not None
    assert (error.type, error.code) == (said.type, said.code)


@COUNTS
@pytest.mark.parametrize("proxy", PROXIES, ids=lambda one: one.name)
def test_a_proxy(proxied: Proxied, proxy: Proxy, count: int) -> None:
    """srconf's: what the service is sent, and what it gives back in its chain again. Where it takes the hops is not
    where the draft does (see the quirks)."""
    random = Random(f"{proxy.name} {count}")
    for _ in range(count):
        packet = chained(random, proxy)
        said = proxy.act(packet)
        assert isinstance(said, Forward)
        assert said.how == Interface(f"veth{proxy.to}")
        sent = wired(proxy, said)
        assert proxied.enter(proxy, packet) == ([sent.to_bytes()], []), packet
        given = served(random, sent)
        if proxy.name == "End.AM":
            back = hop(installed.forwarded(proxy.give_back(served(random, said.packet), said.cache)))
            assert isinstance(back, Packet)
        else:
            back = installed.before_the_hop(installed.forwarded(proxy.give_back(given, said.cache)), given)
        assert proxied.give_back(proxy, given) == [back.to_bytes()], packet


@COUNTS
@pytest.mark.parametrize("proxy", [one for one in PROXIES if one.name != "End.AM"], ids=lambda one: one.name)
def test_a_proxy_refuses(proxied: Proxied, proxy: Proxy, count: int) -> None:
    """Something else inside, and for a dynamic one no segment left or no SRH: discarded. A broken segment list:
    without the error."""
    random = Random(f"{proxy.name} {count}")
    kinds: set[type[object]] = set()
    for _ in range(count):
        first, *behind = chained(random, proxy).headers
        at = next(n for n, one in enumerate(behind) if isinstance(one, Srh))
        routing = behind[at]
        assert isinstance(routing, Srh)
        choices: list[list[Header]] = [[routing, *installed.inner(random, 10 - proxy.version)]]
        if proxy.policy is None:
            choices += [
                [replace(routing, segments_left=0), *behind[at + 1 :]],
                [replace(routing, segments_left=routing.last_entry + 2), *behind[at + 1 :]],
                behind[at + 1 :],
            ]
        packet = build(first, *behind[:at], *random.choice(choices))
        said = proxy.act(packet)
        kinds.add(type(said))
        assert not isinstance(said, Forward)
        assert proxied.enter(proxy, packet) == ([], []), packet
    assert kinds == ({Discard} if proxy.policy else {Discard, IcmpError})
