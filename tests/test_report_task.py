"""`report`: the page of what check has left, of any lab, up or not; and what it says where that isn't there."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.report import PAGE, Handed, document, report
from srv6lab.cli.sources import NOT_RUN, OTHER_FILE, OTHER_LAB, OTHER_RUN, handed_in, of_runs
from srv6lab.cli.tasks import check
from srv6lab.errors import UsageError
from srv6lab.evidence.runs import RUN, VERDICT, digest, read_run, write_run
from srv6lab.evidence.verdict import Verdict
from srv6lab.judge.grade import grade
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.report.json import verdicts_json
from srv6lab.report.page.packed import unpacked
from srv6lab.report.progress import Progress
from tests.conftest import SITE, Up, invoke, silent, tool
from tests.in_process import Typed
from tests.page_shape import misshapen


@dataclass(frozen=True)
class Checked:
    """A lab of which exercises were run: the folder of the runs, and what check said."""

    lab: Up
    runs: Path
    verdicts: list[Verdict]

    @property
    def plan(self) -> Plan:
        return self.lab.plan

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.plan.exercises if one.like is None]

    def document(self, runs: Path | None = None, plan: Plan | None = None) -> dict[str, Any]:
        plan = plan or self.plan
        with quiet() as progress:
            return document(plan, of_runs(plan, self.names, runs or self.runs, ""), progress)

    def copied(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.runs, folder / "runs"))


def quiet() -> Progress:
    return Progress("report", io.StringIO())


@pytest.fixture(scope="module")
def checked(labs_up: Callable[[str], Up]) -> Checked:
    """The first lab of the course."""
    return run(labs_up(SITE.course()[0][0].name))


@pytest.fixture(scope="module", params=["the first", "the one with most services"])
def some(request: pytest.FixtureRequest, labs_up: Callable[[str], Up]) -> Checked:
    """Of the second its first two exercises were run."""
    if request.param == "the first":
        checked: Checked = request.getfixturevalue("checked")
        return checked
    return run(labs_up(max(SITE.course()[0], key=lambda lab: len(lab.services)).name), 2)


def run(lab: Up, most: int = 99) -> Checked:
    names = [one.name for one in lab.plan.exercises if one.like is None][:most]
    for other in lab.plan.exercises:  # the lab is other tests', too
        if other.name not in names:
            shutil.rmtree(lab.running.home.run(other.name), ignore_errors=True)
    return Checked(lab, lab.running.home.runs, check(lab.running, lab.plan, names, silent))


@pytest.fixture(scope="module")
def found(some: Checked) -> dict[str, Any]:
    return some.document()


def told(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """As `check --format json` prints them."""
    known: list[dict[str, Any]] = json.loads(verdicts_json(verdicts))
    return known


def test_the_page_says_what_check_said(some: Checked, found: dict[str, Any]) -> None:
    assert misshapen(found) == []
    assert found["kind"] == "check" and found["made"]["provider"] == some.lab.running.state.provider
    for exercise, verdict in zip(found["exercises"], told(some.verdicts), strict=False):
        assert {name: exercise[name] for name in ("status", "items", "suspects")} == {
            name: verdict[name] for name in ("status", "items", "suspects")
        }
        assert exercise["name"] == verdict["exercise"] and exercise["note"] is None
        assert exercise["when"] and exercise["seconds"] > 0
        counted = [item for item in verdict["items"] if item["kind"] == "counter"]
        assert [one["seen"] for one in exercise["counters"]] == [item["captured"] for item in counted]


def test_every_point_that_was_judged_is_on_a_walk(found: dict[str, Any]) -> None:
    for exercise in (one for one in found["exercises"] if one["status"]):
        hops = [hop for probe in exercise["probes"] for walk in probe["walks"] for hop in walk["hops"]]
        shown = {(hop["point"], hop["direction"]) for hop in hops if hop["captured"]}
        judged = {(it["point"], it["direction"]) for it in exercise["items"] if it["kind"] == "packet"}
        assert judged and judged <= shown
        for item in exercise["items"]:
            if item["kind"] == "packet":
                here = [
                    hop
                    for hop in hops
                    if (hop["point"], hop["direction"]) == (item["point"], item["direction"])
                ]
                assert any(hop["count"] == int(item["captured"].split(":")[0]) for hop in here)
                assert all(hop["status"] == "pass" for hop in here if hop["count"])


_BYTE = ("hop_limit", "inner.hop_limit", "segments_left", "srh.last_entry", "srh.hdr_ext_len")
_PROTOCOLS = {"icmp": 1, "ipv4": 4, "ipv6": 41, "icmpv6": 58}


def test_bytes_and_fields_say_the_same(found: dict[str, Any]) -> None:
    """Each part that names a field stands at bytes in which its value is."""
    seen: set[str] = set()
    probes = [probe for exercise in found["exercises"] for probe in exercise["probes"]]
    hops = [hop for probe in probes for walk in probe["walks"] for hop in walk["hops"]]
    for packet in (one for hop in hops for one in hop["captured"]):
        data = bytes.fromhex(packet["bytes"])
        for part in packet["parts"]:
            name, at = part["field"], part["at"]
            seen.add(name)
            if name in _BYTE:
                assert data[at] == int(packet["fields"][name])
            elif name in ("protocol", "inner.protocol"):
                assert data[at] == _PROTOCOLS[packet["fields"][name]]
            elif name in ("source", "destination", "inner.source", "inner.destination"):
                assert ip_address(packet["fields"][name]).packed == data[at : at + part["length"]]
    assert {*_BYTE, "protocol", "inner.protocol", "source", "segment_list"} <= seen


def test_an_sr_proxy_s_table_is_filled_from_the_captures(some: Checked, found: dict[str, Any]) -> None:
    run = [one for one in found["exercises"] if one["status"]]
    tables = [table for exercise in run for table in exercise["proxies"]]
    assert bool(tables) is any(node.proxies for node in some.plan.nodes)
    assert {one["witness"] for one in tables} <= {"captured"}


def test_an_exercise_that_was_not_run_is_shown_as_predicted(some: Checked, found: dict[str, Any]) -> None:
    for exercise in found["exercises"][len(some.verdicts) :]:
        assert (exercise["note"], exercise["status"], exercise["items"]) == (NOT_RUN, None, [])
        walks = [walk for probe in exercise["probes"] for walk in probe["walks"]]
        assert walks and all(hop["count"] is None for walk in walks for hop in walk["hops"])


def test_a_run_that_nobody_touched_is_not_judged_again(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srv6lab.judge.grade.graded", None)
    assert all(one.holds for one in of_runs(checked.plan, checked.names, checked.runs, ""))
    assert checked.document()["exercises"]


def test_what_was_changed_since_is_judged_again_and_said(checked: Checked, tmp_path: Path) -> None:
    first = checked.names[0]
    for name, plan, note in (
        ("captures", checked.plan, OTHER_RUN),
        ("topology", replace(checked.plan, digest="another"), OTHER_FILE),
        (VERDICT, checked.plan, None),
        (RUN, checked.plan, None),
    ):
        runs = checked.copied(tmp_path / name)
        if name == "captures":
            one = next((runs / first / "captures").iterdir())
            one.write_bytes(one.read_bytes() + b"\0")
        elif name != "topology":
            (runs / first / name).unlink()
        (source,) = of_runs(plan, [first], runs, "")
        assert (source.note or None, source.holds) == (note, False)
        exercise = checked.document(runs, plan)["exercises"][0]
        assert exercise["note"] == note
        changed = exercise["items"] != told(checked.verdicts)[0]["items"]
        assert changed is (name == "captures")


def test_a_run_of_a_lab_that_was_built_otherwise_is_not_shown(checked: Checked, tmp_path: Path) -> None:
    runs = checked.copied(tmp_path)
    run = read_run(runs / checked.names[0])
    assert run
    write_run(runs / checked.names[0], replace(run, built="otherwise", topology="otherwise"))
    with pytest.raises(UsageError, match=re.escape(OTHER_LAB)):
        of_runs(checked.plan, checked.names[:1], runs, "")
    with pytest.raises(UsageError, match=re.escape(OTHER_LAB)):
        handed_in(checked.plan, [], checked.names, runs / checked.names[0])


def test_a_proven_cause_is_kept_when_the_same_is_judged_again(checked: Checked, tmp_path: Path) -> None:
    runs = checked.copied(tmp_path)
    folder = runs / checked.names[0]
    (verdict,) = json.loads((folder / VERDICT).read_text())
    cause = {"cause": "x", "node": "y", "what": "z", "command": "", "proven": True, "mend": ""}
    (folder / VERDICT).write_text(json.dumps([{**verdict, "suspects": [cause]}]))
    (folder / RUN).unlink()
    assert checked.document(runs)["exercises"][0]["suspects"] == [cause]


@pytest.mark.parametrize("file", [RUN, VERDICT])
@pytest.mark.parametrize(
    "text", ["[]", "5", "null", "[" * 100_000, "[NaN]", '[{"exercise": 1}]', "\xff", None]
)
def test_what_no_check_has_written_is_judged_again(
    checked: Checked, tmp_path: Path, file: str, text: str | None
) -> None:
    folder = checked.copied(tmp_path) / checked.names[0]
    (folder / file).unlink()
    if text is None:
        os.mkfifo(folder / file)  # nobody ever writes into it
    else:
        (folder / file).write_bytes(text.encode("latin-1"))
    (source,) = of_runs(checked.plan, checked.names[:1], folder.parent, "")
    assert source.folder == folder and not source.holds


@pytest.mark.parametrize("milliseconds", [-1, 10**400])
def test_no_run_takes_longer_than_a_life(checked: Checked, tmp_path: Path, milliseconds: int) -> None:
    folder = checked.copied(tmp_path) / checked.names[0]
    run = read_run(folder)
    assert run
    write_run(folder, replace(run, milliseconds=milliseconds))
    assert read_run(folder) is None


def test_a_verdict_that_is_handed_in_is_not_believed(checked: Checked, tmp_path: Path) -> None:
    first, runs = checked.names[0], checked.copied(tmp_path)
    (verdict,) = json.loads((runs / first / VERDICT).read_text())
    otherwise = {"fail": "pass"}.get(verdict["status"], "fail")
    (runs / first / VERDICT).write_text(json.dumps([{**verdict, "status": otherwise, "suspects": []}]))
    run = read_run(runs / first)
    assert run
    write_run(runs / first, replace(run, seen=digest(runs / first)))
    for handed in (runs, runs / first):
        sources = handed_in(checked.plan, [first], [first], handed)
        assert not any(one.holds or one.verdict for one in sources)
        with quiet() as progress:
            (shown,) = document(checked.plan, sources, progress)["exercises"]
        assert (shown["status"], shown["items"]) == (verdict["status"], verdict["items"])
    assert of_runs(checked.plan, [first], runs, "")[0].holds  # one's own is


@pytest.mark.parametrize(
    "verdict",
    [
        "",
        "[]",
        "{}",
        "[1]",
        '[{"exercise": "x"}]',
        '[{"items": [{}], "suspects": []}]',
        "[" * 9000,
        "\\ud800",
    ],
)
def test_a_verdict_that_is_not_as_it_was_written_is_judged_again(
    verdict: str, checked: Checked, tmp_path: Path
) -> None:
    runs = checked.copied(tmp_path)
    (runs / checked.names[0] / VERDICT).write_text(verdict)
    (source,) = of_runs(checked.plan, checked.names[:1], runs, "")
    assert (source.verdict, source.holds) == (None, False)


# --- the task


@pytest.fixture
def page(checked: Checked, tmp_path: Path) -> Callable[..., Path | None]:
    """`report` of runs that were copied, for a lab that isn't up."""
    checked.copied(tmp_path)

    def make(*asked: str, captures: str = "", out: str = "", home: Path = tmp_path) -> Path | None:
        with quiet() as progress:
            return report(checked.plan, Home(home), asked, Handed(captures), out, progress)

    return make


