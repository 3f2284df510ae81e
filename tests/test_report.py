"""Verdicts as text to the letter, as JSON and as JUnit; what a node says can't steer a terminal."""

from __future__ import annotations

import json
import xml.etree.ElementTree as xml
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from srv6lab.evidence import verdict
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Direction
from srv6lab.evidence.verdict import (
    Absent,
    AnswerTally,
    CountDiffers,
    DirectionUnknown,
    FieldDiffers,
    Item,
    Missing,
    PacketsSeen,
    PoliciesDiffer,
    ProbeNotSent,
    Status,
    TracerUnsound,
    Unexpected,
    Verdict,
)
from srv6lab.providers.base import Health
from srv6lab.report.formats import VERDICTS
from srv6lab.report.json import verdicts_json
from srv6lab.report.junit import verdicts_junit
from srv6lab.report.status import Begun, overview_json, overview_text, status_json, status_text
from srv6lab.report.text import verdicts_text
from tests.small import LINE, PLACE

LONG = "2001:ab::1 → fc00:b::e hl 63"
PACKET = PacketsSeen(
    status=Status.PASS,
    point=PLACE,
    direction=Direction.OUT,
    expected=LONG,
    captured=f"3: {LONG}",
    location=LINE,
)
HERE: dict[str, Any] = {"point": PLACE, "direction": Direction.OUT, "location": LINE}
ABSENT = Absent(status=Status.PASS, **HERE, field="count", expected="0", captured="0")
FAILED: dict[str, Any] = {**HERE, "status": Status.FAIL, "alone": "captured"}
FIELD = FieldDiffers(**FAILED, field="segments_left", expected="1", captured="0")
MISSING = Missing(**FAILED, field="count", expected="3", captured="0")
BLIND = replace(MISSING, status=Status.INCONCLUSIVE, alone=None, note="tracer is dead")
COUNT = CountDiffers(**FAILED, field="count", expected="3", captured="4", too_many=True)
UNEXPECTED = Unexpected(
    status=Status.FAIL,
    point=PLACE,
    direction=Direction.IN,
    field="count",
    expected="0",
    captured=f"2: {LONG}",
    alone="captured",
    note="seen where no expectation has it",
)
TRACER = TracerUnsound(status=Status.INCONCLUSIVE, point=PLACE, note="the tracer dropped 2 packets")
DIRECTION = DirectionUnknown(status=Status.INCONCLUSIVE, point=PLACE, note="no frame tells")
PROBE = ProbeNotSent(status=Status.FAIL, note="probe echo was not sent: no route")
UNSEEN = replace(ABSENT, status=Status.INCONCLUSIVE, note="tracer is dead")
ANSWERED = AnswerTally(status=Status.PASS, field="answered", expected="3", captured="3 of 3", probe="echo")
POLICIES = PoliciesDiffer(status=Status.FAIL, field="gate", note="gate has elected nothing yet")

TEXTS = {
    "packet": (PACKET, "PASS", f"  ok   gate:eth2 out  3: {LONG}", "1 pass"),
    "absent": (ABSENT, "PASS", "  ok   gate:eth2 out  absent, as expected", "1 pass"),
    "field": (
        FIELD,
        "FAIL",
        "  FAIL gate:eth2 out  segments_left: expected 1, captured 0; captured stands alone\n       small.yml:22:11",
        "1 fail",
    ),
    "missing": (
        MISSING,
        "FAIL",
        "  FAIL gate:eth2 out  missing: expected 3; captured stands alone\n       small.yml:22:11",
        "1 fail",
    ),
    "not seen": (
        BLIND,
        "INCONCLUSIVE",
        "  ?    gate:eth2 out  not seen, which proves nothing here: expected 3\n"
        "       tracer is dead\n       small.yml:22:11",
        "1 inconclusive",
    ),
    "count": (
        COUNT,
        "FAIL",
        "  FAIL gate:eth2 out  count: expected 3, captured 4; captured stands alone\n       small.yml:22:11",
        "1 fail",
    ),
    "unexpected": (
        UNEXPECTED,
        "FAIL",
        f"  FAIL gate:eth2 in  unexpected: 2: {LONG}; captured stands alone\n       seen where no expectation has it",
        "1 fail",
    ),
    "tracer": (TRACER, "INCONCLUSIVE", "  ?    gate:eth2  the tracer dropped 2 packets", "1 inconclusive"),
    "direction": (DIRECTION, "INCONCLUSIVE", "  ?    gate:eth2  no frame tells", "1 inconclusive"),
    "probe": (PROBE, "FAIL", "  FAIL -  probe echo was not sent: no route", "1 fail"),
    "not seen to be absent": (
        UNSEEN,
        "INCONCLUSIVE",
        "  ?    gate:eth2 out  absent as far as was seen, which proves nothing here\n"
        "       tracer is dead\n       small.yml:22:11",
        "1 inconclusive",
    ),
}
TEXTS |= {
    "answered": (ANSWERED, "PASS", "  ok   -  answered: 3, seen 3 of 3", "1 pass"),
    "loss that is too much": (
        replace(ANSWERED, status=Status.FAIL, captured="1 of 3", alone="captured"),
        "FAIL",
        "  FAIL -  answered: expected 3, captured 1 of 3; captured stands alone",
        "1 fail",
    ),
    "policies": (POLICIES, "FAIL", "  FAIL -  gate has elected nothing yet", "1 fail"),
}
ALL = Verdict("across", tuple(item for item, *_ in TEXTS.values()))


