"""Answers: each kind right, wrong, and oddly spelled; hostile ones; what is counted, written down, and worth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srv6lab.errors import UsageError
from srv6lab.evidence import fields
from srv6lab.judge.score import worth, worths
from srv6lab.live.begun import TASK, Begun
from srv6lab.providers.state import Home
from srv6lab.report.questions import answered_json, answered_text, questions_json, questions_text
from srv6lab.teach import learned, questions, spelling
from srv6lab.teach.answers import judge_answer
from srv6lab.teach.course import stations
from srv6lab.teach.seals import seal
from srv6lab.topology.load import loads
from srv6lab.topology.questions import ASKED, askable
from tests import modeled
from tests.small import SMALL, plain, planned
from tests.teach.modeled_answers import answered
from tests.teach.small_tasks import TASKS

SEALED = f"{seal('The Hop-Limit')} {seal('TTL')}"
AT = 'probe: echo, at: "gate:eth2", direction: out'
ASKS = f"""\
  - name: read
    like: across
    task: Read what gate sends.
    questions:
      - {{id: left, ask: "How many?", points: 4, hints: [First., Second.], answer: {{field: {{{AT}, field: segments_left}}}}}}
      - {{id: list, ask: "Which?", answer: {{field: {{{AT}, field: segment_list}}}}}}
      - {{id: next, ask: "What?", answer: {{field: {{{AT}, field: next_header}}}}}}
      - {{id: within, ask: "What?", answer: {{field: {{{AT}, field: inner.destination}}}}}}
      - {{id: bytes, ask: "How long?", answer: {{field: {{{AT}, field: length}}}}}}
      - {{id: flag, ask: "Set?", answer: {{field: {{{AT}, field: oam}}}}}}
      - {{id: none, ask: "What?", answer: {{field: {{probe: echo, at: "east:eth1", direction: in, field: tag}}}}}}
      - {{id: nowhere, ask: "What?", answer: {{field: {{probe: echo, at: "east:eth1", direction: in, field: middle.tag}}}}}}
      - {{id: many, ask: "How many?", answer: {{count: {{{AT}}}}}}}
      - {{id: way, ask: "Which way?", answer: {{nodes: {{probe: echo}}}}}}
      - {{id: back, ask: "Which way?", answer: {{nodes: {{probe: echo, leg: back}}}}}}
      - {{id: end, ask: "Where?", answer: {{ends: {{probe: echo}}}}}}
      - {{id: whose, ask: "Whose?", answer: {{owner: "fc00:b::e"}}}}
      - {{id: does, ask: "What does it do?", answer: {{behavior: "fc00:b::d4"}}}}
      - {{id: pops, ask: "What does it do?", answer: {{behavior: "fc00:b::e"}}}}
      - {{id: where, ask: "Where?", answer: {{place: gate}}}}
      - {{id: word, ask: "Which word?", answer: {{sealed: "{SEALED}"}}}}
