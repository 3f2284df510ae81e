"""`up` of a lab whose file was edited, over a provider that runs nothing: what is written down, refused, gone on with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.status import edited, status, status_report
from srv6lab.errors import Interrupted, LabError, NodeError, UsageError
from srv6lab.live.begun import TASK, Begun, now, write_begun
from srv6lab.live.changed_file import HALF, LAID
from srv6lab.live.instance import Instance, Reference, Request
from srv6lab.live.lifecycle import refuse_stale, up, would_change
from srv6lab.live.snapshot import KEPT, differences
from srv6lab.live.wait_for_policies import expected
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from tests import fork
from tests.fake_provider import Fake
from tests.small import SMALL, planned

PLAN = planned()
EDITED = planned(SMALL.replace("mtu: 2000", "mtu: 1900"))
Say = Callable[[Plan], Instance]


@pytest.fixture
def fake() -> Fake:
    return Fake(changes=True)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def asked(tmp_path: Path, fake: Fake) -> Request:
    return Request(Reference(tmp_path / "small.yml", "small"), fake)


@pytest.fixture
def begin(home: Home, asked: Request, said: list[str]) -> Say:
    return lambda plan: up(home, plan, asked, said.append)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".srv6lab" / "small")


def test_only_what_is_another_is_changed_and_told(
    begin: Say, fake: Fake, said: list[str], home: Home
) -> None:
    begin(PLAN)
    one = begin(EDITED)
    assert fake.done == ["down", "up", "change"] and fake.steps[0].run == ("gate", "exit")
    assert said == [
        "changed what its file has changed; 2 of 4 nodes stay as they are:",
        "  gate link: eth2: mtu 2000 → 1900",
        "  exit link: eth2: mtu 2000 → 1900",
    ]
    refuse_stale(one, EDITED)
    with pytest.raises(UsageError, match=r"(?s)older file: .*invoke up lab=small changes it"):
        refuse_stale(one, PLAN)
    assert not (home.path / HALF).exists()
    begin(EDITED)
    assert fake.done[-1] == "mend", "there is nothing left to change"


def test_what_day0_left_is_kept_anew_where_it_is_another(begin: Say, fake: Fake, home: Home) -> None:
    fake.settings = dict.fromkeys(("gate", "west"), "before")
    begin(PLAN)
    fake.settings = dict.fromkeys(("gate", "west"), "after")
    begin(EDITED)
    kept = json.loads((home.path / KEPT).read_text())
    assert (kept["gate"], kept["west"]) == ("after", "before")


def test_a_node_that_somebody_has_set_otherwise_is_made_anew(begin: Say, fake: Fake) -> None:
    fake.settings = dict.fromkeys(("gate", "exit", "west"), "-- ip\nas Day0 left it\n")
    begin(PLAN)
    fake.settings["gate"] += "by hand\n"
    begin(EDITED)
    assert fake.steps[-1].made == {"gate": "it isn't as Day0 left it"}


def test_what_somebody_has_set_on_a_node_that_stays_is_left(begin: Say, fake: Fake) -> None:
    fake.settings = dict.fromkeys(("gate", "exit", "west"), "-- ip\nas Day0 left it\n")
    begin(PLAN)
    fake.settings["west"] += "by hand\n"
    one = begin(EDITED)
    assert not fake.steps[-1].made
    assert [each.node for each in differences(one) or ()] == ["west"], "and is still known to be"


def test_a_lab_with_a_task_begun_is_not_changed(begin: Say, fake: Fake, home: Home) -> None:
    begin(PLAN)
    write_begun(home, Begun("ping", TASK, now()))
    with pytest.raises(
        UsageError, match=r"ping is begun in small(?s:.*)invoke finish lab=small, then up again"
    ):
        begin(EDITED)
    assert not fake.steps and not (home.path / HALF).exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), NodeError("gate: Day0 failed", "mend the file")])
def test_a_change_that_stopped_is_known_until_it_is_finished(
    begin: Say, fake: Fake, home: Home, error: BaseException
) -> None:
    one = begin(PLAN)
    fake.fail("change", error)
    with pytest.raises(
        LabError, match=r"half changed\n.*invoke up lab=small finishes it, invoke destroy"
    ) as caught:
        begin(EDITED)
    assert isinstance(caught.value, Interrupted) == isinstance(error, KeyboardInterrupt)
    for plan in (PLAN, EDITED):
        with pytest.raises(UsageError, match=r"small is half changed.*\(exit, gate\)"):
            refuse_stale(one, plan)
    text = status_report(one, *status(one), "text")
    assert "  HALF change exit, gate" in text and "invoke up lab=small finishes it" in text
    begin(PLAN)
    assert fake.steps[-1].made.keys() == {"gate", "exit"}, "nobody knows what was done there"
    assert not (home.path / HALF).exists()
    refuse_stale(one, PLAN)


def test_it_is_only_said_what_would_change(begin: Say, fake: Fake, home: Home, asked: Request) -> None:
    assert [*would_change(home, EDITED, asked)] == ["small isn't up, so all of it would be built"]
    begin(PLAN)
    assert [*would_change(home, PLAN, asked)] == ["nothing: it is up from this file"]
    assert [*would_change(home, EDITED, asked)] == [
        "this would change; 2 of 4 nodes stay as they are:",
        "  gate link: eth2: mtu 2000 → 1900",
        "  exit link: eth2: mtu 2000 → 1900",
    ]
    assert fake.done == ["down", "up"]


def test_it_is_refused_where_nobody_knows_what_was_laid(begin: Say, fake: Fake, home: Home) -> None:
    begin(PLAN)
    for text in (None, "{", '{"schema": 0, "content": {}}', '{"schema": 1, "content": {"nodes": []}}'):
        if text is None:
            (home.path / LAID).unlink()
        else:
            (home.path / LAID).write_text(text)
        with pytest.raises(
            UsageError, match=r"isn't written down\n.*invoke destroy lab=small, then up again"
        ):
            begin(EDITED)
    assert fake.done == ["down", "up"]
    begin(PLAN)  # from the file that it is up from, it is written down again
    begin(EDITED)
    assert fake.done == ["down", "up", "mend", "change"]


def test_it_is_refused_by_a_provider_that_cannot(begin: Say, fake: Fake) -> None:
    begin(PLAN)
    fake.record = replace(fake.record, changes=False)
    with pytest.raises(UsageError, match=r"fake changes no lab that is up\n.*then up again"):
        begin(EDITED)


def test_headends_elect_anew_after_an_edit_and_only_then(begin: Say, fake: Fake) -> None:
    lab = fork.text()
    plan, edited = planned(lab), planned(lab.replace("mtu: 2000, te_metric: 3", "mtu: 1900, te_metric: 3"))
    fake.tell("gate", "kill -USR1", "")
    fake.tell("gate", "cat /var/lib/srv6lab/policies/state.json", json.dumps(expected(plan)["gate"]))
    begin(plan)
    begin(plan)
    assert "USR1" not in str(fake.asked)
    fake.asked.clear()
    begin(edited)
    assert fake.steps and ["USR1" in line for _, line in fake.asked] == [True, False]


def test_another_lab_is_no_edit(begin: Say) -> None:
    begin(PLAN)
    with pytest.raises(UsageError, match="small is the lab small, not other"):
        begin(planned(SMALL.replace("name: small", "name: other", 1)))


def test_what_a_check_left_is_taken_back_by_the_older_file(begin: Say, fake: Fake, home: Home) -> None:
    begin(PLAN)
    home.applied.write_text('[["gate", "undo it"]]')
    fake.tell("gate", "undo it", "")
    begin(EDITED)
    assert fake.asked == [("gate", "bash -ec 'undo it'")] and not home.applied.exists()


def test_what_is_dead_is_built_anew_from_the_new_file(begin: Say, fake: Fake) -> None:
    begin(PLAN)
    fake.alive = False
    begin(EDITED)
    assert fake.done == ["down", "up", "down", "up"]


@pytest.mark.parametrize(
    ("text", "later", "said_of_it"),
    [
        (SMALL, -10, ""),
        (SMALL + "# a word\n", 10, ""),
        (SMALL.replace("mtu: 2000", "mtu: 1900"), -10, ""),
        (SMALL.replace("mtu: 2000", "mtu: 1900"), 10, "is up from an older file"),
        (
            SMALL.replace("mtu: 2000", "mut: 2000"),
            10,
            "its file was edited since, and is wrong now: invoke validate",
        ),
        (None, 0, "its file is gone"),
    ],
)
def test_status_says_that_the_file_is_another_by_now(
    text: str | None, later: int, said_of_it: str, begin: Say, home: Home, tmp_path: Path
) -> None:
    """A file from before `up` isn't read, since that takes longer than all else that `status` does."""
    one, file = begin(PLAN), tmp_path / "small.yml"
    if text is not None:
        file.write_text(text)
        os.utime(file, (home.written.stat().st_mtime + later,) * 2)
    found = edited(LabsFolder(tmp_path), Reference(file, "small"), one)
    assert said_of_it in found and bool(found) == bool(said_of_it)