@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_of_each_kind(kind: str) -> None:
    item, word, text, total = TEXTS[kind]
    shown = verdicts_text([Verdict("across", (item,))])
    assert shown == f"exercise across: {word}\n{text}\n  {total}\n\nexercises: 1 {word.lower()}\n"


def test_every_kind_is_a_frozen_value_with_a_name_of_its_own() -> None:
    classes = [one for one in vars(verdict).values() if isinstance(one, type) and issubclass(one, Item)]
    kinds = [one.kind for one in classes if hasattr(one, "kind")]
    assert len(kinds) == len(set(kinds)) >= 20
    assert replace(PACKET, probe="echo") != PACKET == replace(PACKET)
    with pytest.raises(FrozenInstanceError):
        PACKET.note = "other"  # type: ignore[misc]


def test_places_are_aligned_and_all_is_summed_up() -> None:
    wide = replace(PACKET, point=replace(PLACE, node="a-longer-name"))
    text = verdicts_text([Verdict("one", (PACKET, wide)), Verdict("two", (FIELD,))])
    assert text == (
        "exercise one: PASS\n"
        f"  ok   gate:eth2 out           3: {LONG}\n"
        f"  ok   a-longer-name:eth2 out  3: {LONG}\n"
        "  2 pass\n"
        "\n"
        "exercise two: FAIL\n"
        "  FAIL gate:eth2 out  segments_left: expected 1, captured 0; captured stands alone\n"
        "       small.yml:22:11\n"
        "  1 fail\n"
        "\n"
        "exercises: 1 pass, 1 fail\n"
    )


def test_no_verdict_has_a_text_too() -> None:
    text = verdicts_text([Verdict("empty", ())])
    assert text == "exercise empty: INCONCLUSIVE\n  nothing was judged\n\nexercises: 1 inconclusive\n"


def test_json_says_all_of_an_item() -> None:
    (document,) = json.loads(verdicts_json([ALL]))
    assert list(document) == ["schema", "exercise", "status", "items", "suspects"]
    assert (document["schema"], document["exercise"], document["status"]) == (1, "across", "fail")
    for item in document["items"]:
        assert set(item) == {"kind"} | {field.name for field in fields(Item)}
    by_kind = {(item["kind"], item["status"]): item for item in document["items"]}
    assert by_kind["field", "fail"] == {
        "kind": "field",
        "status": "fail",
        "point": "gate:eth2",
        "direction": "out",
        "field": "segments_left",
        "expected": "1",
        "predicted": None,
        "captured": "0",
        "alone": "captured",
        "location": "small.yml:22:11",
        "note": "",
        "quirks": [],
        "probe": None,
    }
    assert by_kind["probe", "fail"]["point"] is None


def test_junit_counts_what_it_lists() -> None:
    root = xml.fromstring(verdicts_junit([ALL, Verdict("other", (PACKET,))]).encode())
    first, second = root
    statuses = [item.status for item in ALL.items]
    assert first.get("name") == "across"
    assert int(first.get("tests", "")) == len(first.findall("testcase")) == len(ALL.items)
    assert int(first.get("failures", "")) == len(first.findall(".//failure")) == statuses.count(Status.FAIL)
    assert (
        int(first.get("errors", "")) == len(first.findall(".//error")) == statuses.count(Status.INCONCLUSIVE)
    )
    assert (second.get("tests"), second.get("failures"), second.get("errors")) == ("1", "0", "0")


