"""What a node's command is handed: nothing of this machine's that it could open anew, change or keep."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srv6lab.providers.netns import Data
from srv6lab.providers.node import env
from tests.conftest import REPOSITORY, need_root, tool
from tests.guests.lab import Typed

NODE = "gate"
NULL = Path("/dev/null")
F_ADD_SEALS = 1033


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


def test_the_program_that_enters_is_nobodys_to_change(lab: Typed) -> None:
    """Not even this machine's root's: a lab that got hold of it would find a seal where nothing else stops it."""
    state = lab.home.read()
    assert state
    process = Data.of(state).nodes[NODE]
    held = Path(f"/proc/{process.pid}/fd").iterdir()
    (memory,) = [file for file in held if f"memfd:{env.NAME} " in str(file.readlink())]
    with memory.open("r+b", buffering=0) as program:
        with pytest.raises(PermissionError):
            program.write(b"#!/bin/false")
        for length in (0, 1 << 30):
            with pytest.raises(PermissionError):
                program.truncate(length)
        with pytest.raises(PermissionError):
            fcntl.fcntl(program, F_ADD_SEALS, 0x10)


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
    outside = "stat -Lc 'outside %t:%T' /proc/self/fd/0"
    around = [tool("bash"), "-c", f'{outside}; stty -g; "$@"; code=$?; stty -g; exit $code', "bash"]
    said, code = typed([*around, *line(lab, script)], b"key\n")
    assert code == 5 and "got key" in said and "0 0" in said, said
    settings = [word for word in said.split() if word.count(":") > 10]
    assert len(settings) == 2 and settings[0] == settings[1], "the terminal isn't what it was"
    outer, *inner = [word for word in said.split() if re.fullmatch("[0-9a-f]+:[0-9a-f]+", word)]
    assert len(inner) == 2 and outer not in inner, said


def test_an_interrupt_at_a_terminal_is_the_commands(lab: Typed) -> None:
    said, code = typed(line(lab, "trap 'echo heard; exit 3' INT; echo ready; sleep 30 & wait"), b"\x03")
    assert "heard" in said and code == 3, said


def test_it_stops_and_goes_on_as_a_job_of_a_shell(lab: Typed) -> None:
    """Ctrl-Z gives the shell back its terminal as it was, and `fg` the command."""
    script = "trap 'echo continued $((1))' CONT; echo begun; read word; echo got $word; exit 7"
    with Shell() as shell:
        shell.type("stty -g >/tmp/$$; echo as it was $((1))")
        shell.hear("as it was 1")
        shell.type(shlex.join(line(lab, script)))
        shell.hear("begun\n")
        shell.keys("\x1a")
        shell.hear("Stopped")
        shell.type("stty -g | cmp - /tmp/$$ && rm /tmp/$$ && echo the same $((1))")
        shell.hear("the same 1")
        shell.type("fg; echo ended with $?.")
        shell.hear("continued 1")
        shell.keys("word\n")
        shell.hear("got word")
        shell.hear("ended with 7.")


def test_in_the_background_it_works_and_leaves_the_keys_to_the_shell(lab: Typed) -> None:
    script = "echo begun; sleep 1; while [ ! -e /tmp/go ]; do sleep 0.1; done; rm /tmp/go; echo worked; read word; echo got $word"
    with Shell() as shell:
        shell.type(shlex.join(line(lab, script)))
        shell.hear("begun\n")
        shell.keys("\x1a")
        shell.hear("Stopped")
        shell.type("bg")
        shell.type(f"{shlex.join(lab.line('exec', '--node', NODE, '--', 'touch', '/tmp/go'))} </dev/null")
        shell.hear("worked\n")
        shell.type("fg")
        shell.hear("read word")  # bash says what it brings back
        time.sleep(0.5)
        shell.keys("word\n")
        shell.hear("got word")


def test_without_a_terminal_a_command_that_stops_stops_nobody(lab: Typed) -> None:
    popen = subprocess.Popen(
        line(lab, "kill -STOP $$; echo went on"),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert popen.communicate(timeout=60)[0] == b"went on\n"


def test_what_is_piped_stops_and_goes_on(lab: Typed, tmp_path: Path) -> None:
    """In a job of a shell that reads from a file."""
    given = tmp_path / "words"
    given.write_text("word\n")
    with Shell() as shell:
        words = line(lab, "echo begun; sleep 1; read word; echo got $word")
        shell.type(f"{shlex.join(words)} <{given} | cat")
        shell.hear("begun\n")
        shell.keys("\x1a")
        shell.hear("Stopped")
        shell.type("fg")
        shell.hear("got word")


class Shell:
    """An interactive bash at a terminal of its own."""

    def __enter__(self) -> Shell:
        self.said = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(REPOSITORY)
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)

    def keys(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def type(self, line: str) -> None:
        self.keys(f"{line}\n")

    def hear(self, word: str) -> None:
        """Until it says so; what it said until then is done with."""
        deadline = time.monotonic() + 60
        while word not in self.said:
            assert select.select([self.terminal], [], [], deadline - time.monotonic())[0], self.said
            self.said += os.read(self.terminal, 65536).decode(errors="replace").replace("\r", "")
        self.said = self.said.partition(word)[2]


def test_who_kills_it_means_the_command(lab: Typed) -> None:
    popen = subprocess.Popen(
        line(lab, "echo begun; exec sleep 987654"), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert popen.stdout and popen.stdout.readline() == b"begun\n"
    popen.send_signal(signal.SIGTERM)
    popen.communicate(timeout=30)
    assert run(lab, "! pgrep -f 'sleep 98765[4]'").returncode == 0
