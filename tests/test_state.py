"""What is written down about a running lab: whole or not at all, one command at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from srv6lab.errors import LabError, UsageError
from srv6lab.host.files import write_whole
from srv6lab.providers.state import SCHEMA, Home, State
from tests.conftest import REPOSITORY

STATE = State("small", "mine", "nowhere", "/topology.yml", "ready", {"pid": [1, 2]})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".srv6lab" / "mine")


def test_what_is_written_is_read(home: Home) -> None:
    home.write(STATE)
    assert home.read() == STATE


def test_nothing_was_begun(home: Home) -> None:
    assert home.read() is None


def test_a_file_is_replaced_in_one_step(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash before the replacement leaves the old file."""
    home.write(STATE)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        home.write(State("other", "mine", "nowhere", "", "starting"))
    assert home.read() == STATE


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(home: Home) -> None:
    home.write(STATE)
    program = (
        "import resource, signal, sys; from pathlib import Path; from srv6lab.host.files import write_whole;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); write_whole(Path(sys.argv[1]), 'x' * 100)"
    )
    command = [sys.executable, "-c", program, home.path / "state.json"]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert "File too large" in result.stderr
    assert home.read() == STATE
    assert [path.name for path in home.path.iterdir()] == ["state.json"]


def test_write_whole_makes_the_folder(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "c", "é→\n")
    assert (tmp_path / "a" / "b" / "c").read_text(encoding="utf-8") == "é→\n"


@pytest.mark.parametrize("schema", [0, SCHEMA - 1, SCHEMA + 1, str(SCHEMA), None])
def test_another_version_s_file_is_refused(home: Home, schema: object) -> None:
    write_whole(home.path / "state.json", json.dumps({**asdict(STATE), "schema": schema}))
    with pytest.raises(LabError, match="another version"):
        home.read()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", '{"schema": 2}', '{"schema": 2, "lab": "x", "more": 1}']
)
def test_garbage_is_refused_with_its_name(home: Home, text: str) -> None:
    write_whole(home.path / "state.json", text)
    with pytest.raises(LabError, match=r"state\.json"):
        home.read()


def test_bytes_that_are_no_text_are_refused(home: Home) -> None:
    home.path.mkdir(parents=True)
    (home.path / "state.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabError, match="can't be read"):
        home.read()


def test_another_process_with_the_lock_keeps_this_one_out(home: Home) -> None:
    program = (
        "import sys; from pathlib import Path; from srv6lab.providers.state import Home\n"
        "with Home(Path(sys.argv[1])).locked():\n print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, home.path]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another command is at work on mine"), home.locked():
            pass
        other.stdin.close()
        other.wait()
    with home.locked():
        pass


def test_the_lock_of_a_process_that_died_is_free(home: Home) -> None:
    program = "import os, sys; from pathlib import Path; from srv6lab.providers.state import Home\nHome(Path(sys.argv[1])).locked().__enter__(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, home.path], cwd=REPOSITORY)
    with home.locked():
        pass


def test_the_lock_is_of_the_folder_that_is_there(home: Home) -> None:
    """A `destroy` that ends between another one's two looks takes the file away."""
    with home.locked():
        home.forget(keep_runs=False)
        with home.locked():
            assert home.path.is_dir()


class TestForgetting:
    @pytest.fixture(autouse=True)
    def full(self, home: Home) -> None:
        home.write(STATE)
        write_whole(home.run("across") / "verdict.json", "[]")
        write_whole(home.captures / "one.pcap", "")
        write_whole(home.path / "lock", "")

    def test_results_are_kept(self, home: Home) -> None:
        home.forget(keep_runs=True)
        assert [path.name for path in home.path.iterdir()] == ["runs"]
        assert (home.run("across") / "verdict.json").exists()

    def test_the_lock_is_kept_while_it_is_held(self, home: Home) -> None:
        home.forget(keep_runs=True, keep_lock=True)
        assert sorted(path.name for path in home.path.iterdir()) == ["lock", "runs"]

    def test_all_goes_with_its_folders(self, home: Home) -> None:
        home.forget(keep_runs=False)
        assert not home.path.parent.exists()

    def test_another_instance_s_folder_stays(self, home: Home) -> None:
        other = home.path.with_name("other")
        other.mkdir()
        home.forget(keep_runs=False)
        assert other.is_dir()

    def test_a_link_is_removed_and_what_it_points_to_stays(self, home: Home, tmp_path: Path) -> None:
        precious = tmp_path / "precious"
        write_whole(precious / "file", "mine")
        (home.path / "link").symlink_to(precious)
        home.forget(keep_runs=False)
        assert (precious / "file").read_text() == "mine"

    def test_forgetting_twice_is_forgetting(self, home: Home) -> None:
        home.forget(keep_runs=False)
        home.forget(keep_runs=False)


@pytest.mark.parametrize("first", ["ours.json", "one.log", "two.log"])
def test_a_removal_that_is_interrupted_is_finished_by_the_next(
    home: Home, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever file the system names first."""
    unlink, iterdir = Path.unlink, Path.iterdir

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok)
        raise KeyboardInterrupt

    home.write(STATE)
    home.own("one.log", "two.log")
    (home.path / "one.log").touch()
    (home.path / "two.log").touch()
    monkeypatch.setattr(
        Path, "iterdir", lambda folder: iter(sorted(iterdir(folder), key=lambda entry: entry.name != first))
    )
    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        home.forget(keep_runs=True)
    monkeypatch.setattr(Path, "unlink", unlink)
    home.forget(keep_runs=True)
    assert not home.path.exists()


@pytest.mark.parametrize("linked", [".srv6lab", ".srv6lab/mine"])
def test_no_folder_behind_a_link_is_worked_in(home: Home, tmp_path: Path, linked: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    link = tmp_path / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(theirs)
    with pytest.raises(UsageError, match=f"{link} is a link") as caught, home.locked():
        pass
    assert caught.value.mend == f"remove {link}" and not [*theirs.iterdir()]


def test_no_folder_of_somebody_else_is_worked_in(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.path.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: home.path.stat().st_uid + 1)
    with pytest.raises(UsageError, match=rf"{home.path.parent} is of another user \(number"), home.locked():
        pass
    assert not [*home.path.iterdir()]
