"""What a node's command is handed: nothing of this machine's that it could open anew, change or keep."""

from __future__ import annotations

import os
import pty
import select
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, need_root, tool
from tests.guests.lab import Typed

NODE = "gate"
NULL = Path("/dev/null")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typed]:
    need_root()
    one = Typed(tmp_path_factory.mktemp("streams"))
    assert one.type("up").returncode == 0
    yield one
    assert one.type("destroy", "--purge").returncode == 0


def line(lab: Typed, script: str) -> list[str]:
    return lab.line("exec", "--node", NODE, "--", "bash", "-c", script)


def run(lab: Typed, script: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(line(lab, script), cwd=REPOSITORY, **streams)  # type: ignore[call-overload,no-any-return]


def test_a_device_of_this_machine_is_not_the_nodes_to_change(lab: Typed) -> None:
    mode = stat.S_IMODE(NULL.stat().st_mode)
    try:
        done = run(
            lab, "chmod 1606 /proc/self/fd/[012]; stat -Lc %a /dev/null", stdin=subprocess.DEVNULL, stderr=2
        )
        assert done.returncode == 0
        assert stat.S_IMODE(NULL.stat().st_mode) == mode
    finally:
        NULL.chmod(mode)


def test_a_file_that_is_read_is_not_written(lab: Typed, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_bytes(b"one\ntwo\n")
    with file.open("rb") as given:
        run(lab, "echo stolen >/proc/self/fd/0; chmod 0 /proc/self/fd/0; true", stdin=given)
    assert file.read_bytes() == b"one\ntwo\n" and file.stat().st_mode & 0o600


def test_a_file_that_is_written_is_not_read_or_cut(lab: Typed, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"before\n")
    with file.open("ab") as taken:
        run(lab, "timeout 1 cat /proc/self/fd/1 >/tmp/seen; : >/proc/self/fd/1; echo after", stdout=taken)
    assert file.read_bytes() == b"before\nafter\n"
    assert b"before" not in run(lab, "cat /tmp/seen", stdout=subprocess.PIPE).stdout


def test_files_come_and_go_whole_and_what_was_not_read_is_left(lab: Typed, tmp_path: Path) -> None:
    given, taken = tmp_path / "in", tmp_path / "out"
    given.write_bytes(bytes(range(256)) * 8192)
    with given.open("rb") as source, taken.open("wb") as sink:
        assert run(lab, "cat; exit 9", stdin=source, stdout=sink).returncode == 9
    assert taken.read_bytes() == given.read_bytes()
    with given.open("rb", buffering=0) as source:
        run(lab, "head -c 100 >/dev/null", stdin=source)
        assert source.tell() <= 4096, "what follows in a loop of the shell would miss its lines"


def typed(argv: list[str], keys: bytes) -> tuple[str, int]:
    """At a terminal, keys typed once it has said `ready`: what it says, and how it ends."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(REPOSITORY)
        os.execv(argv[0], argv)
    said, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline and select.select([terminal], [], [], 60)[0]:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        if b"ready" in said and keys:
            os.write(terminal, keys)
            keys = b""
    os.close(terminal)
    return said.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_terminal_is_another_one(lab: Typed) -> None:
    """Its number isn't ours, keys arrive, and the window has the size that ours has."""
    script = "stat -Lc 'number %t:%T' /proc/self/fd/0 /dev/tty; stty size; echo ready; read word; echo got $word; exit 5"
    around = [tool("bash"), "-c", 'stty -g; "$@"; code=$?; stty -g; exit $code', "bash"]
    said, code = typed([*around, *line(lab, script)], b"key\n")
    assert code == 5 and "got key" in said and "0 0" in said, said
    settings = [word for word in said.split() if word.count(":") > 10]
    assert len(settings) == 2 and settings[0] == settings[1], "the terminal isn't what it was"
    ours = [word for word in said.split() if word.count(":") == 1]
    assert len(ours) == 2, said
    held = {
        f"{os.major(one.st_rdev):x}:{os.minor(one.st_rdev):x}"
        for one in map(os.stat, Path("/dev/pts").iterdir())
    }
    assert ours[0] not in held, "a terminal that this machine still has"


def test_an_interrupt_at_a_terminal_is_the_commands(lab: Typed) -> None:
    said, code = typed(line(lab, "trap 'echo heard; exit 3' INT; echo ready; sleep 30 & wait"), b"\x03")
    assert "heard" in said and code == 3, said


def test_who_kills_it_means_the_command(lab: Typed) -> None:
    popen = subprocess.Popen(
        line(lab, "echo begun; exec sleep 987654"), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert popen.stdout and popen.stdout.readline() == b"begun\n"
    popen.send_signal(signal.SIGTERM)
    popen.communicate(timeout=30)
    assert run(lab, "! pgrep -f 'sleep 98765[4]'").returncode == 0
