"""Temporary folders: theirs who work in them, and nobody's when those were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from srv6lab.host.scratch import Scratch, below, sweep
from tests.conftest import REPOSITORY

PROGRAM = "from srv6lab.host.scratch import Scratch; print(Scratch().name, flush=True); input()"


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's place for temporary files."""
    place = tmp_path / "system"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def test_it_lies_below_the_folder_that_is_named_and_goes_with_it(tmp_path: Path) -> None:
    root = tmp_path / "instance" / "scratch"
    root.parent.mkdir()
    with below(root):
        with Scratch() as name:
            assert Path(name).parent == root
        assert not Path(name).exists()
    assert not root.exists()


def test_elsewhere_where_there_is_no_such_folder_or_it_is_a_link(tmp_path: Path, system: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for root in (tmp_path / "no" / "scratch", tmp_path / "link"):
        with below(root), Scratch() as name:
            assert Path(name).parent.parent == system
        assert not (tmp_path / "no").exists()


def test_what_a_killed_command_left_goes_with_the_next_and_what_is_in_use_stays(system: Path) -> None:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": REPOSITORY}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], **streams) as popen:  # type: ignore[call-overload]
        name = Path(popen.stdout.readline().strip())
        assert name.parent.parent == system
        with Scratch():
            assert name.is_dir()
        os.kill(popen.pid, signal.SIGKILL)
    with Scratch() as other:
        assert [str(one) for one in name.parent.iterdir()] == [other]


def test_what_was_made_and_never_locked_goes_too(tmp_path: Path) -> None:
    (tmp_path / "root" / "srv6lab-x").mkdir(parents=True)
    sweep(tmp_path / "root")
    assert not (tmp_path / "root").exists()
    sweep(tmp_path / "root")  # where there is nothing


@pytest.mark.parametrize("named", [False, True])
def test_a_system_without_numbers_of_users(
    named: bool, tmp_path: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows is, from where labs in virtual machines are checked."""
    monkeypatch.delattr(os, "getuid")
    (tmp_path / "instance").mkdir()
    root = tmp_path / "instance" / "scratch" if named else system / "none" / "scratch"
    with below(root), Scratch() as name:
        assert Path(name).parent == (root if named else system)
    assert not Path(name).exists()
