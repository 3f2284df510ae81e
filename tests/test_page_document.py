"""What the page is made of: its shape for every lab, and what stands beside what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from srv6lab.evidence.packets import Direction, PacketView
from srv6lab.evidence.prediction import Hop, Leg, Trace
from srv6lab.evidence.probes import Found, Sent
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.report.page.document import document
from srv6lab.report.page.html import page
from srv6lab.report.page.packed import packed, unpacked
from srv6lab.report.page.shown import Shown
from srv6lab.report.walk import Walked, walks_json
from tests.conftest import LABS, SITE
from tests.page_shape import misshapen
from tests.small import SMALL, planned

MADE = {"version": "1", "provider": None, "when": None}


def predicted(plan: Plan) -> dict[str, Any]:
    return document(plan, [Shown(one.name, predict(plan, one.name)) for one in plan.exercises], MADE)


@pytest.mark.parametrize("name", LABS)
def test_every_lab_has_a_document_of_that_shape(name: str) -> None:
    plan, _ = SITE.load(SITE.refer(name))
    found = predicted(plan)
    assert misshapen(found) == []
    text = json.dumps(packed(found))
    assert unpacked(json.loads(text)) == json.loads(json.dumps(found))
    assert found["kind"] == "prediction" and [one["name"] for one in found["exercises"]] == [
        one.name for one in plan.exercises
    ]
    for exercise in found["exercises"]:
        told = json.loads(
            walks_json([Walked(name, exercise["name"], predict(plan, exercise["name"]), frozenset())])
        )
        assert _ways(exercise["probes"]) == _ways(told[0]["probes"])
        ids = [hop["id"] for probe in exercise["probes"] for walk in probe["walks"] for hop in walk["hops"]]
        assert len(ids) == len(set(ids))


def _ways(probes: Sequence[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    """Where packets go, by `predict --format json` or by the page."""
    return [
        [(hop["point"], hop["direction"]) for hop in walk["hops"]]
        for probe in probes
        for walk in (*probe["walks"], *probe.get("linux_walks", ()))
    ]


def test_a_document_of_another_shape_is_told() -> None:
    found = predicted(planned())
    del found["lab"]
    found["picture"]["width"] = "wide"
    assert misshapen(found) == ["document has no lab"]
    found["lab"] = "x"
    assert misshapen(found) == ["document.picture.width is 'wide', not a number"]


# --- what stands beside what

(PREDICTION,) = predict(planned(), "across")
THERE = next(one for one in PREDICTION.linux if one.leg is Leg.THERE)


def shown(
    hops: Sequence[Hop], items: Sequence[dict[str, Any]] = (), errors: tuple[Hop, ...] = ()
) -> dict[str, Any]:
    """The only exercise of a small lab, with these packets and what was judged of them."""
    plan = planned()
    verdict = {"exercise": "across", "status": "fail", "items": list(items), "suspects": []}
    found = Found(Sent("echo", 3, 3, "aa"), tuple(hops), errors=errors)
    files = {nic.point: SITE.root / f"{nic.trace}.pcap" for nic in plan.traced()}
    one = Shown("across", (PREDICTION,), verdict, {"echo": found}, files=files)
    exercise: dict[str, Any] = document(plan, [one], MADE)["exercises"][0]
    return exercise


def captured(trace: Trace = THERE, sequences: Sequence[int] = (1, 2, 3)) -> list[Hop]:
    return [replace(hop, packet=_numbered(hop.packet, one)) for one in sequences for hop in trace.hops]


def _numbered(packet: PacketView, sequence: int) -> PacketView:
    assert packet.icmp
    return replace(packet, number=sequence, icmp=replace(packet.icmp, sequence=sequence))


def walks(exercise: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exercise["probes"][0]["walks"]
    return found


def item(hop: Hop, **words: Any) -> dict[str, Any]:
    known = {
        "kind": "field", "status": "fail", "point": str(hop.point), "direction": str(hop.direction), "field": "hop_limit",
        "expected": "62", "predicted": "62", "captured": "9", "alone": "captured", "location": None, "note": "",
        "quirks": [], "probe": "echo",
    }  # fmt: skip
    return known | words


def test_each_hop_has_its_packets_and_how_many_there_were() -> None:
    there, back = walks(shown(captured(sequences=(1, 2, 3, 4, 5))))
    assert [hop["count"] for hop in there["hops"]] == [5] * len(THERE.hops)
    assert [len(hop["captured"]) for hop in there["hops"]] == [3] * len(THERE.hops)
    assert [hop["count"] for hop in back["hops"]] == [0] * len(back["hops"])
    assert there["hops"][0]["captured"][0]["fields"]["source"] == str(THERE.hops[0].packet.outer.source)
    assert there["witness"] == "rfc"


def test_a_hop_says_what_changed_since_the_one_before() -> None:
    there, _ = walks(shown(captured()))
    assert there["hops"][0]["changed"] == []
    for before, hop in zip(there["hops"], there["hops"][1:], strict=False):
        was, now = (one["captured"][0]["fields"] for one in (before, hop))
        names = {*was, *now}
        assert {*hop["changed"]} == {one for one in names if was.get(one, "none") != now.get(one, "none")}
    assert any("segment_list" in hop["changed"] for hop in there["hops"])


def test_what_differs_stands_at_its_hop_and_nowhere_else() -> None:
    wrong = THERE.hops[2]
    there, _ = walks(shown(captured(), [item(wrong), item(THERE.hops[1], status="pass", field="")]))
    assert [hop["status"] for hop in there["hops"]][:4] == [None, "pass", "fail", None]
    assert [len(hop["differs"]) for hop in there["hops"]][:4] == [0, 0, 1, 0]
    assert there["hops"][2]["differs"][0]["alone"] == "captured"


def test_packets_that_the_model_does_not_have_are_a_walk_of_their_own() -> None:
    stray = replace(THERE.hops[1], direction=Direction.OUT)
    found = walks(shown([*captured(), stray, stray], [item(stray, kind="unexpected", field="count")]))
    assert [walk["witness"] for walk in found] == ["rfc", "rfc", "captured"]
    (hop,) = found[-1]["hops"]
    assert (hop["point"], hop["direction"], hop["count"]) == (str(stray.point), "out", 2)
    assert hop["predicted"] is None and hop["status"] == "fail" and found[-1]["end"] is None


def test_errors_about_packets_are_told_from_packets() -> None:
    hop = THERE.hops[1]
    error = replace(hop, packet=replace(hop.packet, quoted=hop.packet))
    titles = [walk["title"] for walk in walks(shown(captured(), errors=(error,)))]
    assert titles[2:] == ["ICMP errors that the model doesn't foresee"]


def test_every_expectation_stands_at_a_hop() -> None:
    """Also that there is nothing where the model has something."""
    plan = planned()
    exercise = document(plan, [Shown("across", (PREDICTION,))], MADE)["exercises"][0]
    told = {
        (hop["point"], hop["direction"]): hop["expected"]
        for walk in walks(exercise)
        for hop in walk["hops"]
        if hop["expected"] is not None
    }
    written = plan.exercise("across")[1].expect.packets
    assert {*told} == {(str(one.point), one.direction) for one in written}
    assert told["west:eth1", "in"] == {"count": "0"}
    assert told["gate:eth2", "out"]["segments_left"] == "1"


def test_an_expectation_where_the_model_has_nothing_is_beside_what_is_not_foreseen() -> None:
    text = SMALL.replace(
        'at: "west:eth1", direction: in, probe: echo, absent: true',
        'at: "exit:eth2", direction: out, probe: echo, source: 10.9.9.9',
    )
    exercise = document(planned(text), [Shown("across", (PREDICTION,))], MADE)["exercises"][0]
    (hop,) = walks(exercise)[-1]["hops"]
    assert walks(exercise)[-1]["witness"] == "captured"
    assert (hop["expected"], hop["predicted"], hop["count"]) == ({"source": "10.9.9.9"}, None, None)


def test_the_active_segment_is_told() -> None:
    there, _ = walks(shown(captured()))
    for hop, step in zip(there["hops"], THERE.hops, strict=True):
        srh = step.packet.outer.srh
        told = {"list": [str(one) for one in srh.segment_list], "left": srh.segments_left} if srh else None
        assert hop["segments"] == told


# --- packing


@pytest.mark.parametrize(
    "value",
    [
        {}, [], None, 0, "", {"a": [1, 1.0, True, None]},
        {"one": {"x": "a long text that is there twice"}, "two": {"x": "a long text that is there twice"}},
        [[["deep", "deep"], ["deep", "deep"]], [["deep", "deep"], ["deep", "deep"]]],
        {"numbers": [{"a": 1}, {"a": True}, {"a": 1.0}]},
    ],
)  # fmt: skip
def test_what_is_packed_is_unpacked_as_it_was(value: Any) -> None:
    again = unpacked(json.loads(json.dumps(packed(value))))
    assert json.dumps(again) == json.dumps(value)


def test_what_is_said_often_is_there_once() -> None:
    text = "the same long text for every one of them"
    assert json.dumps(packed([{"what": text}] * 50)).count(text) == 1


# --- what a file can say


def test_a_hostile_text_is_a_value_like_any_other() -> None:
    """Names can't hold it; descriptions and what nodes answer can. The page escapes all of it: see its own tests."""
    evil = '</script><script>alert(1)</script>\u2028\u202e"&<!--'
    plan = replace(planned(), description=evil)
    suspect = {"cause": evil, "node": evil, "what": evil, "command": evil, "proven": True, "mend": evil}
    verdict = {"exercise": "across", "status": "fail", "items": [], "suspects": [suspect]}
    found = document(plan, [Shown("across", (PREDICTION,), verdict, note=evil)], MADE)
    assert misshapen(found) == []
    assert (found["description"], found["exercises"][0]["note"]) == (evil, evil)
    assert found["exercises"][0]["suspects"] == [suspect]
    html = page(found)
    assert html.count("<script") == html.count("</script>") and "alert(1)</script>" not in html
    assert "\u2028" not in html and "<!--" not in html.partition('id="walk"')[2].partition("</script>")[0]


