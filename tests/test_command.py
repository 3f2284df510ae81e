"""A command on this machine: what it came to, and that it ends with all that it started."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.host.command import Absent, Completed, Late, output, run


def test_its_output_its_errors_and_its_end() -> None:
    assert run(["sh", "-c", "cat; echo no >&2; exit 3"], 60, "given\n") == Completed(3, "given\n", "no\n")


def test_errors_go_to_the_output_in_their_order_if_they_are_merged() -> None:
    assert run(["sh", "-c", "echo a >&2; echo b"], 60, merged=True) == Completed(0, "a\nb\n", "")


def test_the_folder_and_what_is_added_to_the_environment(tmp_path: Path) -> None:
    done = run(
        ["sh", "-c", 'pwd; echo "$ADDED"; [ "$PATH" ]'], 60, environment={"ADDED": "x"}, folder=tmp_path
    )
    assert done == Completed(0, f"{tmp_path}\nx\n", "")


def test_a_late_one_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    """What it started holds a pipe open, so the pipe's end is the end of that, too."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(Late) as caught:
            run(["sh", "-c", f"exec 3>'{fifo}'; sleep 600 & sleep 600"], 1, shown=["a", "b c"])
        assert str(caught.value) == "no answer in 1 s: a 'b c'"
        assert select.select([reader], [], [], 20)[0], "somebody still has it open"
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_one_that_never_ends_what_it_says_is_ended() -> None:
    with pytest.raises(MachineError, match="more than 64 MiB said by: yes"):
        run(["yes"], timeout=60)


def test_what_is_given_arrives_whole_though_it_takes_its_time() -> None:
    given = "x" * (1 << 20)
    assert run(["sh", "-c", "sleep 1.2; cat"], 60, given).stdout == given


def test_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Absent, match=r"/nothing can't be started: No such file"):
        run([str(tmp_path / "nothing")], 60)


def test_one_that_has_to_succeed_says_its_last_words_and_what_mends_it() -> None:
    assert output(["printf", "fine"], 60, mend="mend it") == "fine"
    with pytest.raises(MachineError) as caught:
        output(["sh", "-c", "seq 9 >&2; exit 2"], 60, mend="mend it")
    assert str(caught.value) == "sh failed:\n  5\n  6\n  7\n  8\n  9\n  mend: mend it"
    with pytest.raises(MachineError) as caught:
        output(["false", "word"], 60)
    assert str(caught.value) == "false word failed with exit code 1"
