"""HMACs of SRHs (RFC 8754 section 2.1.2): made and verified by the model, and by Linux."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from ipaddress import IPv6Address
from random import Random

import pytest

from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.headend import h_encaps, h_encaps_red, h_insert
from srv6lab.srv6.hmac import HmacKey, rejected, signed
from srv6lab.srv6.packet import Hmac, Ipv6, Packet, Srh, build
from tests.srv6.linux import (
    END,
    SEGMENTS,
    SIDS,
    act,
    before_the_hop,
    encapsulation,
    forwarded,
    inner,
    outer,
    steered,
)
from tests.srv6.node import Node

SOURCE = IPv6Address("2001:12::1")
PATH = (IPv6Address("fc00:2::e"), IPv6Address("fc00:3::d"))
KEY = HmacKey(1, "sha256", b"secret")
DRAFTED = replace(KEY, drafted=True)
# What a Linux 6.18 pushed for `encap seg6 mode encap segs fc00:2::e,fc00:3::d hmac 1`.
SEEN = "0526000000000001257854ec902db35de2695b0328174f9bf0eba2d910741b455746b704996cfd3e"


def tlv(srh: Srh) -> Hmac:
    (one,) = srh.tlvs
    assert isinstance(one, Hmac)
    return one


def by_hand(key: bytes, text: bytes) -> bytes:
    """HMAC with SHA-256 as RFC 2104 section 2 has it."""
    block = key.ljust(64, b"\0")
    within = hashlib.sha256(bytes(one ^ 0x36 for one in block) + text).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in block) + within).digest()


def test_linux_signs_as_a_draft_has_it() -> None:
    srh = signed(Srh.of(PATH), SOURCE, DRAFTED)
    assert tlv(srh).to_bytes().hex() == SEEN
    assert (srh.flags, srh.hdr_ext_len) == (0x08, 9)


def test_the_text_of_the_rfc() -> None:
    srh = signed(Srh.of(PATH, flags=0x20), SOURCE, KEY)
    text = SOURCE.packed + b"\x01\x20" + b"\0\0" + b"\0\0\0\x01" + PATH[1].packed + PATH[0].packed
    assert tlv(srh).digest == by_hand(b"secret", text)
    assert srh.flags == 0x20


def test_a_reduced_srh_says_so_by_the_d_bit() -> None:
    full, reduced = signed(Srh.of(PATH), SOURCE, KEY), signed(Srh.of(PATH, reduced=True), SOURCE, KEY)
    assert (tlv(full).without_destination, tlv(reduced).without_destination) == (False, True)
    assert not tlv(signed(Srh.of(PATH, reduced=True), SOURCE, DRAFTED)).without_destination


def test_a_short_digest_is_filled_up() -> None:
    digest = tlv(signed(Srh.of(PATH), SOURCE, HmacKey(1, "sha1", b"x"))).digest
    assert (len(digest), digest[20:]) == (32, bytes(12))


@pytest.mark.parametrize("drafted", [False, True])
@pytest.mark.parametrize("required", [False, True])
def test_who_is_let_in(required: bool, drafted: bool) -> None:
    def why(srh: Srh, source: IPv6Address = SOURCE, keys: tuple[HmacKey, ...] = (KEY,)) -> str:
        return rejected(srh, source, {one.number: one for one in keys}, required=required, drafted=drafted)

    right = signed(Srh.of(PATH), SOURCE, replace(KEY, drafted=drafted))
    assert why(right) == why(right.with_segments_left(0)) == ""
    assert why(right, keys=()) == "its HMAC is of key 1, which isn't there"
    other = "its HMAC isn't that of key 1"
    assert why(right, IPv6Address("2001:12::2")) == other
    assert why(replace(right, segment_list=right.segment_list[::-1])) == other
    assert why(replace(right, segment_list=(*right.segment_list, PATH[0]), last_entry=2)) == other
    assert why(right, keys=(replace(KEY, secret=b"Secret"),)) == other
    assert why(right, keys=(replace(KEY, algorithm="sha1"),)) == other
    assert why(Srh.of(PATH)) == ("its SRH has no HMAC" if required else "")


def test_by_the_rfc_what_linux_signs_is_wrong_and_the_other_way_round() -> None:
    keys = {1: KEY}
    by_linux, by_rfc = signed(Srh.of(PATH), SOURCE, DRAFTED), signed(Srh.of(PATH), SOURCE, KEY)
    assert rejected(by_linux, SOURCE, keys, required=False, drafted=False) == "its HMAC isn't that of key 1"
    # Linux looks for the flag alone, so it sees none.
    assert rejected(by_rfc, SOURCE, keys, required=False, drafted=True) == ""
    assert rejected(by_rfc, SOURCE, keys, required=True, drafted=True) == "its SRH has no HMAC"


def test_what_is_inserted_is_signed_for_the_source_of_the_packet() -> None:
    packet = build(outer(Random(1), IPv6Address("2001:b::1")), *inner(Random(1), 6)[1:])
    first = packet.headers[0]
    assert isinstance(first, Ipv6)
    given = Encapsulation(SOURCE, PATH[:1], key=DRAFTED)
    found = forwarded(h_insert(packet, given)).find(Srh)
    assert found == replace(
        signed(Srh.of((PATH[0], first.destination)), first.source, DRAFTED), next_header=first.next_header
    )


# --- Linux


@pytest.fixture(scope="module")
def keyed(linux: Node) -> Node:
    """The node with a key, and headends that sign."""
    linux.run("sh", "-c", "echo secret | setsid --wait ip sr hmac set 1 sha256")
    for number, mode in ((6, "encap"), (7, "encap.red"), (8, "inline")):
        for size in (1, 2):
            segs = ",".join(map(str, SEGMENTS[:size]))
            linux.ip(
                f"route add fd00:{number}:{size}::/48 encap seg6 mode {mode} segs {segs} hmac 1 dev out1"
            )
    return linux


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("number", "mode"), [(6, h_encaps), (7, h_encaps_red), (8, h_insert)])
def test_linux_signs_as_the_model_says(keyed: Node, number: int, mode: object, size: int) -> None:
    packet = steered(Random(number), number, size, 6)
    given = replace(encapsulation(packet, size), key=DRAFTED)
    assert callable(mode)
    predicted: Packet = forwarded(mode(packet, given))
    wanted = predicted if mode is h_insert else before_the_hop(predicted, packet)
    assert keyed.answer(packet.to_bytes()) == [wanted.to_bytes()]


@pytest.mark.parametrize(("value", "required"), [(1, True), (0, False)])
def test_linux_lets_in_whom_the_model_does(keyed: Node, value: int, required: bool) -> None:
    """At an End, and where the inner packet is taken out; the NIC that it comes in by says what is asked for."""
    keyed.run("sh", "-c", f"echo {value} >/proc/sys/net/ipv6/conf/in1/seg6_require_hmac")
    try:
        for one, path in ((END, (END.sid, *SEGMENTS)), (SIDS[0x16], (SIDS[0x16].sid,))):
            header = outer(Random(one.sid.packed[-1]), one.sid)
            behind = inner(Random(3), 6)
            right = signed(Srh.of(path), header.source, DRAFTED)
            wrong = replace(right, tlvs=(replace(tlv(right), digest=bytes(32)),))
            foreign = replace(right, tlvs=(replace(tlv(right), key_id=9),))
            for srh in (right, wrong, foreign, Srh.of(path), signed(Srh.of(path), header.source, KEY)):
                packet = build(header, srh, *behind)
                refused = rejected(srh, header.source, {1: KEY}, required=required, drafted=True)
                said = keyed.answer(packet.to_bytes())
                assert bool(said) != bool(refused), (one.behavior, refused, srh)
                if one is END and said:
                    assert said == [forwarded(act(one, packet)).to_bytes()]
    finally:
        keyed.run("sh", "-c", "echo -1 >/proc/sys/net/ipv6/conf/in1/seg6_require_hmac")