def test_the_messages_of_routing_protocols_that_were_judged_are_told() -> None:
    """Also what is wrong of one: then it is an item of its field, or one that is missing."""
    lab = next(one for one in SITE.course()[0] if any(it.expect.control for it in one.exercises))
    plan, _ = SITE.load(SITE.refer(lab.name))
    exercise = next(one for one in plan.exercises if one.expect.control)
    one = exercise.expect.control[0]
    at = {"point": str(one.point), "direction": str(one.direction), "probe": None, "alone": None, "note": ""}
    at |= {"predicted": None, "location": None, "quirks": []}
    items = [
        {
            **at,
            "kind": "message",
            "status": "pass",
            "field": "",
            "expected": one.protocol,
            "captured": "it: 2 fields",
        },
        {
            **at,
            "kind": "field",
            "status": "fail",
            "field": f"{one.protocol}.x",
            "expected": "1",
            "captured": "2",
        },
        {
            **at,
            "kind": "missing",
            "status": "fail",
            "field": one.protocol,
            "expected": one.protocol,
            "captured": "0",
        },
        {**at, "kind": "tracer", "status": "inconclusive", "field": "", "expected": None, "captured": None},
    ]
    verdict = {"exercise": exercise.name, "status": "fail", "items": items, "suspects": []}
    (found,) = document(plan, [Shown(exercise.name, (), verdict)], MADE)["exercises"]
    assert [(it["protocol"], it["words"], it["status"]) for it in found["messages"]] == [
        (one.protocol, "it: 2 fields", "pass"),
        (one.protocol, f"{one.protocol}.x: expected 1, captured 2", "fail"),
        (one.protocol, f"expected {one.protocol}, captured 0", "fail"),
    ]
    (found,) = document(plan, [Shown(exercise.name, ())], MADE)["exercises"]
    assert [it["at"] for it in found["messages"]] == [str(it.point) for it in exercise.expect.control]
