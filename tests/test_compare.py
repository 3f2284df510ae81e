"""Each kind of item once as it should be and once as it should not; what proves nothing; the property."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, PacketView, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.shares import Shares, Way
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.evidence.wording import Described, describe, foretell
from srv6lab.judge.compare import compare
from srv6lab.judge.compare.permitted import Permitted
from srv6lab.judge.compare.point import PointContext, judge_spot
from srv6lab.judge.expectations import Expected
from tests.small import (
    EAST,
    LINE,
    OTHER,
    PLACE,
    WEST,
    expected,
    hops,
    live,
    plain,
    shown,
    tunneled,
)

WANTED = expected(destination="fc00:b::e", segment_list="fc00:b::d4, fc00:b::e", segments_left="1")


def judge(
    wanted: Sequence[Expected],
    seen: Sequence[Hop],
    *,
    sent: int = 3,
    token: str = "aa",
    tracers: Mapping[Point, Tracer] | None = None,
    elsewhere_absent: bool | Collection[str] = False,
    undirected: tuple[Point, ...] = (),
) -> Verdict:
    found = Found(Sent("echo", sent, sent, token, "" if sent else "no way"), tuple(seen), undirected)
    return compare("across", wanted, {"echo": found}, tracers or live(), elsewhere_absent=elsewhere_absent)


def test_a_packet_as_expected_passes_and_is_described() -> None:
    (item,) = judge([WANTED], hops(*[tunneled()] * 3)).items
    assert (item.kind, item.status, item.point, item.direction) == (
        "packet",
        Status.PASS,
        PLACE,
        Direction.OUT,
    )
    assert item.captured == (
        f"3: 2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] SL 1 | {WEST} → {EAST} hl 64 icmp"
    )
    assert item.location == LINE


def test_a_wrong_field_fails_with_both_words_and_the_place_in_the_file() -> None:
    (item,) = judge([WANTED], hops(*[tunneled(left=0)] * 3)).items
    assert (item.kind, item.status, item.field) == ("field", Status.FAIL, "segments_left")
    assert (item.expected, item.captured, item.alone, item.location) == ("1", "0", "captured", LINE)


def test_a_field_of_which_the_model_does_not_speak_is_judged_by_the_author_alone() -> None:
    wanted = replace(WANTED, fields=(*WANTED.fields, ("flow_label", "7")))
    seen = tunneled()
    labeled = replace(seen, headers=(replace(seen.outer, flow_label=7), *seen.headers[1:]))
    assert judge([wanted], hops(*[labeled] * 3)).status is Status.PASS
    (item,) = judge([wanted], hops(*[seen] * 3)).items
    assert (item.field, item.expected, item.predicted, item.captured) == ("flow_label", "7", None, "none")


def test_one_wrong_packet_of_three_fails() -> None:
    verdict = judge([WANTED], hops(tunneled(), tunneled(), tunneled("fc00:b::d4")))
    assert [(item.field, item.captured) for item in verdict.items] == [("destination", "fc00:b::d4")]


def test_every_wrong_field_is_an_item() -> None:
    verdict = judge([WANTED], hops(*[tunneled("fc00:b::d4", left=0)] * 3))
    assert [item.field for item in verdict.items] == ["destination", "segments_left"]


def test_a_header_that_is_not_there_differs_from_every_value() -> None:
    verdict = judge([WANTED], hops(*[plain()] * 3))
    assert {(item.field, item.captured) for item in verdict.items if item.field.startswith("segment")} == {
        ("segment_list", "none"),
        ("segments_left", "none"),
    }


def test_no_packet_at_a_live_tracer_is_missing() -> None:
    (item,) = judge([WANTED], []).items
    assert (item.kind, item.status, item.expected, item.captured) == ("missing", Status.FAIL, "3", "0")


@pytest.mark.parametrize(
    "tracer",
    [
        Tracer(PLACE, "dead", 0, note="tracer is dead"),
        Tracer(PLACE, "cut", 2),
        Tracer(PLACE, "missing"),
        Tracer(PLACE, "live", 9, dropped=1),
    ],
    ids=lambda tracer: f"{tracer.state}-{tracer.dropped}",
)
class TestWithATracerThatProvesNothing:
    def tracers(self, tracer: Tracer) -> dict[Point, Tracer]:
        return {**live(), PLACE: tracer}

    def test_missing_is_inconclusive(self, tracer: Tracer) -> None:
        assert shown(judge([WANTED], [], tracers=self.tracers(tracer))) == [("missing", "inconclusive")]

    def test_too_few_is_inconclusive(self, tracer: Tracer) -> None:
        verdict = judge([WANTED], hops(tunneled()), tracers=self.tracers(tracer))
        assert shown(verdict) == [("count", "inconclusive")]

    def test_absent_is_inconclusive(self, tracer: Tracer) -> None:
        verdict = judge([expected(absent=True)], [], tracers=self.tracers(tracer))
        assert shown(verdict) == [("absent", "inconclusive")]

    def test_all_packets_seen_is_still_inconclusive(self, tracer: Tracer) -> None:
        verdict = judge([WANTED], hops(*[tunneled()] * 3), tracers=self.tracers(tracer))
        assert shown(verdict) == [("packet", "pass"), ("tracer", "inconclusive")]

    def test_a_wrong_packet_that_was_seen_fails_all_the_same(self, tracer: Tracer) -> None:
        verdict = judge([WANTED], hops(tunneled(left=0)), tracers=self.tracers(tracer))
        assert verdict.status is Status.FAIL
        assert ("field", "fail") in shown(verdict)

    def test_it_matters_only_where_something_is_judged(self, tracer: Tracer) -> None:
        wanted = expected(OTHER, segments_left="1")
        seen = hops(*[tunneled()] * 3, point=OTHER)
        assert judge([wanted], seen, tracers=self.tracers(tracer)).status is Status.PASS
        everywhere = judge([wanted], seen, tracers=self.tracers(tracer), elsewhere_absent=True)
        assert shown(everywhere) == [("packet", "pass"), ("tracer", "inconclusive")]

    def test_the_reason_is_told(self, tracer: Tracer) -> None:
        (item,) = judge([WANTED], [], tracers=self.tracers(tracer)).items
        assert item.note


def test_a_tracer_is_told_once_for_all_that_it_hides() -> None:
    tracers = {**live(), PLACE: Tracer(PLACE, "dead")}
    verdict = judge([WANTED], [], tracers=tracers, elsewhere_absent=True)
    assert shown(verdict) == [("missing", "inconclusive")]


def test_fail_outweighs_inconclusive() -> None:
    tracers = {**live(), PLACE: Tracer(PLACE, "dead")}
    verdict = judge([WANTED, replace(WANTED, point=OTHER)], [], tracers=tracers)
    assert shown(verdict) == [("missing", "inconclusive"), ("missing", "fail")]
    assert verdict.status is Status.FAIL


def test_a_verdict_without_items_proves_nothing() -> None:
    assert judge([], []).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("seen", [1, 2, 4])
def test_another_number_of_packets_fails(seen: int) -> None:
    (item,) = judge([WANTED], hops(*[tunneled()] * seen)).items
    assert (item.kind, item.status) == ("count", Status.FAIL)
    assert (item.expected, item.captured) == ("3", str(seen))


def test_a_count_of_its_own_stands_instead_of_one_a_packet() -> None:
    wanted = replace(WANTED, count=2)
    assert judge([wanted], hops(*[tunneled()] * 2)).status is Status.PASS
    assert shown(judge([wanted], hops(*[tunneled()] * 3))) == [("count", "fail")]


def test_a_packet_of_another_flow_is_unexpected() -> None:
    back = plain(EAST, WEST)
    verdict = judge([WANTED], [*hops(*[tunneled()] * 3), *hops(back, back)])
    assert shown(verdict) == [("packet", "pass"), ("unexpected", "fail")]
    assert verdict.items[1].captured == f"2: {EAST} → {WEST} hl 64 icmp"


def test_the_other_direction_is_another_place() -> None:
    seen = hops(*[tunneled()] * 3, direction=Direction.IN)
    assert shown(judge([WANTED], seen)) == [("missing", "fail")]


def test_absent_passes_where_nothing_is_seen() -> None:
    assert shown(judge([expected(absent=True)], [])) == [("absent", "pass")]


def test_absent_fails_where_something_is_seen() -> None:
    (item,) = judge([expected(absent=True)], hops(plain())).items
    assert (item.kind, item.status, item.expected) == ("unexpected", Status.FAIL, "0")
    assert item.captured == f"1: {WEST} → {EAST} hl 64 icmp"


def test_elsewhere_absent_fails_at_any_other_place() -> None:
    seen = [*hops(*[tunneled()] * 3), *hops(tunneled(), point=OTHER, direction=Direction.IN)]
    assert judge([WANTED], seen).status is Status.PASS
    verdict = judge([WANTED], seen, elsewhere_absent=True)
    assert shown(verdict) == [("packet", "pass"), ("unexpected", "fail")]
    assert (verdict.items[1].point, verdict.items[1].direction) == (OTHER, Direction.IN)


@pytest.mark.parametrize(
    ("probes", "status"), [({"echo"}, Status.FAIL), ({"other"}, Status.PASS), ((), Status.PASS)]
)
def test_nothing_else_may_happen_to_some_probes(probes: Collection[str], status: Status) -> None:
    seen = (*hops(*[tunneled()] * 3), Hop(OTHER, Direction.IN, tunneled()))
    assert judge([WANTED], seen, elsewhere_absent=probes).status is status


def test_elsewhere_absent_passes_where_nothing_else_is_seen() -> None:
    assert judge([WANTED], hops(*[tunneled()] * 3), elsewhere_absent=True).status is Status.PASS


def test_our_own_probe_that_was_not_sent_is_the_lab_s_failure() -> None:
    (item,) = judge([WANTED], [], sent=0).items
    assert (item.kind, item.status) == ("probe", Status.FAIL)
    assert "no way" in item.note


def test_a_ping_that_nobody_typed_proves_nothing() -> None:
    assert shown(judge([WANTED], [], sent=0, token="")) == [("probe", "inconclusive")]


def test_without_directions_a_point_proves_nothing() -> None:
    verdict = judge([WANTED], [], undirected=(PLACE,))
    assert shown(verdict) == [("direction", "inconclusive"), ("missing", "inconclusive")]


def test_a_point_whose_directions_are_told_elsewhere_is_judged() -> None:
    verdict = judge([WANTED], hops(*[tunneled()] * 3), undirected=(OTHER,))
    assert shown(verdict) == [("direction", "inconclusive"), ("packet", "pass")]


class TestSeveralExpectationsAtOnePlace:
    """As with paths of equal cost: each packet belongs to the expectation that it fits best."""

    one = expected(destination="fc00:b::e", count=2)
    other = expected(destination="fc00:b::d4", count=1)

    @pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
    def test_each_takes_what_fits_it(self, order: tuple[int, ...]) -> None:
        packets = [tunneled("fc00:b::e"), tunneled("fc00:b::e"), tunneled("fc00:b::d4")]
        verdict = judge([self.one, self.other], hops(*[packets[index] for index in order]))
        assert shown(verdict) == [("packet", "pass"), ("packet", "pass")]

    def test_a_wrong_packet_is_told_against_the_nearer_one(self) -> None:
        near = expected(destination="fc00:b::d4", segments_left="0", hop_limit="63")
        far = expected(destination="fc00:b::e", segments_left="1", hop_limit="63")
        verdict = judge([far, near], hops(tunneled("fc00:b::d4", left=0, hop_limit=62)), sent=1)
        assert ("field", "hop_limit", "62") in [(i.kind, i.field, i.captured) for i in verdict.items]
        assert "destination" not in [item.field for item in verdict.items]

    def test_too_many_for_one_do_not_fill_the_other(self) -> None:
        verdict = judge([self.one, self.other], hops(*[tunneled("fc00:b::e")] * 3))
        assert shown(verdict) == [("count", "fail"), ("missing", "fail")]

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_the_one_that_says_more_takes_what_fits_both(self, order: tuple[int, ...]) -> None:
        general = expected(segments_left="1", count=1)
        special = expected(segments_left="1", hop_limit="63", count=1)
        packets = [tunneled(hop_limit=63), tunneled(hop_limit=60)]
        for wanted in itertools.permutations((general, special)):
            verdict = judge(wanted, hops(*[packets[index] for index in order]))
            assert verdict.status is Status.PASS, verdict

    def test_absent_takes_what_it_describes_whatever_its_place_in_the_file(self) -> None:
        any_of_them = expected(segments_left="1")
        none_such = expected(segments_left="1", hop_limit="60", absent=True)
        good, bad = tunneled(hop_limit=63), tunneled(hop_limit=60)
        for wanted in itertools.permutations((any_of_them, none_such)):
            assert judge(wanted, hops(good, good, good)).status is Status.PASS
            assert ("unexpected", "fail") in shown(judge(wanted, hops(good, good, bad)))


def _fits_some(view: PacketView, wanted: Sequence[Expected]) -> bool:
    return any(one.means(view) and not one.mismatches(describe(view)) for one in wanted)


def test_no_pass_with_a_packet_that_no_expectation_describes() -> None:
    """The property, over random worlds: PASS means that each packet at an expected place fits in each
    expected field, and that each expectation has its number of packets."""
    random_ = random.Random(8754)
    segments = ("fc00:b::e", "fc00:b::d4")
    passes = 0
    for _ in range(3000):
        wanted = [
            expected(
                destination=random_.choice(segments),
                segments_left=random_.choice("01"),
                count=random_.choice([None, 1, 2]),
                absent=random_.random() < 0.1,
            )
            for _ in range(random_.choice([1, 1, 2]))
        ]
        seen = hops(
            *[
                tunneled(random_.choice(segments), random_.choice([0, 1]))
                if random_.random() < 0.9
                else plain(EAST, WEST)
                for _ in range(random_.randrange(5))
            ]
        )
        if random_.random() < 0.4:  # a world made to fit, for there to be any that pass
            present = [one for one in wanted if not one.absent]
            seen = hops(*[_like(one) for one in present for _ in range(one.count or 2)])
        verdict = judge(wanted, seen, sent=2)
        if verdict.status is Status.PASS:
            passes += 1
            present = [one for one in wanted if not one.absent]
            assert all(_fits_some(hop.packet, present) for hop in seen), (wanted, seen)
            assert len(seen) == sum(one.count or 2 for one in present), (wanted, seen)
    assert passes > 300, "the property is of little worth if nothing passes"


def _like(one: Expected) -> PacketView:
    fields = dict(one.fields)
    return tunneled(fields["destination"], int(fields["segments_left"]))


def test_what_nobody_spoke_of_is_shown_as_it_came() -> None:
    late, early = (replace(plain(), time=time) for time in (2.0, 1.0))
    found = judge(
        [], [Hop(PLACE, Direction.OUT, late), Hop(OTHER, Direction.IN, early)], elsewhere_absent=True
    )
    assert [item.point for item in found.items if item.kind == "unexpected"] == [OTHER, PLACE]
    turned = [Hop(PLACE, Direction.OUT, early), Hop(OTHER, Direction.IN, late)]
    found = judge([], turned, elsewhere_absent=True)
    assert [item.point for item in found.items if item.kind == "unexpected"] == [PLACE, OTHER]


def test_any_part_from_two_ends_of_a_bridge_is_one_expectation() -> None:
    """Their packets differ in nothing but the MAC that they come from, of which no author speaks."""
    near, far = (replace(plain(), source_mac=f"02:00:00:00:00:0{end}") for end in "cd")
    foreseen = [
        Permitted(
            PLACE, Direction.IN, one, foretell(one), foretell(one), (), 0, 2, ways=(Way(Fraction(1, 2)),)
        )
        for one in (near, far)
    ]
    said = replace(expected(direction=Direction.IN, hop_limit="64"), share=Shares.written("any"))
    here = PointContext(PLACE, Direction.IN, 2, True)
    items = judge_spot([said, replace(said)], foreseen, [Described.of(far)] * 2, here)
    assert [(one.kind, one.status) for one in items] == [("packet", Status.PASS)]
