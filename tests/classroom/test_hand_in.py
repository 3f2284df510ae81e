"""What is handed in is typed once, and refused in a sentence; what is packed is what can be read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from srv6lab.classroom import handin
from srv6lab.classroom.submit import submit, told, without_secrets
from srv6lab.classroom.trainer import Trainer
from srv6lab.errors import UsageError
from srv6lab.evidence.observations import Observations, write_observations
from srv6lab.evidence.probes import Sent
from srv6lab.evidence.runs import Run, write_run
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from tests.classroom.forging import packed
from tests.small import planned

MANIFEST = {
    "schema": 1, "version": "", "lab": "small", "learner": "", "class": "", "instance": "small", "started": "",
    "written": "2026-01-01T00:00:00+00:00", "exercises": [], "files": {},
}  # fmt: skip


def refused(folder: Path, files: Mapping[str, bytes]) -> str:
    path = folder / "some.zip"
    path.write_bytes(packed({"manifest.json": json.dumps(MANIFEST).encode(), **files}))
    with pytest.raises(UsageError) as error:
        handin.read_hand_in(path)
    return error.value.what


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"manifest.json": b"[]"}, "is no JSON object"),
        ({"manifest.json": b"{"}, "can't be read"),
        ({"manifest.json": b'{"schema": 2}'}, "another version"),
        ({"manifest.json": b'{"schema": 1, "schema": 1}'}, "a key stands twice"),
        ({"manifest.json": b'{"schema": 1, "lab": NaN}'}, "NaN is no number"),
        ({"manifest.json": json.dumps({**MANIFEST, "lab": 7}).encode()}, "lab is a number, not text"),
        ({"manifest.json": json.dumps({**MANIFEST, "more": 7}).encode()}, "nothing is called more"),
        ({"manifest.json": b'{"schema": 1' + b"0" * 5000 + b"}"}, "can't be read"),
        ({"progress.json": b"[" * 50_000}, "can't be read"),
        ({"progress.json": b'{"a":' * 60 + b"1" + b"}" * 60}, "deeper than 40 levels"),
        ({"progress.json": b'{"a": {"hints": 0}}'}, "is missing"),
        ({"progress.json": Random(1).randbytes(5 << 20)}, "larger than 4 MiB"),
        ({"log.ndjson": b"{}\n" * 10_001}, "more than 10000 lines"),
        (
            {"log.ndjson": b'{"when": 7, "what": "", "exercise": ""}\n'},
            "log.ndjson, line 1: when is a number",
        ),
    ],
)
def test_a_document_that_is_otherwise_is_refused(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    assert said in refused(tmp_path, files)


def test_hints_below_nothing(tmp_path: Path) -> None:
    entry = {"began": "", "passed": "", "checks": 0, "hints": -5, "causes": 0, "solved": False, "parts": [], "best": "0", "right": {}, "wrong": {}, "helped": {}}  # fmt: skip
    assert "below 0" in refused(tmp_path, {"progress.json": json.dumps({"a": entry}).encode()})


def checked(folder: Path) -> tuple[Plan, Home]:
    """A lab with one exercise that was checked."""
    plan, home = planned(), Home(folder / ".srv6lab" / "small")
    (name,) = [one.name for one in plan.exercises]
    run = home.run(name)
    (run / "captures").mkdir(parents=True)
    (run / "captures" / "middle.pcap").write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(20))
    write_observations(run, Observations("small", name, "netns", (Sent("echo", 3, 3, "00" * 16),)))
    write_run(run, Run("small", name, "netns", "1", "2026-01-01T00:00:00+00:00", 9, "", "", plan.digest, ""))
    return plan, home


def test_what_is_packed_can_be_read_again(tmp_path: Path) -> None:
    plan, home = checked(tmp_path)
    done = submit(plan, home, None, (), tmp_path / "a.zip")
    found = handin.read_hand_in(done.path)
    assert found.manifest == done.manifest and found.exercises == ("across",) and not found.left
    assert [event.what for event in found.log] == ["checked"]
    assert {*found.run("across")} == {"observations.json", "run.json", "captures/middle.pcap"}
    assert done.size < 4096 and f"{done.path}" in told(done) and "of a lab that is nobody's" in told(done)
    assert "since it isn't up: invoke up" in told(done)


def test_the_same_is_packed_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srv6lab.classroom.submit.now", lambda: "2026-01-01T00:00:01+00:00")
    plan, home = checked(tmp_path)
    first, second = (submit(plan, home, None, (), tmp_path / name).path for name in ("a.zip", "b.zip"))
    assert first.read_bytes() == second.read_bytes()


def test_nothing_checked_is_nothing_to_hand_in(tmp_path: Path) -> None:
    plan, home = planned(), Home(tmp_path / "none")
    with pytest.raises(UsageError, match="no exercise of small was checked yet") as error:
        submit(plan, home, None, (), tmp_path / "a.zip")
    assert "invoke check" in error.value.mend and not (tmp_path / "a.zip").exists()


def test_where_it_can_t_be_written(tmp_path: Path) -> None:
    plan, home = checked(tmp_path)
    with pytest.raises(UsageError, match="is a folder"):
        submit(plan, home, None, (), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can't be written"):
        submit(plan, home, None, (), tmp_path / "file" / "a.zip")


@pytest.mark.parametrize(
    "line",
    [
        " neighbor 10.0.0.1 password SECRET",
        "password SECRET",
        "enable password 8 SECRET",
        " key-string SECRET",
        " isis password md5 SECRET",
        " area-password clear SECRET",
        " domain-password md5 SECRET authenticate snp validate",
        " ip ospf message-digest-key 1 md5 SECRET",
        " ip ospf authentication-key SECRET",
        " ipv6 ospf6 authentication key-id 1 hash-algo md5 key SECRET",
    ],
)
def test_no_password_is_handed_in(line: str) -> None:
    assert "SECRET" not in without_secrets(f"router bgp 1\n{line}\n!\n")
    assert without_secrets("router bgp 1\n neighbor 10.0.0.1 remote-as 2\n").endswith("remote-as 2\n")


@pytest.mark.parametrize("lab", ["../../other", "/etc", "a/b", "", "..", "a" * 99, "nobody-has-it"])
def test_a_lab_is_looked_for_by_its_name_alone(tmp_path: Path, lab: str) -> None:
    """What nobody's hand-in says is no path."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "topology.yml").write_text("name: other\n")
    (tmp_path / "a" / "labs").mkdir(parents=True)
    trainer = Trainer("class", {"anna": "0" * 32}, ("lab",), tmp_path, tmp_path / "a" / "labs")
    with pytest.raises(UsageError, match=r"no name of a lab|there is no lab"):
        trainer.plan("", lab)
    with pytest.raises(UsageError, match="has no lab"):
        trainer.plan("anna", lab)
    with pytest.raises(UsageError, match="is no learner of class"):
        trainer.plan("../anna", lab)
