"""A probe's packets are by the RFC or as Linux forms them, never the one here and the other there."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.evidence.packets import Direction, Srh
from srv6lab.evidence.wording import Described, describe, foretell
from srv6lab.judge.compare.permitted import Permitted, Spot
from srv6lab.judge.compare.variants import judge_variants
from tests.small import OTHER, PLACE, header, packet, plain, srh

HERE, THERE = (PLACE, Direction.OUT), (OTHER, Direction.IN)
RFC, LINUX = plain(hop_limit=62), plain(hop_limit=63)


def permitted(spot: Spot, *, departs: bool = True) -> list[Permitted]:
    linux = foretell(LINUX if departs else RFC)
    return [Permitted(*spot, RFC, foretell(RFC), linux, ("quirk",), 1, 1)]


def judged(here: object, there: object, *, departs: bool = True) -> list[tuple[str, str | None, str | None]]:
    seen = {HERE: [Described.of(here)], THERE: [Described.of(there)]}  # type: ignore[arg-type]
    both = {HERE: permitted(HERE, departs=departs), THERE: permitted(THERE)}
    return [(str(one.point), one.predicted, one.captured) for one in judge_variants(both, seen)]


def test_the_same_everywhere_is_right() -> None:
    assert judged(RFC, RFC) == judged(LINUX, LINUX) == []


def test_one_here_and_the_other_there_is_wrong() -> None:
    assert judged(RFC, LINUX) == [(str(PLACE), "63", "62")]
    assert judged(LINUX, RFC) == [(str(OTHER), "63", "62")]


def test_where_they_don_t_differ_nothing_follows() -> None:
    assert judged(RFC, LINUX, departs=False) == []


def test_an_srh_of_the_innermost_header_is_described_and_foretold() -> None:
    def fields(*routing: Srh) -> tuple[str, str]:
        one = packet(
            header("2001:1::1", "fc00::1", 63, "ipv6"), header("2001:1::1", "fc00::2", 63, "icmpv6", *routing)
        )
        assert foretell(one)["inner.segments_left"] == describe(one)["inner.segments_left"]
        return describe(one)["inner.segment_list"], describe(one)["inner.segments_left"]

    assert fields() == ("none", "none")
    assert fields(srh("fc00::3", "fc00::2", left=1)) == ("fc00::3, fc00::2", "1")


def test_what_is_neither_is_another_s_to_judge() -> None:
    assert judged(replace(RFC, length=1), LINUX) == []
