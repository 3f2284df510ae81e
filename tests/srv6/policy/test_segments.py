"""Segments of types A to K: how they are written, what is refused, and the SIDs that they resolve to."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import pytest

from srv6lab.srv6.policy.resolution import Unresolved, resolve
from srv6lab.srv6.policy.segments import DataPlane, SegmentType, parse
from srv6lab.srv6.policy.sr_db import KnownSid, Link, Node, SrDb
from tests.srv6.policy.rulebook import SIDS, network

V6 = {"local": "2001:db8::1", "remote": "2001:db8::2"}
V4 = {"local": "192.0.2.1", "remote": "192.0.2.2"}
LEGAL: list[tuple[Any, str]] = [
    ("fc00:2::a", "fc00:2::a"),
    ({"type": "A", "label": 16004}, "label 16004"),
    ({"type": "B", "sid": "fc00:2::a", "behavior": "End"}, "fc00:2::a"),
    (
        {"type": "C", "prefix": "192.0.2.4", "algorithm": 1, "sid": 16004},
        "the node of 192.0.2.4, algorithm 1",
    ),
    ({"type": "D", "prefix": "2001:db8::4"}, "the node of 2001:db8::4"),
    ({"type": "E", "prefix": "192.0.2.4", "interface": 3}, "interface 3 of the node of 192.0.2.4"),
    ({"type": "F", **V4, "sid": 3}, "the link from 192.0.2.1 to 192.0.2.2"),
    (
        {
            "type": "G",
            "prefix": "2001:db8::4",
            "interface": 0,
            "remote_prefix": "2001:db8::5",
            "remote_interface": 7,
        },
        "interface 0 of the node of 2001:db8::4",
    ),
    ({"type": "H", **V6}, "the link from 2001:db8::1 to 2001:db8::2"),
    (
        {"type": "I", "prefix": "2001:db8::4", "algorithm": 128, "sid": "fc00::1", "behavior": "End"},
        "the node of 2001:db8::4, algorithm 128",
    ),
    (
        {"type": "J", "prefix": "2001:db8::4", "interface": 4294967295, "algorithm": 0},
        "interface 4294967295 of the node of 2001:db8::4, algorithm 0",
    ),
    ({"type": "K", **V6, "sid": "fc00::1", "behavior": "End.X"}, "the link from 2001:db8::1 to 2001:db8::2"),
]


@pytest.mark.parametrize(("written", "says"), LEGAL, ids=lambda value: str(value)[:40])
def test_a_segment_of_each_type_is_read(written: Any, says: str) -> None:
    segment = parse(written)
    assert segment.type.letter == (written["type"] if isinstance(written, dict) else "B")
    assert str(segment) == says
    if isinstance(written, dict):
        got = {key: getattr(segment, key) for key in written if key != "type"}
        assert {key: str(value) for key, value in got.items()} == {key: str(written[key]) for key in got}


def test_every_type_is_read_by_a_test() -> None:
    assert {parse(written).type for written, _ in LEGAL} == set(SegmentType)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"sid": "fc00::1"}, "a segment's `type` is a letter from A to K, and this is None"),
        ({"type": "L"}, "a letter from A to K, and this is 'L'"),
        ({"type": "b", "sid": "fc00::1"}, "and this is 'b'"),
        ({"type": 1}, "and this is 1"),
        ("192.0.2.1", "`sid` of type B (SRv6 SID): "),
        ("nonsense", "`sid` of type B (SRv6 SID): "),
        ({"type": "A"}, "type A (SR-MPLS label) needs `label`"),
        ({"type": "A", "label": 2**20}, "a label is from 0 to 1048575, and this is 1048576"),
        ({"type": "A", "label": "7"}, "a number is needed, and this is '7'"),
        ({"type": "A", "label": True}, "a number is needed, and this is True"),
        ({"type": "C", "prefix": "2001:db8::1"}, "`prefix` of type C"),
        ({"type": "C", "prefix": "192.0.2.1", "sid": "fc00::1"}, "`sid` of type C"),
        ({"type": "C", "prefix": "192.0.2.1", "behavior": "End"}, "has no `behavior`"),
        ({"type": "D", "prefix": "192.0.2.1"}, "`prefix` of type D"),
        (
            {"type": "E", "prefix": "192.0.2.1", "interface": 1, "remote_interface": 2},
            "has no `remote_interface`",
        ),
        ({"type": "F", "local": "192.0.2.1"}, "needs `remote`"),
        ({"type": "I", "prefix": "2001:db8::1", "algorithm": 256}, "an SR algorithm is from 0 to 255"),
        (
            {"type": "J", "prefix": "2001:db8::1", "algorithm": 256, "interface": 1},
            "an SR algorithm is from 0 to 255",
        ),
        ({"type": "J", "prefix": "2001:db8::1", "interface": -1}, "an interface ID is from 0 to 4294967295"),
        (
            {"type": "J", "prefix": "2001:db8::1", "interface": 1, "remote_interface": 2**32},
            "an interface ID is from 0 to 4294967295, and this is 4294967296",
        ),
        ({"type": "K", **V6, "algorithm": -1}, "an SR algorithm is from 0 to 255, and this is -1"),
        ({"type": "K", **V6, "hop": 1}, "type K (IPv6 addresses of a link for SRv6) has no `hop`"),
        ({"type": "K", "local": "x", "remote": "y"}, "`local` of type K"),
    ],
)
def test_a_segment_that_is_none_is_refused(written: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(written)


def test_all_that_is_wrong_with_a_segment_is_said_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        parse({"type": "K", "local": "x", "hop": 1})
    assert all(part in str(caught.value) for part in ("needs `remote`", "has no `hop`", "`local` of type K"))


@pytest.mark.parametrize(
    "written", [one for one, _ in LEGAL if isinstance(one, dict)], ids=lambda one: one["type"]
)
def test_what_is_for_mpls_is_refused_by_its_name(written: Any) -> None:
    segment = parse(written)
    found = resolve(segment, network({}, []))
    if segment.type.data_plane is DataPlane.MPLS:
        assert found == Unresolved(f"{segment.type} is for SR-MPLS, and this headend has SRv6")
    else:
        assert not isinstance(found, Unresolved) or "SR-MPLS" not in found.why


PE = {"local": "2001:24::2", "remote": "2001:24::4"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"type": "I", "prefix": "fc00:3::99"}, "N"),
        ({"type": "I", "prefix": "2001:24::2"}, "M"),
        ({"type": "I", "prefix": "2001:db8::"}, "no node is known that 2001:db8:: comes from"),
        ({"type": "I", "prefix": "fc00:3::99", "algorithm": 128}, "n has no End SID of algorithm 128"),
        ({"type": "K", **PE}, "ME"),
        ({"type": "K", **PE, "algorithm": 0}, "ME"),
        ({"type": "K", **PE, "algorithm": 1}, "m to e has no End.X SID of algorithm 1"),
        ({"type": "K", "local": PE["remote"], "remote": PE["local"]}, "EM"),
        ({"type": "K", **V6}, "the link from 2001:db8::1 to 2001:db8::2 is not known"),
        ({"type": "J", "prefix": "fc00:2::1", "interface": 2}, "ME"),
        ({"type": "J", "prefix": "fc00:2::1", "interface": 2, "remote_interface": 1}, "ME"),
        ({"type": "J", "prefix": "fc00:2::1", "interface": 2, "remote_prefix": "fc00:4::1"}, "ME"),
        (
            {"type": "J", "prefix": "fc00:2::1", "interface": 2, "remote_interface": 9},
            "no link is known behind interface 2 of the node of fc00:2::1",
        ),
        (
            {"type": "J", "prefix": "fc00:2::1", "interface": 2, "remote_prefix": "fc00:3::1"},
            "no link is known behind interface 2 of the node of fc00:2::1",
        ),
        (
            {"type": "J", "prefix": "2001:db8::", "interface": 1},
            "no node is known that 2001:db8:: comes from",
        ),
    ],
)
def test_a_segment_resolves(written: Any, expected: str) -> None:
    found = resolve(parse(written), network({}, []))
    assert found == (IPv6Address(SIDS[expected]) if expected in SIDS else Unresolved(expected))


A, B, C = (IPv6Address(f"2001:db8::{n}") for n in (1, 2, 3))
LAN = (Link("a", "b", A, B, 1, 5), Link("a", "c", A, C, 1, 6))
OVER = tuple(KnownSid(IPv6Address(f"fc00:a::{n}"), "a", "End.X", link=link) for n, link in enumerate(LAN, 1))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "2 neighbors are behind interface 1 of the node of 2001:db8::1: say which is remote"),
        ({"remote_interface": 6}, "fc00:a::2"),
        ({"remote_prefix": "2001:db8:b::1"}, "fc00:a::1"),
    ],
)
def test_several_neighbors_on_a_link(more: dict[str, Any], expected: str) -> None:
    db = SrDb((Node("b", (ip_network("2001:db8:b::/64"),)),), LAN, OVER)
    found = resolve(parse({"type": "J", "prefix": str(A), "interface": 1, **more}), db)
    assert (found.why if isinstance(found, Unresolved) else str(found)) == expected


@pytest.mark.parametrize(
    ("algorithm", "has", "expected"),
    [
        (None, [0, 1], 1),
        (None, [1, 0], 0),
        (None, [0], 0),
        (None, [128, 0], 1),
        (None, [128], None),
        (0, [1, 0], 1),
        (1, [0], None),
        (128, [0, 1, 128], 2),
    ],
)
def test_the_algorithm_of_a_node_segment(algorithm: int | None, has: list[int], expected: int | None) -> None:
    """Without one, strict shortest paths before shortest paths."""
    known = tuple(KnownSid(IPv6Address(number + 1), "n", algorithm=one) for number, one in enumerate(has))
    found = SrDb(sids=known).node_sid("n", algorithm)
    assert found == (None if expected is None else known[expected])


def test_a_sid_of_another_behavior_is_no_node_sid() -> None:
    db = SrDb(sids=(KnownSid(A, "n", "End.DX4"), KnownSid(B, "n", "End.X"), KnownSid(C, "m")))
    assert db.node_sid("n") is None


def test_the_longest_prefix_owns_an_address_and_an_interface_before_it() -> None:
    nodes = (
        Node("wide", (ip_network("2001:db8::/32"),)),
        Node("long", (ip_network("2001:db8::/64"), ip_network("192.0.2.0/24"))),
    )
    db = SrDb(nodes, LAN)
    assert [
        db.owner(ip_address(one)) for one in ("2001:db8::9", "2001:db8:1::", str(B), "192.0.2.7", "::1")
    ] == [
        "long",
        "wide",
        "long",
        "long",
        None,
    ]
    assert db.owner(A) == "a"