def of_page(text: str) -> dict[str, Any]:
    """The document that a page holds."""
    (held,) = re.findall(r'<script type="application/json" id="walk">(.*?)</script>', text, re.DOTALL)
    known: dict[str, Any] = unpacked(json.loads(held))
    return known


def test_a_page_lies_beside_the_runs(
    checked: Checked, page: Callable[..., Path | None], tmp_path: Path
) -> None:
    path = page()
    assert path == tmp_path / "runs" / PAGE
    text = path.read_text("utf-8")
    assert of_page(text) == json.loads(json.dumps(checked.document())) and len(text.encode()) < 1_000_000


def test_a_page_is_written_where_it_is_asked_for(
    page: Callable[..., Path | None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert page(out=str(tmp_path / "new" / "a.html")) == tmp_path / "new" / "a.html"
    assert of_page((tmp_path / "new" / "a.html").read_text("utf-8"))["kind"] == "check"
    assert page(out="-") is None
    assert of_page(capsys.readouterr().out)["kind"] == "check"


def test_a_pipe_is_written_to_and_not_replaced(page: Callable[..., Path | None], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = tmp_path / "read"
    with read.open("w") as file, subprocess.Popen([tool("cat"), str(pipe)], stdout=file):
        page(out=str(pipe))
    assert of_page(read.read_text("utf-8"))["kind"] == "check"
    assert pipe.is_fifo()


def test_captures_are_a_folder_of_runs_or_those_of_one(
    checked: Checked, page: Callable[..., Path | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, runs = checked.names[0], tmp_path / "runs"
    shown = {}
    for asked, captures in (
        ((), runs),
        ((first,), runs),
        ((), runs / first),
        ((first,), runs / first / "captures"),
    ):
        path = page(*asked, captures=str(captures), home=tmp_path / "none")
        assert path == Path(f"{checked.plan.name}.html")
        exercises = of_page(path.read_text("utf-8"))["exercises"]
        shown[captures, asked] = [(one["name"], one["status"]) for one in exercises]
    everything = [(one["exercise"], one["status"]) for one in told(checked.verdicts)]
    assert [*shown.values()] == [everything, everything[:1], everything[:1], everything[:1]]


def test_pcaps_that_came_alone_are_judged_as_check_does(
    checked: Checked, page: Callable[..., Path | None], tmp_path: Path
) -> None:
    first, alone = checked.names[0], tmp_path / "alone"
    shutil.copytree(checked.runs / first / "captures", alone)
    path = page(first, captures=str(alone), out=str(tmp_path / "a.html"))
    assert path
    (exercise,) = of_page(path.read_text("utf-8"))["exercises"]
    (verdict,) = told([grade(checked.plan, first, alone, silent)])
    assert (exercise["items"], exercise["status"]) == (verdict["items"], verdict["status"])
    assert any(packet["bytes"] for walk in exercise["probes"][0]["walks"] for hop in walk["hops"] for packet in hop["captured"])  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"asked": ["nothing"]}, "has no exercise 'nothing'"),
        ({"home": "elsewhere"}, "no run of an exercise"),
        ({"captures": "missing"}, "there is no folder"),
        ({"captures": "."}, "one folder of captures is of one exercise|holds no capture of this lab"),
        ({"out": "."}, "is a folder"),
        ({"out": "file/a.html"}, "Not a directory|File exists"),
    ],
)
def test_what_can_not_be_shown_is_told(
    words: dict[str, Any], message: str, checked: Checked, tmp_path: Path
) -> None:
    runs = checked.copied(tmp_path / "home")
    assert runs
    (tmp_path / "file").touch()
    home = Home(tmp_path / words.get("home", "home"))
    captures = str(tmp_path / words["captures"]) if "captures" in words else ""
    out = str(tmp_path / words["out"]) if "out" in words else ""
    with quiet() as progress, pytest.raises((UsageError, OSError), match=message):
        report(checked.plan, home, words.get("asked", ()), Handed(captures), out, progress)


def test_the_task_prints_the_path_and_exits_0_whatever_the_verdict(checked: Checked, typed: Typed) -> None:
    named = [f"lab={checked.plan.name}", "--instance", checked.lab.instance]
    done = invoke("report", *named)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == PAGE and "reading the captures" in done.stderr
    done = typed("report", f"lab={checked.plan.name}", "--instance", "never-begun")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no run of an exercise" in done.stderr and "invoke check" in done.stderr
    assert not (checked.lab.running.home.path.parent / "never-begun").exists()


def test_check_makes_the_page_too(checked: Checked, typed: Typed, tmp_path: Path) -> None:
    """The same page as report's, beside a verdict that is read by programs."""
    first, page = checked.names[0], tmp_path / "walk.html"
    words = f"lab={checked.plan.name}", "--instance", checked.lab.instance, "--exercise", first
    done = typed("check", *words, "--format", "json", "--report", str(page))
    assert done.returncode == 0, done.stderr
    (exercise,) = of_page(page.read_text("utf-8"))["exercises"]
    (verdict,) = json.loads(done.stdout)
    assert (exercise["name"], exercise["items"]) == (first, verdict["items"])
    other = tmp_path / "report.html"
    assert typed("report", *words, "--out", str(other)).returncode == 0
    assert page.read_text("utf-8") == other.read_text("utf-8")
    handed = checked.lab.running.home.runs / first / "captures"
    alone = f"lab={checked.plan.name}", "--exercise", first, "--captures", str(handed)
    assert typed("check", *alone, "--report", str(page)).returncode == 0
    assert len(of_page(page.read_text("utf-8"))["exercises"]) == 1


@pytest.mark.parametrize(("file", "message"), [("-", "what goes to stdout"), (".", "is a folder")])
def test_a_page_that_can_not_be_written_is_told_before_anything_is_run(
    file: str, message: str, checked: Checked, typed: Typed
) -> None:
    done = typed("check", f"lab={checked.plan.name}", "--instance", checked.lab.instance, "--report", file)
    assert (done.returncode, done.stdout) == (1, "") and message in done.stderr
    assert "[ " not in done.stderr  # no progress


def test_a_prediction_needs_no_run(checked: Checked, typed: Typed) -> None:
    done = typed("predict", f"lab={checked.plan.name}", "--format", "html")
    assert done.returncode == 0, done.stderr
    known = of_page(done.stdout)
    assert known["kind"] == "prediction" and [one["name"] for one in known["exercises"]] == checked.names
    assert misshapen(known) == []