def test_junit_says_what_differs_and_where_it_is_written() -> None:
    case = xml.fromstring(verdicts_junit([Verdict("across", (FIELD,))]).encode())[0][0]
    assert case.get("name") == "gate:eth2 out segments_left"
    assert case[0].get("message") == "expected 1, captured 0"
    assert "small.yml:22:11" in (case[0].text or "")


def test_junit_marks_an_exercise_that_judged_nothing() -> None:
    """A CI server takes a suite without a case for a pass."""
    (suite,) = xml.fromstring(verdicts_junit([Verdict("empty", ())]).encode())
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


NASTY = "\x1b]0;owned\x07\x1b[2Jno\x00route\r\ufffe <&\"'>\x9b31m"


@pytest.mark.parametrize("form", VERDICTS)
def test_control_characters_of_a_node_s_words_reach_nobody(form: str) -> None:
    text = VERDICTS[form]([Verdict("across", (replace(PROBE, note=NASTY), replace(BLIND, note=NASTY)))])
    if form == "junit":
        xml.fromstring(text.encode())
    assert all(char == "\n" or (char.isprintable() or char == "\ufffd") for char in text), repr(text)
    assert "no" in text and "route" in text


def test_a_note_of_several_lines_stays_below_its_item() -> None:
    text = verdicts_text([Verdict("across", (replace(PROBE, note="one\ntwo"),))])
    assert text.splitlines()[1:3] == ["  FAIL -  one", "       two"]


HEALTH = (Health("node", "gate", True), Health("tracer", "gate:eth2", False, "/x.pcap"))
DRIFT = Difference("gate", "", "link", ("eth1: mtu 1500",), ("eth1: mtu 1400 \x1b[2J",))


def test_status_marks_the_dead_and_what_differs_from_day0() -> None:
    head = "mine: lab small on nowhere\n  ok   node   gate\n  DEAD tracer gate:eth2        /x.pcap\n"
    assert status_text("small", "mine", "nowhere", HEALTH, None) == head
    assert status_text("small", "mine", "nowhere", HEALTH, ()) == head + "settings are as Day0 left them\n"
    assert status_text("small", "mine", "nowhere", HEALTH, [DRIFT]) == head + (
        "differs from Day0, which invoke up runs again:\n"
        "  gate link: - eth1: mtu 1500\n"
        "  gate link: + eth1: mtu 1400 \ufffd[2J\n"
    )
    entries = json.loads(status_json("small", "mine", "nowhere", HEALTH, [DRIFT]))
    assert [(one["kind"], one["name"]) for one in entries] == [
        ("node", "gate"),
        ("tracer", "gate:eth2"),
        ("difference", "gate"),
        ("difference", "gate"),
    ]


def test_all_that_is_up_is_listed_with_how_to_go_on() -> None:
    begun = [
        Begun("mine", "small", "nowhere", "lab=small --instance mine", "2026-01-02T03:04:05+01:00", HEALTH),
        Begun("small", "small", "nowhere", "lab=small", "", HEALTH[:1]),
        Begun("odd", "?", "?", "lab=odd", trouble="it can't be read"),
    ]
    assert (
        overview_text(begun, "first")
        == """\
INSTANCE  LAB    PROVIDER  UP SINCE          ALIVE
mine      small  nowhere   2026-01-02 03:04  1 of 1 nodes, 0 of 1 tracers
small     small  nowhere   -                 1 of 1 nodes, 0 of 0 tracers
odd       ?      ?         -                 it can't be read
  invoke status lab=small --instance mine says what is dead, invoke up lab=small --instance mine brings it back
  next: invoke check lab=small, or invoke destroy lab=small
  invoke destroy lab=odd takes away what is left of odd
"""
    )
    assert [one["called"] for one in json.loads(overview_json(begun, "first"))] == [
        one.called for one in begun
    ]
    assert [one.sound for one in begun] == [False, True, False]


def test_nothing_up_says_how_to_begin() -> None:
    assert overview_text([], "first") == (
        "nothing is up\n  begin: invoke labs lists the labs, invoke up lab=first brings one up\n"
    )
    assert json.loads(overview_json([], "first")) == []