"""
PLAN = planned(
    TASKS.replace('fc00:b::e", behavior: End}', 'fc00:b::e", behavior: End, flavors: [PSP]}') + ASKS
)
READ = PLAN.exercise("read")[1]
BY_ID = {one.id: one for one in READ.questions}

RIGHT = [
    *(("left", text) for text in ("1", " 1. ", "0x1", "0b1", "one", "１", "01", "`1`", "1 segment")),
    *(("list", text) for text in ("fc00:b::d4, fc00:b::e", "[FC00:B:0::00D4 *fc00:b::e/128]")),
    *(("next", text) for text in ("43", "0x2b", "routing", "Routing header", "43 (routing)", "SRH")),
    *(("within", text) for text in ("10.0.2.1", "10.0.2.1/32")),
    ("flag", "no"),
    ("flag", "not set"),
    ("none", "none"),
    ("none", "there is none."),
    ("nowhere", "No SRH"),
    ("many", "3 packets"),
    *(("way", text) for text in ("west gate exit east", "West → gate -> EXIT, east", "west > gate > exit > east")),
    ("back", "east, exit, gate, west"),
    ("end", "EAST"),
    ("whose", "exit"),
    *(("does", text) for text in ("End.DX4", "end.dx4", "\u200bEND.DX4\n")),
    *(("pops", text) for text in ("End with PSP", "end (psp)", "End PSP flavor")),
    ("where", "Gate"),
    *(("word", text) for text in ("hop limit", "the hop-limit", "HOP  LIMIT", "ttl", "“TTL”")),
]  # fmt: skip
WRONG = {
    "left": ("0", "a number, and not that one"),
    "list": ("fc00:b::e fc00:b::d4", "the last segment comes first"),
    "next": ("ipv4", "a protocol"),
    "within": ("10.0.1.1", "an IP address, and not"),
    "bytes": ("9999", "a number, and not"),
    "flag": ("yes", "yes or no, and not"),
    "none": ("0", "a number, and not"),
    "many": ("4", "a number of packets, and not"),
    "way": ("gate, exit", "both ends are part of the way"),
    "back": ("west, gate, exit, east", "the way back"),
    "end": ("exit", "not that one"),
    "whose": ("gate", "not that one"),
    "does": ("End.DT4", "not that one"),
    "pops": ("End", "its flavors aren't"),
    "where": ("east", "not that one"),
    "word": ("hop", "not that"),
}
UNREADABLE = [
    ("left", "many"),
    ("left", "$(reboot)"),
    ("left", "9" * 900),
    ("left", "1" * 5000),
    ("left", "\x1b[31m"),
    ("left", "   "),
    ("list", "fc00:b::d4, r1"),
    ("within", "10.0.2.1/24"),
    ("within", "fe80::1%eth0"),
    ("next", "43 udp"),
    ("whose", "nobody"),
    ("does", "End.XX"),
    ("way", "west, nowhere, east"),
]


@pytest.mark.parametrize(("name", "text"), RIGHT)
def test_a_right_answer_is_right_however_it_is_spelled(name: str, text: str) -> None:
    assert answered(PLAN, READ, BY_ID[name], text).right


@pytest.mark.parametrize(("name", "text", "said"), [(name, *two) for name, two in WRONG.items()])
def test_a_wrong_answer_is_told_what_is_asked_for(name: str, text: str, said: str) -> None:
    judged = answered(PLAN, READ, BY_ID[name], text)
    assert (judged.right, judged.counted) == (False, True)
    assert said in judged.note


@pytest.mark.parametrize(("name", "text"), UNREADABLE)
def test_what_is_no_answer_at_all_is_no_try(name: str, text: str) -> None:
    judged = answered(PLAN, READ, BY_ID[name], text)
    assert (judged.right, judged.counted) == (False, False)
    assert judged.note.isprintable()


@given(st.text(max_size=200), st.sampled_from(sorted({*BY_ID} - {"word"})))
def test_no_text_breaks_a_reader(text: str, name: str) -> None:
    assert answered(PLAN, READ, BY_ID[name], text).note.isprintable()
    assert spelling.cleaned(text).isprintable()


def test_every_field_that_may_be_asked_is_read() -> None:
    for name in askable():
        fields.asked(plain(), name)
    assert {*ASKED} <= {*fields._ASKED}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the exercise that the questions' is like, in an instance's folder."""
    folder = tmp_path_factory.mktemp("runs")
    return modeled.run(PLAN, "across", folder / "across", pings=3)


@pytest.fixture
def home(tmp_path: Path, ran: Path) -> Iterator[Home]:
    here = Home(tmp_path / ".srv6lab" / "small")
    here.runs.mkdir(parents=True)
    (here.runs / "across").symlink_to(ran)
    yield here


def test_a_folder_of_captures_is_enough(ran: Path) -> None:
    for name, text in (("left", "1"), ("many", "3"), ("way", "west gate exit east"), ("bytes", "164")):
        assert judge_answer(PLAN, "read", BY_ID[name], text, ran).right, name


