"""Marks in every format: whatever a learner wrote stays a text in it."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from html.parser import HTMLParser
from io import BytesIO, StringIO
from xml.etree.ElementTree import fromstring

import pytest

from srv6lab.classroom.forged import FORGED, ODD, Suspicion
from srv6lab.classroom.formats import FORMATS
from srv6lab.classroom.formats.as_csv import guarded
from srv6lab.classroom.marks import DAMAGED, GRADED, Marks
from srv6lab.evidence.score import Part, Score
from srv6lab.report.table import aligned, width

EVIL = '=cmd|"/c calc"!A1<script>alert(1)</script>\x1b[31m'
PING = Score(
    "ping",
    (Part("walk", Fraction(3), 6, "no packet left r2:eth2"), Part("answered", Fraction(2), 2)),
    Fraction(1, 10),
    ("1 hint: 10% of the points",),
)
FULL = Score("other", (Part("walk", Fraction(10), 10),))


def marks(*suspicions: Suspicion) -> list[Marks]:
    return [
        Marks(
            "a.zip",
            GRADED,
            "安娜",
            "lab",
            (PING, FULL),
            suspicions,
            ("a note",),
            written="2026-01-01T00:00:00+00:00",
        ),
        Marks(f"{EVIL}.zip", DAMAGED, why=EVIL),
    ]


def shown(name: str, every: Sequence[Marks]) -> str:
    found = FORMATS[name]("class", every)
    assert isinstance(found, str)
    return found


def test_a_table_keeps_its_columns_where_letters_are_wide() -> None:
    lines = shown("text", marks()).splitlines()
    head, first = (
        next(line for line in lines if line.startswith("learner")),
        next(line for line in lines if "安娜" in line),
    )
    assert width(head[: head.index("lab")]) == width(first[: first.index("lab")])
    assert "\x1b" not in "".join(lines)
    assert width("e\u0301") == 1 and aligned([("安", "b"), ("cc", "d")]) == ["安  b", "cc  d"]


def test_each_lost_point_has_a_sentence() -> None:
    said = shown("text", marks(Suspicion(ODD, "look at r1.pcap", "ping")))
    assert "14.5 of 18" in said
    for line in (
        "ping, walk: 3 of 6 points: no packet left r2:eth2",
        "ping: 1 hint: 10% of the points",
        "odd: look at r1.pcap",
        "note: a note",
    ):
        assert f"  {line}" in said


def test_csv_is_read_back_and_holds_no_formula() -> None:
    text = shown("csv", marks())
    assert text.count("\r\n") == 3
    head, first, second = csv.reader(StringIO(text, newline=""))
    assert dict(zip(head, first, strict=True))["points"] == "14.5"
    assert second[head.index("file")].startswith("'=") and second[head.index("lost")].startswith("'=")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "|x", "%x", "\n=1"])
def test_a_formula_is_guarded(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


def test_numbers_and_names_are_as_they_are() -> None:
    assert [guarded(one) for one in ("12.5", "anna", "a=b", "")] == ["12.5", "anna", "a=b", ""]


def test_a_workbook_holds_texts_and_numbers_and_no_formula() -> None:
    data = FORMATS["xlsx"]("class", marks(Suspicion(FORGED, EVIL)))
    assert isinstance(data, bytes) and data == FORMATS["xlsx"]("class", marks(Suspicion(FORGED, EVIL)))
    with zipfile.ZipFile(BytesIO(data)) as book:
        sheets = [fromstring(book.read(f"xl/worksheets/sheet{number}.xml")) for number in (1, 2, 3)]
        texts = book.read("xl/sharedStrings.xml").decode()
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not [one for sheet in sheets for one in sheet.iter(f"{space}f")]
    assert "安娜" in texts and "=cmd|" in texts and "\x1b" not in texts
    assert "14.5" in [one.text for one in sheets[0].iter(f"{space}v")]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "srcset")]


def test_a_page_has_no_script_and_nothing_from_elsewhere() -> None:
    page = shown("html", marks(Suspicion(FORGED, EVIL, "ping")))
    parser = _Page()
    parser.feed(page)
    assert "script" not in parser.tags and "default-src &#x27;none&#x27;" in page
    assert "&lt;script&gt;" in page and "\x1b" not in page


def test_json_has_tests_whose_scores_are_the_whole() -> None:
    found = json.loads(shown("json", marks(Suspicion(ODD, EVIL, "ping"))))
    first, second = found["hand_ins"]
    assert (found["schema"], found["class"]) == (1, "class")
    assert sum(test["score"] for test in first["tests"]) == first["score"] == 14.5
    assert sum(test["max_score"] for test in first["tests"]) == first["max_score"] == 18
    assert [test["status"] for test in first["tests"]] == ["failed", "passed"]
    assert "no packet left r2:eth2" in first["tests"][0]["output"]
    assert first["suspicions"] == [{"sure": "odd", "exercise": "ping", "what": EVIL}]
    assert (second["state"], second["score"], second["tests"]) == ("damaged", None, [])


def test_what_is_forged_has_no_points_in_any_format() -> None:
    forged = marks()[0].suspected([Suspicion(FORGED, "the packets are another's", "ping")])
    assert (forged.state, forged.points) == ("forged", 10)
    found = json.loads(shown("json", [forged]))["hand_ins"][0]
    assert (
        found["tests"][0]["score"] == 0 and "forged: the packets are another's" in found["tests"][0]["output"]
    )
    whole = marks()[0].suspected([Suspicion(FORGED, "it is another's")])
    assert whole.points == 0


def test_check50_and_classroom50_read_one_object_of_one_hand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    one = marks()[:1]
    report = json.loads(shown("check50", one))
    assert {*report} == {"slug", "results", "version"}
    assert [result["passed"] for result in report["results"]] == [False, True, True]
    assert {*report["results"][0]} == {"name", "description", "passed", "log", "cause", "data", "dependency"}
    monkeypatch.setenv("USERNAME", "anna-github")
    monkeypatch.setenv("COMMIT_URL", "https://example.org/commit")
    result = json.loads(shown("classroom50", one))
    assert (result["schema"], result["usernames"], result["commit"]) == ("classroom50/result/v1", ["anna-github"], "https://example.org/commit")  # fmt: skip
    assert (result["score"], result["max-score"]) == (14, 18) and result["datetime"] == "2026-01-01T00:00:00Z"
    assert sum(test["score"] for test in result["tests"]) == result["score"]
    assert isinstance(json.loads(shown("check50", marks())), list)
