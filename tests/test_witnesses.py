"""Three witnesses at one point: each of them alone, all three different, those that say nothing, those that can't.

`judge` takes what the author wrote, what the model walks, and what was captured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, PacketView, Place, Point
from srv6lab.evidence.prediction import End, Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Item, Status, Verdict
from srv6lab.judge.compare import compare, judge_counts, predicted_counts
from srv6lab.judge.expectations import Expected, ExpectedCount
from srv6lab.report.text import verdicts_text
from tests.small import EAST, LINE, OTHER, PLACE, WEST, expected, hops, live, plain, shown, tunneled

E, P, C = "expected", "predicted", "captured"
QUIRK = "encapsulated-before-the-hop"
GOOD = tunneled()
DELIVERED, LOST = End(True, Place("east"), ""), End(False, Place("gate"), "")


def trace(
    *packets: PacketView,
    point: Point = PLACE,
    leg: Leg = Leg.THERE,
    quirks: tuple[str, ...] = (),
    end: End = DELIVERED,
    counted: tuple[str, ...] = (),
) -> Trace:
    way = tuple(Hop(point, Direction.OUT, packet, quirks=quirks) for packet in packets)
    return Trace("echo", leg, way, end, Fraction(1), counted)


def walks(*rfc: Trace, linux: Sequence[Trace] | None = None) -> Prediction:
    return Prediction("echo", rfc, tuple(rfc if linux is None else linux))


def judge(
    wanted: Sequence[Expected],
    predicted: Prediction | None,
    seen: Sequence[Hop],
    *,
    sent: int = 3,
    tracers: Mapping[Point, Tracer] | None = None,
    elsewhere_absent: bool = False,
) -> Verdict:
    found = {"echo": Found(Sent("echo", sent, sent, "aa"), tuple(seen))}
    foretold = {"echo": predicted} if predicted else None
    verdict = compare(
        "across", wanted, found, tracers or live(), elsewhere_absent=elsewhere_absent, predicted=foretold
    )
    return replace(verdict, items=tuple(one for one in verdict.items if one.kind != "lost"))


def said(item: Item) -> tuple[str | None, str | None, str | None, str | None]:
    return item.expected, item.predicted, item.captured, item.alone


def three(*packets: PacketView, point: Point = PLACE) -> tuple[Hop, ...]:
    return hops(*(packets or (GOOD, GOOD, GOOD)), point=point)


# --- a field


@pytest.mark.parametrize(
    ("author", "model", "capture", "alone"),
    [
        ("9", 63, 63, E),
        ("63", 9, 63, P),
        ("63", 63, 9, C),
        ("7", 8, 9, None),
    ],
)
def test_who_stands_alone_in_a_field(author: str, model: int, capture: int, alone: str | None) -> None:
    wanted = expected(hop_limit=author)
    verdict = judge(
        [wanted], walks(trace(tunneled(hop_limit=model))), three(*[tunneled(hop_limit=capture)] * 3)
    )
    (item,) = verdict.items
    assert (item.kind, item.status, item.field, item.location) == ("field", Status.FAIL, "hop_limit", LINE)
    assert said(item) == (author, str(model), str(capture), alone)
    assert (item.probe, item.point, item.direction) == ("echo", PLACE, Direction.OUT)


def test_all_three_agree() -> None:
    (item,) = judge([expected(hop_limit="63")], walks(trace(GOOD)), three()).items
    assert (item.kind, item.status, item.alone, item.quirks) == ("packet", Status.PASS, None, ())
    assert (
        item.predicted
        == f"2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] SL 1 | {WEST} → {EAST} hl 64 icmp"
    )


def test_a_field_of_which_the_author_says_nothing_is_held_against_the_model() -> None:
    """Nobody stands alone where two speak."""
    verdict = judge([expected(segments_left="1")], walks(trace(GOOD)), three(*[tunneled(hop_limit=60)] * 3))
    (item,) = verdict.items
    assert (item.field, item.status) == ("hop_limit", Status.FAIL)
    assert said(item) == (None, "63", "60", None)


def test_captures_that_differ_among_themselves_stand_alone() -> None:
    verdict = judge([expected(hop_limit="63")], walks(trace(GOOD)), three(GOOD, GOOD, tunneled(hop_limit=9)))
    assert [said(item) for item in verdict.items] == [("63", "63", "9", C)]


def test_a_wrong_model_is_told_for_each_field() -> None:
    model = tunneled("fc00:b::d4", left=0)
    verdict = judge([expected(destination="fc00:b::e", segments_left="1")], walks(trace(model)), three())
    assert {(item.field, item.alone) for item in verdict.items} == {("destination", P), ("segments_left", P)}


# --- a count


@pytest.mark.parametrize(
    ("author", "model", "capture", "alone"),
    [
        (2, 3, 3, E),
        (3, 2, 3, P),
        (3, 3, 2, C),
        (3, 3, 4, C),
        (1, 2, 3, None),
        (3, 2, 1, None),
    ],
)
def test_who_stands_alone_in_a_count(author: int, model: int, capture: int, alone: str | None) -> None:
    """What the model sends on its one walk is what was sent."""
    verdict = judge([expected(count=author)], walks(trace(GOOD)), three(*[GOOD] * capture), sent=model)
    (item,) = verdict.items
    assert (item.kind, item.status, item.field) == ("count", Status.FAIL, "count")
    assert said(item) == (str(author), str(model), str(capture), alone)


def test_a_count_that_is_seen_at_a_blind_tracer_is_the_model_s_word_all_the_same() -> None:
    blind = {**live(), PLACE: Tracer(PLACE, "dead")}
    verdict = judge([expected(count=2)], walks(trace(GOOD)), three(GOOD, GOOD), tracers=blind)
    assert ("count", "fail") in shown(verdict)


# --- presence and absence


@pytest.mark.parametrize(
    ("author", "model", "capture", "alone", "kind"),
    [
        (True, True, False, C, "missing"),
        (True, False, True, P, "count"),
        (False, True, True, E, "unexpected"),
        (True, False, False, E, "missing"),
        (False, True, False, P, "count"),
        (False, False, True, C, "unexpected"),
    ],
)
def test_who_stands_alone_in_presence(
    author: bool, model: bool, capture: bool, alone: str, kind: str
) -> None:
    wanted = expected(absent=not author)
    walk = walks(trace(GOOD) if model else trace(end=LOST))
    (item,) = judge([wanted], walk, three() if capture else ()).items
    assert (item.kind, item.status, item.alone) == (kind, Status.FAIL, alone)


def test_absent_by_all_three() -> None:
    (item,) = judge([expected(absent=True)], walks(trace(end=LOST)), ()).items
    assert (item.kind, item.status, item.predicted) == ("absent", Status.PASS, "0")


def test_of_what_must_be_absent_only_the_number_is_told() -> None:
    (item,) = judge([expected(absent=True, hop_limit="9")], walks(trace(end=LOST)), three()).items
    assert (item.kind, item.alone) == ("unexpected", C)


BLIND = {**live(), PLACE: Tracer(PLACE, "dead", note="tracer is dead")}


@pytest.mark.parametrize("model", [trace(GOOD), trace(end=LOST)])
@pytest.mark.parametrize("absent", [True, False])
def test_a_blind_tracer_proves_no_absence(absent: bool, model: Trace) -> None:
    (item,) = judge([expected(absent=absent)], walks(model), (), tracers=BLIND).items
    assert (item.status, item.alone, item.note) == (Status.INCONCLUSIVE, None, "tracer is dead")


# --- where the author says nothing


def test_the_model_passes_alone_with_the_captures() -> None:
    (item,) = judge([], walks(trace(GOOD)), three()).items
    assert (item.kind, item.status, item.expected, item.note) == (
        "packet", Status.PASS, None, "the author says nothing here",
    )  # fmt: skip
    assert item.location is None


@pytest.mark.parametrize(
    ("seen", "kind", "words"),
    [
        (three(*[tunneled(hop_limit=9)] * 3), "field", (None, "63", "9", None)),
        (three(GOOD, GOOD), "count", (None, "3", "2", None)),
        (three(*[GOOD] * 4), "count", (None, "3", "4", None)),
        ((), "missing", (None, "3", "0", None)),
    ],
    ids=["field", "few", "many", "none"],
)
def test_the_model_against_the_captures(seen: tuple[Hop, ...], kind: str, words: tuple[object, ...]) -> None:
    (item,) = judge([], walks(trace(GOOD)), seen).items
    assert (item.kind, item.status) == (kind, Status.FAIL)
    assert said(item) == words


def test_where_the_author_says_nothing_a_blind_tracer_proves_nothing() -> None:
    assert shown(judge([], walks(trace(GOOD)), (), tracers=BLIND)) == [("tracer", "inconclusive")]


def test_at_a_blind_tracer_too_many_are_too_many() -> None:
    assert ("count", "fail") in shown(judge([], walks(trace(GOOD)), three(*[GOOD] * 4), tracers=BLIND))


def test_a_packet_that_nobody_spoke_of() -> None:
    verdict = judge([], walks(trace(GOOD)), (*three(), *hops(GOOD, point=OTHER)))
    assert [(item.kind, item.status) for item in verdict.items] == [
        ("packet", Status.PASS), ("unexpected", Status.FAIL),
    ]  # fmt: skip
    assert verdict.items[1].note == "the model has no such packet here, and the author says nothing"
    assert verdict.items[1].alone is None


def test_without_a_model_what_nobody_spoke_of_is_let_pass() -> None:
    wanted = expected(hop_limit="63")
    (item,) = judge([wanted], None, (*three(), *hops(GOOD, point=OTHER))).items
    assert (item.kind, item.status, item.predicted) == ("packet", Status.PASS, None)


def test_an_author_who_speaks_of_one_flow_at_a_place_leaves_the_other_to_the_model() -> None:
    reply = plain(EAST, WEST)
    walk = walks(trace(GOOD), trace(reply, leg=Leg.BACK))
    wanted = [expected(segments_left="1")]
    both = (*three(), *hops(*[reply] * 3))
    assert judge(wanted, walk, both).status is Status.PASS
    wrong = judge(wanted, walk, (*three(), *hops(*[plain(EAST, WEST, hop_limit=9)] * 3)))
    assert [(item.kind, item.status, item.captured) for item in wrong.items][1:] == [
        ("field", Status.FAIL, "9")
    ]
    assert [item.kind for item in judge(wanted, walk, three()).items] == ["packet", "missing"]


def test_where_nothing_else_may_be_an_author_speaks_of_every_flow_at_a_place() -> None:
    reply = plain(EAST, WEST)
    walk = walks(trace(GOOD), trace(reply, leg=Leg.BACK))
    wanted = [expected(segments_left="1")]
    verdict = judge(wanted, walk, (*three(), *hops(*[reply] * 3)), elsewhere_absent=True)
    assert [(item.kind, item.alone) for item in verdict.items] == [("packet", None), ("unexpected", E)]
    verdict = judge(wanted, walk, three(), elsewhere_absent=True)
    assert [(item.kind, item.alone) for item in verdict.items] == [("packet", None), ("missing", P)]


def test_a_line_means_the_packets_that_are_as_it_says_where_the_model_has_others_too() -> None:
    """As behind a binding SID that leads back: two tunnels pass one NIC, and the author speaks of one."""
    first, second = tunneled("fc00:b::e"), tunneled("fc00:b::d4", left=0, hop_limit=62)
    walk = walks(Trace("echo", Leg.THERE, hops(first, second), DELIVERED))
    wanted = [expected(destination="fc00:b::e", segments_left="1")]
    assert judge(wanted, walk, hops(*[first, second] * 3)).status is Status.PASS
    lacking = judge(wanted, walk, hops(*[second] * 3))
    assert ("missing", "fail") in shown(lacking)
    changed = tunneled("fc00:b::e", left=0)  # neither of the two
    assert judge(wanted, walk, hops(*[changed, second] * 3)).status is Status.FAIL
    alone = judge([expected(destination="fc00:b::c")], walk, hops(*[first, second] * 3))
    assert ("field", "fail") in shown(alone)  # of what the model has nowhere, all packets are meant


# --- elsewhere: absent

ELSEWHERE = walks(Trace("echo", Leg.THERE, (*three(GOOD), *hops(GOOD, point=OTHER)), DELIVERED))


@pytest.mark.parametrize(
    ("model", "seen", "kinds", "alone"),
    [
        (ELSEWHERE, three(point=OTHER), ["unexpected"], E),
        (ELSEWHERE, three(*[tunneled(hop_limit=9)] * 3, point=OTHER), ["unexpected"], None),
        (ELSEWHERE, (), ["missing"], P),
        (walks(trace(GOOD)), three(point=OTHER), ["unexpected"], C),
        (walks(trace(GOOD)), (), [], None),
    ],
    ids=["the author", "all differ", "the model", "the captures", "nobody"],
)
def test_who_stands_alone_elsewhere(
    model: Prediction, seen: tuple[Hop, ...], kinds: list[str], alone: str | None
) -> None:
    verdict = judge([expected(hop_limit="63")], model, (*three(), *seen), elsewhere_absent=True)
    assert [(item.kind, item.alone) for item in verdict.items[1:]] == [(kind, alone) for kind in kinds]
    assert verdict.status is (Status.FAIL if kinds else Status.PASS)


def test_elsewhere_a_blind_tracer_proves_nothing() -> None:
    tracers = {**live(), OTHER: Tracer(OTHER, "dead")}
    verdict = judge([expected(hop_limit="63")], ELSEWHERE, three(), tracers=tracers, elsewhere_absent=True)
    assert shown(verdict) == [("packet", "pass"), ("tracer", "inconclusive")]


# --- captures that nobody handed in


@pytest.mark.parametrize("tracers", [{PLACE: live()[PLACE]}, {**live(), OTHER: Tracer(OTHER, "missing")}])
def test_the_model_alone_asks_for_no_capture(tracers: Mapping[Point, Tracer]) -> None:
    verdict = judge([expected(hop_limit="63")], ELSEWHERE, three(), tracers=tracers)
    assert shown(verdict) == [("packet", "pass")]


def test_the_author_does_ask_for_it() -> None:
    tracers = {**live(), PLACE: Tracer(PLACE, "missing")}
    assert shown(judge([expected(hop_limit="63")], ELSEWHERE, three(point=OTHER), tracers=tracers)) == [
        ("missing", "inconclusive"), ("packet", "pass"),
    ]  # fmt: skip


# --- several permitted walks

NORTH, SOUTH = Point("north", "eth1"), Point("south", "eth1")
FORKED = walks(trace(GOOD, point=NORTH), trace(GOOD, point=SOUTH))
TRACERS = live(PLACE, NORTH, SOUTH)


@pytest.mark.parametrize("north", [0, 1, 2, 3])
def test_any_permitted_path_passes(north: int) -> None:
    seen = (*hops(*[GOOD] * north, point=NORTH), *hops(*[GOOD] * (3 - north), point=SOUTH))
    verdict = judge([], FORKED, seen, tracers=TRACERS)
    assert verdict.status is Status.PASS
    assert {item.predicted for item in verdict.items} == {
        f"2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] SL 1 | {WEST} → {EAST} hl 64 icmp"
    }


def test_a_path_that_is_not_permitted_fails() -> None:
    verdict = judge([], walks(trace(GOOD, point=NORTH)), hops(*[GOOD] * 3, point=SOUTH), tracers=TRACERS)
    assert [(item.kind, item.point, item.status) for item in verdict.items] == [
        ("missing", NORTH, Status.FAIL), ("unexpected", SOUTH, Status.FAIL),
    ]  # fmt: skip


def test_more_than_were_sent_on_one_of_two_paths() -> None:
    (item,) = judge([], FORKED, hops(*[GOOD] * 4, point=NORTH), tracers=TRACERS).items
    assert (item.kind, item.predicted, item.captured) == ("count", "0 to 3", "4")


def test_the_count_of_an_author_on_one_of_two_paths() -> None:
    """The model permits any; so the captures are alone, or nobody is."""
    seen = hops(*[GOOD] * 3, point=NORTH)
    (item,) = judge([expected(NORTH, count=2)], FORKED, seen, tracers=TRACERS).items
    assert said(item) == ("2", "0 to 3", "3", C)
    assert judge([expected(NORTH, count=3)], FORKED, seen, tracers=TRACERS).status is Status.PASS


def test_behind_the_fork_all_packets_must_come() -> None:
    ways = [
        Trace("echo", Leg.THERE, (*hops(GOOD, point=point), *hops(plain(), point=PLACE)), DELIVERED)
        for point in (NORTH, SOUTH)
    ]
    seen = hops(*[GOOD] * 3, point=NORTH)
    verdict = judge([], walks(*ways), (*seen, *hops(*[plain()] * 3)), tracers=TRACERS)
    assert verdict.status is Status.PASS
    verdict = judge([], walks(*ways), (*seen, *hops(*[plain()] * 2)), tracers=TRACERS)
    assert [(item.kind, item.predicted, item.captured) for item in verdict.items if item.status is Status.FAIL] == [
        ("count", "3", "2")
    ]  # fmt: skip


def test_two_forms_at_one_place_each_pass_and_a_third_fails() -> None:
    forms = walks(trace(GOOD), trace(tunneled(hop_limit=61)))
    assert judge([], forms, three(GOOD, tunneled(hop_limit=61), GOOD)).status is Status.PASS
    verdict = judge([], forms, three(GOOD, tunneled(hop_limit=62), GOOD))
    assert [item.field for item in verdict.items if item.status is Status.FAIL] == ["hop_limit"]
    (item,) = judge([expected(segments_left="1")], forms, three(GOOD, tunneled(hop_limit=62), GOOD)).items
    assert said(item) == (None, "63 or 61", "62", None)


REPLY = plain(EAST, WEST)


def test_where_one_way_there_loses_the_packet_no_answer_must_come() -> None:
    answer = trace(REPLY, leg=Leg.BACK)
    torn = walks(trace(GOOD), trace(GOOD, end=LOST), answer)
    assert judge([], torn, three()).status is Status.PASS
    assert judge([], torn, (*three(), *hops(REPLY, REPLY))).status is Status.PASS
    whole = walks(trace(GOOD), trace(GOOD), answer)
    assert shown(judge([], whole, three())) == [("packet", "pass"), ("missing", "fail")]


def test_ways_that_only_linux_tells_apart_are_both_permitted() -> None:
    """By the RFC a packet looks alike on both; Linux forms two."""
    other = tunneled(hop_limit=61)
    alike = walks(
        trace(GOOD), trace(GOOD), linux=[trace(tunneled(hop_limit=62)), trace(other, quirks=(QUIRK,))]
    )
    assert judge([], alike, three(*[tunneled(hop_limit=62)] * 3)).status is Status.PASS
    assert judge([], alike, three(*[other] * 3)).status is Status.PASS
    assert judge([], alike, three(*[tunneled(hop_limit=60)] * 3)).status is Status.FAIL


# --- quirks

LINUX = tunneled(hop_limit=62)
QUIRKY = walks(trace(GOOD), linux=[trace(LINUX, quirks=(QUIRK,))])


@pytest.mark.parametrize("wanted", [[], [expected(segments_left="1")]], ids=["nothing", "other"])
def test_the_rfc_s_value_and_linux_s_both_pass_and_a_third_does_not(wanted: list[Expected]) -> None:
    for packet, quirks in ((GOOD, ()), (LINUX, (QUIRK,))):
        (item,) = judge(wanted, QUIRKY, three(*[packet] * 3)).items
        assert (item.status, item.quirks) == (Status.PASS, quirks)
    (item,) = judge(wanted, QUIRKY, three(*[tunneled(hop_limit=61)] * 3)).items
    assert (item.status, said(item)) == (Status.FAIL, (None, "63 or 62", "61", None))


@pytest.mark.parametrize(
    ("author", "capture", "alone"), [("63", 62, None), ("62", 63, None), ("9", 62, E), ("61", 61, P)]
)
def test_an_author_has_one_word_where_the_model_has_two(author: str, capture: int, alone: str | None) -> None:
    seen = three(*[tunneled(hop_limit=capture)] * 3)
    (item,) = judge([expected(hop_limit=author)], QUIRKY, seen).items
    assert (item.predicted, item.alone) == ("63 or 62", alone)


@pytest.mark.parametrize(("author", "packet"), [("63", GOOD), ("62", LINUX)])
def test_an_author_may_have_either(author: str, packet: PacketView) -> None:
    assert judge([expected(hop_limit=author)], QUIRKY, three(*[packet] * 3)).status is Status.PASS


def test_a_place_to_which_only_linux_lets_it_come() -> None:
    further = replace(trace(GOOD), hops=(*hops(GOOD), *hops(GOOD, point=OTHER)))
    walk = walks(
        trace(GOOD, end=LOST),
        linux=[replace(further, hops=tuple(replace(h, quirks=(QUIRK,)) for h in further.hops))],
    )
    seen = (*three(), *hops(*[GOOD] * 3, point=OTHER))
    verdict = judge([], walk, seen)
    assert [(str(item.point), item.status, item.quirks) for item in verdict.items] == [
        ("gate:eth2", Status.PASS, ()), ("exit:eth2", Status.PASS, (QUIRK,)),
    ]  # fmt: skip
    assert shown(judge([], walk, three())) == [("packet", "pass"), ("missing", "fail")]


def test_a_place_to_which_only_the_rfc_lets_it_come_needs_no_packet() -> None:
    further = Trace("echo", Leg.THERE, (*hops(GOOD), *hops(GOOD, point=OTHER)), DELIVERED)
    walk = walks(further, linux=[trace(GOOD, end=LOST)])
    assert judge([], walk, three()).status is Status.PASS
    assert judge([], walk, (*three(), *hops(*[GOOD] * 3, point=OTHER))).status is Status.PASS


# --- counters

COUNT = ExpectedCount("firewall stop", 3, LINE)


@pytest.mark.parametrize(
    ("predicted", "seen", "status", "alone"),
    [
        ((3, 3), 3, Status.PASS, None),
        ((0, 3), 3, Status.PASS, None),
        ((2, 2), 2, Status.FAIL, E),
        ((2, 2), 3, Status.FAIL, P),
        ((3, 3), 2, Status.FAIL, C),
        ((1, 1), 2, Status.FAIL, None),
    ],
)
def test_who_stands_alone_in_a_counter(
    predicted: tuple[int, int], seen: int, status: Status, alone: str | None
) -> None:
    (item,) = judge_counts([COUNT], {COUNT.counter: seen}, {COUNT.counter: predicted})
    assert (item.status, item.alone) == (status, alone)


def test_a_counter_of_which_the_model_knows_nothing_counts_nothing() -> None:
    (item,) = judge_counts([COUNT], {COUNT.counter: 3}, {})
    assert (item.status, item.predicted, item.alone) == (Status.FAIL, "0", P)


def test_without_a_model_the_author_and_the_counter_are_two() -> None:
    (item,) = judge_counts([COUNT], {COUNT.counter: 3})
    assert (item.status, item.predicted) == (Status.PASS, None)
    (item,) = judge_counts([COUNT], {COUNT.counter: 2})
    assert (item.status, item.alone) == (Status.FAIL, C)


def test_a_counter_that_nobody_read() -> None:
    (item,) = judge_counts([COUNT], {}, {COUNT.counter: (3, 3)})
    assert (item.status, item.captured) == (Status.INCONCLUSIVE, None)


def test_counts_add_up_over_probes_legs_and_walks() -> None:
    one = walks(
        trace(GOOD, counted=("a", "a")),
        trace(GOOD, counted=("a",)),
        trace(REPLY, leg=Leg.BACK, counted=("a",)),
    )
    two = walks(trace(GOOD, counted=("b",)))
    found = {"one": Found(Sent("one", 3, 3, "aa"), ()), "two": Found(Sent("two", 2, 2, "bb"), ())}
    assert predicted_counts({"one": one, "two": two}, found) == {"a": (6, 9), "b": (2, 2)}


# --- beside them


def test_each_item_says_its_probe() -> None:
    found = {name: Found(Sent(name, 3, 3, "aa"), three()) for name in ("echo", "other")}
    wanted = [expected(hop_limit="63"), replace(expected(hop_limit="9"), probe="other")]
    foretold = {name: walks(trace(GOOD)) for name in found}
    verdict = compare("across", wanted, found, live(), elsewhere_absent=False, predicted=foretold)
    assert [(item.probe, item.status) for item in verdict.items] == [
        ("echo", Status.PASS), ("other", Status.FAIL),
    ]  # fmt: skip


def test_the_author_s_order_comes_first_then_the_walk_s() -> None:
    walk = walks(Trace("echo", Leg.THERE, (*hops(GOOD, point=OTHER), *hops(GOOD)), DELIVERED))
    seen = (*three(), *hops(*[GOOD] * 3, point=OTHER))
    assert [item.point for item in judge([], walk, seen).items] == [OTHER, PLACE]
    assert [item.point for item in judge([expected(hop_limit="63")], walk, seen).items] == [PLACE, OTHER]


def test_the_text_says_who_stands_alone_where_a_packet_is_missing() -> None:
    """What was captured needs no word there."""
    (alone,) = judge([], walks(trace(GOOD)), (), elsewhere_absent=True).items
    text = verdicts_text([Verdict("across", (alone,))])
    assert "missing: expected 0, predicted 3: 2001:ab::1 → fc00:b::e" in text
    assert "; predicted stands alone\n" in text