def test_tries_are_counted_and_the_right_answer_kept(home: Home) -> None:
    assert not questions.answer(home, PLAN, "left", "5").judged.right
    assert questions.answer(home, PLAN, "left", "lots").asked.wrong == 1
    assert questions.hint(home, PLAN, "left") == ("First.", 1, 2)
    found = questions.answer(home, PLAN, "left", "0x1")
    assert float(found.asked.part.points) == pytest.approx(4 * 0.75 * 0.9)
    again = questions.answer(home, PLAN, "left", "7")
    assert (again.before, again.asked.wrong) == (True, 1)
    with pytest.raises(UsageError, match="answered already"):
        questions.hint(home, PLAN, "left")
    entry = learned.read_learned(home).entry("small", "read")
    assert entry is not None and float(learned.score(READ, entry).points) == 2.7
    assert '"state": "right"' in questions_json(PLAN, questions.asked(home, PLAN))
    assert "1 of 17 are answered" in questions_text(PLAN, questions.asked(home, PLAN))


def test_a_wrong_try_shows_neither_text_nor_answer(home: Home) -> None:
    found = questions.answer(home, PLAN, "within", "10.9.9.9")
    said = answered_text(PLAN, found) + answered_json(PLAN, found)
    assert "10.0.2.1" not in said and "10.9.9.9" not in said
    assert "still worth 0.8 of 1" in said
    assert json.loads(answered_json(PLAN, found))["wrong"] == 1


def test_without_a_run_it_says_what_to_do_first(tmp_path: Path) -> None:
    bare = Home(tmp_path / "small")
    with pytest.raises(UsageError, match="wasn't run") as caught:
        questions.answer(bare, PLAN, "left", "1")
    assert "invoke check lab=small --exercise across" in caught.value.mend
    assert questions.answer(bare, PLAN, "whose", "exit").judged.right  # the plan says it
    with pytest.raises(UsageError, match="no question"):
        questions.answer(bare, PLAN, "lft", "1")
    with pytest.raises(UsageError, match="has no hints"):
        questions.hint(bare, PLAN, "list")
    with pytest.raises(UsageError, match="asks nothing"):
        questions.asked(bare, planned(SMALL))


def test_a_task_that_only_asks_is_worth_its_questions_and_done_by_them() -> None:
    lab = loads(TASKS + ASKS, "small.yml").topology
    assert worths(READ) == {} and worth(READ) == 20
    entry = learned.Entry("2026-01-01T00:00:00+00:00")
    (read,) = [one for one in stations([lab], []) if one.exercise == "read"]
    assert (read.of, read.state) == (20, "new")
    assert learned.state(READ, entry) == "begun"
    assert learned.state(READ, replace(entry, right=dict.fromkeys(BY_ID, "x"))) == "done"


def test_what_solve_has_done_is_shown_and_never_done(home: Home) -> None:
    lost = PLAN.exercise("lost")[1]
    begun = Begun("lost", TASK, "2026-01-01T00:00:00+00:00", solved=True)
    entry = learned.told(home, PLAN, begun, (), passed=True)
    assert (learned.state(lost, entry), entry.passed) == ("shown", "")
    entry = learned.told(home, PLAN, replace(begun, solved=False), (), passed=True)
    assert learned.state(lost, entry) == "done"
    asks = lost.model_copy(update={"questions": READ.questions[:1]})
    assert learned.state(asks, entry) == "begun"  # its check passed, and its question is open
    assert [one.name for one in learned.score(asks, entry).parts] == ["walk", "question left"]


def test_answers_outlast_a_task_that_is_begun_anew(home: Home) -> None:
    questions.answer(home, PLAN, "whose", "gate")
    entry = learned.told(home, PLAN, Begun("read", TASK, "2026-01-01T00:00:00+00:00"))
    assert entry.wrong == {"whose": 1}
