"""Who of the author, the model and the captures stands alone: every combination of their words, on packets by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from srv6lab.compare import compare
from srv6lab.compare.foresee import counters, foresee
from srv6lab.expect import Expected
from srv6lab.probes import Found, Sent
from srv6lab.report.text import verdicts_text
from srv6lab.trace import (
    Direction,
    End,
    Hop,
    Item,
    Leg,
    PacketView,
    Prediction,
    Status,
    Trace,
    Tracer,
    Verdict,
)
from tests.small import EAST, OTHER, PLACE, WEST, expected, hops, live, plain, tunneled

RIGHT, OTHERWISE, THIRD = tunneled(), tunneled(hop_limit=62), tunneled(hop_limit=61)
HERE = (PLACE, Direction.OUT)
GOT = End(True, "east", "delivered")
LOST = End(False, "gate", "no route")


def walk(*packets: PacketView, end: End = GOT, leg: Leg = Leg.THERE, counted: tuple[str, ...] = ()) -> Trace:
    return Trace("echo", leg, hops(*packets), end, counted=counted)


def model(*rfc: Trace, linux: Sequence[Trace] | None = None) -> Prediction:
    return Prediction("echo", rfc, tuple(rfc if linux is None else linux))


def judge(
    author: Sequence[Expected],
    foretold: Prediction,
    seen: Sequence[Hop],
    *,
    elsewhere: bool = True,
    **options: Tracer,
) -> Verdict:
    found = {"echo": Found(Sent("echo", 3, 3, "aa", ""), tuple(seen), ())}
    tracers = live() | {tracer.point: tracer for tracer in options.values()}
    return compare("across", author, found, tracers, elsewhere_absent=elsewhere, predicted={"echo": foretold})


def wrong(verdict: Verdict) -> list[tuple[str, str, str | None]]:
    return [(one.kind, one.field, one.alone) for one in verdict.items if one.status is Status.FAIL]


def limit(hop_limit: int) -> Expected:
    return expected(hop_limit=str(hop_limit))


@pytest.mark.parametrize(
    ("author", "foretold", "seen", "alone"),
    [
        (63, RIGHT, RIGHT, []),
        (62, RIGHT, RIGHT, [("field", "hop_limit", "expected")]),
        (63, OTHERWISE, RIGHT, [("field", "hop_limit", "predicted")]),
        (63, RIGHT, OTHERWISE, [("field", "hop_limit", "captured")]),
        (63, OTHERWISE, THIRD, [("field", "hop_limit", None)]),
    ],
)
def test_a_field(
    author: int, foretold: PacketView, seen: PacketView, alone: list[tuple[str, str, str | None]]
) -> None:
    assert wrong(judge([limit(author)], model(walk(foretold)), hops(*[seen] * 3))) == alone


@pytest.mark.parametrize(
    ("author", "foretold", "seen", "alone"),
    [
        (3, [RIGHT], 3, []),
        (2, [RIGHT], 3, [("count", "count", "expected")]),
        (3, [RIGHT], 2, [("count", "count", "captured")]),
        (3, [RIGHT], 0, [("missing", "count", "captured")]),
        (3, [RIGHT, RIGHT], 3, [("count", "count", "predicted")]),
        (6, [RIGHT, RIGHT], 6, []),
        (4, [RIGHT, RIGHT], 5, [("count", "count", None)]),
    ],
)
def test_a_count(
    author: int, foretold: list[PacketView], seen: int, alone: list[tuple[str, str, str | None]]
) -> None:
    said = [expected(count=author, hop_limit="63")]
    assert wrong(judge(said, model(walk(*foretold)), hops(*[RIGHT] * seen))) == alone


@pytest.mark.parametrize(
    ("foretold", "seen", "alone"),
    [
        ([], [], []),
        ([RIGHT], [], [("missing", "count", "predicted")]),
        ([], [RIGHT] * 3, [("unexpected", "count", "captured")]),
        ([RIGHT], [RIGHT] * 3, [("unexpected", "count", "expected")]),
        ([RIGHT], [OTHERWISE] * 3, [("unexpected", "count", None)]),
    ],
)
def test_an_author_who_says_that_nothing_comes(
    foretold: list[PacketView], seen: list[PacketView], alone: list[tuple[str, str, str | None]]
) -> None:
    assert wrong(judge([], model(walk(*foretold)), hops(*seen))) == alone


@pytest.mark.parametrize(
    ("foretold", "seen", "kinds"),
    [
        ([RIGHT], [RIGHT] * 3, []),
        ([RIGHT], [OTHERWISE] * 3, ["field"]),
        ([RIGHT], [RIGHT] * 2, ["count"]),
        ([RIGHT], [], ["missing"]),
        ([], [RIGHT], ["unexpected"]),
    ],
)
def test_of_two_witnesses_none_stands_alone(
    foretold: list[PacketView], seen: list[PacketView], kinds: list[str]
) -> None:
    """Where the author says nothing, the model and the captures are held against each other."""
    verdict = judge([], model(walk(*foretold)), hops(*seen), elsewhere=False)
    assert [(kind, alone) for kind, _, alone in wrong(verdict)] == [(kind, None) for kind in kinds]


class TestWhereTheTracerIsDead:
    DEAD = Tracer(PLACE, "dead", 0)

    @pytest.mark.parametrize("elsewhere", [True, False])
    @pytest.mark.parametrize("author", [(), (limit(63),)], ids=["silent", "speaks"])
    def test_nothing_seen_proves_nothing(self, author: tuple[Expected, ...], elsewhere: bool) -> None:
        verdict = judge(author, model(walk(RIGHT)), (), elsewhere=elsewhere, dead=self.DEAD)
        assert verdict.status is Status.INCONCLUSIVE

    def test_a_wrong_packet_that_was_seen_is_judged(self) -> None:
        verdict = judge([limit(63)], model(walk(RIGHT)), hops(OTHERWISE), dead=self.DEAD)
        assert ("field", "hop_limit", "captured") in wrong(verdict)


class TestWhereLinuxDepartsFromTheRfc:
    BOTH = model(walk(RIGHT), linux=[walk(OTHERWISE)])

    @pytest.mark.parametrize(("author", "seen"), [(63, RIGHT), (62, OTHERWISE)])
    def test_either_word_will_do(self, author: int, seen: PacketView) -> None:
        assert not wrong(judge([limit(author)], self.BOTH, hops(*[seen] * 3)))

    def test_but_no_third(self) -> None:
        assert wrong(judge([limit(63)], self.BOTH, hops(*[THIRD] * 3))) == [
            ("field", "hop_limit", "captured")
        ]

    def test_the_quirk_is_named(self) -> None:
        (rfc,), by = hops(RIGHT), Hop(*HERE, OTHERWISE, quirks=("some-quirk",))
        both = Prediction(
            "echo", (Trace("echo", Leg.THERE, (rfc,), GOT),), (Trace("echo", Leg.THERE, (by,), GOT),)
        )
        (item,) = judge([expected(hop_limit="62")], both, hops(*[OTHERWISE] * 3)).items
        assert item.quirks == ("some-quirk",)

    def test_what_linux_loses_may_be_missing(self) -> None:
        lost = model(walk(RIGHT), linux=[walk(end=LOST)])
        assert not wrong(judge([], lost, ()))
        assert not wrong(judge([limit(63)], lost, hops(*[RIGHT] * 3)))


class TestHowManyAreForeseen:
    def spans(self, foretold: Prediction) -> list[tuple[int, int]]:
        return [(one.least, one.most) for one in foresee(foretold, 3).get(HERE, ())]

    def test_one_walk_is_certain(self) -> None:
        assert self.spans(model(walk(RIGHT))) == [(3, 3)]

    def test_a_walk_twice_through_a_place_is_two_packets(self) -> None:
        assert self.spans(model(walk(RIGHT, OTHERWISE))) == [(3, 3), (3, 3)]

    def test_of_two_walks_each_may_have_all_or_none(self) -> None:
        assert self.spans(model(walk(RIGHT), walk(OTHERWISE))) == [(0, 3), (0, 3)]

    def test_what_all_walks_share_is_certain(self) -> None:
        assert self.spans(model(walk(RIGHT), walk(RIGHT))) == [(3, 3)]

    def test_answers_are_certain_if_every_walk_arrives(self) -> None:
        answer = walk(RIGHT, leg=Leg.BACK)
        assert self.spans(model(walk(), answer)) == [(3, 3)]
        assert self.spans(model(walk(), walk(end=LOST), answer)) == [(0, 3)]

    def test_counters_count_the_same_way(self) -> None:
        twice, once = walk(RIGHT, counted=("a", "a", "b")), walk(RIGHT, counted=("a",))
        assert counters(model(twice), 3) == {"a": (6, 6), "b": (3, 3)}
        assert counters(model(twice, once), 3) == {"a": (3, 6), "b": (0, 3)}
        answer = walk(RIGHT, leg=Leg.BACK, counted=("c",))
        assert counters(model(once, walk(end=LOST), answer), 3)["c"] == (0, 3)


def test_the_text_says_who_stands_alone() -> None:
    text = verdicts_text([judge([], model(walk(RIGHT)), ())])
    assert "missing: expected 0, predicted 3: 2001:ab::1 → fc00:b::e" in text
    assert "predicted stands alone" in text


def test_a_point_without_a_capture_is_left_out() -> None:
    """Somebody who hands in pcaps may hand in some of them; what the model says of the others isn't held against him."""
    elsewhere = Trace("echo", Leg.THERE, (*hops(RIGHT), *hops(plain(WEST, EAST), point=OTHER)), GOT)
    missing = Tracer(OTHER, "missing", 0)
    verdict = judge([limit(63)], model(elsewhere), hops(*[RIGHT] * 3), elsewhere=False, missing=missing)
    assert not wrong(verdict)


def test_every_item_of_a_probe_is_told_as_its() -> None:
    items: tuple[Item, ...] = judge([limit(62)], model(walk(RIGHT)), hops(*[RIGHT] * 3)).items
    assert {item.probe for item in items} == {"echo"}
