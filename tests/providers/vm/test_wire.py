"""Both ends of the wire, with a socket in the place of the port: no machine is needed for that."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from srv6lab.providers.vm.agent import Frames, HungUp, Session
from srv6lab.providers.vm.call import NO_MACHINE, Call
from srv6lab.providers.vm.machine import calling
from tests.machine import settles


def serve(listener: socket.socket) -> None:
    """A port's process, which serves whoever calls, one after the other."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(HungUp, OSError, ValueError, KeyError):
            Session(connection.fileno()).run()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The sockets of a machine with two ports, each served by a thread."""
    listeners = []
    for number in range(2):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.relpath(tmp_path / f"port{number}"))
        listener.listen(1)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        listeners.append(listener)
    yield tmp_path
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def run(folder: Path, *argv: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(calling(folder, argv), input=given, capture_output=True, timeout=60, check=False)


def sh(folder: Path, script: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return run(folder, "sh", "-c", script, given=given)


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_exit_codes_are_told_as_a_shell_tells_them(folder: Path, script: str, code: int) -> None:
    assert sh(folder, script).returncode == code


def test_output_and_errors_stay_apart(folder: Path) -> None:
    done = sh(folder, "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_words_arrive_as_they_were_given(folder: Path) -> None:
    words = ["a b", "", "$HOME", "it's", "\n", '"', "§ü"]
    done = run(folder, sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *words)
    assert json.loads(done.stdout) == words


@pytest.mark.parametrize(("name", "code"), [("/nowhere/at-all", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_run(folder: Path, name: str, code: int) -> None:
    done = run(folder, name)
    assert done.returncode == code
    assert done.stderr.decode().startswith(f"{name}: ")


def test_two_megabytes_there_and_back(folder: Path) -> None:
    """Neither end waits for the other with its hands full."""
    data = os.urandom(2 << 20)
    done = run(folder, "cat", given=data)
    assert done.stdout == data


def test_a_command_that_reads_nothing_ends_all_the_same(folder: Path) -> None:
    assert sh(folder, "exit 3", given=bytes(1 << 20)).returncode == 3


def test_a_command_that_closes_its_output_is_waited_for(folder: Path) -> None:
    before = time.monotonic()
    assert sh(folder, "exec >&- 2>&-; sleep 0.4; exit 5").returncode == 5
    assert time.monotonic() - before > 0.4


def test_one_at_a_time_on_a_port_and_the_next_finds_another(folder: Path) -> None:
    sleeper = subprocess.Popen(calling(folder, ["sleep", "60"]), stdin=subprocess.DEVNULL)
    try:
        assert settles(lambda: (folder / "lock0").exists())
        assert sh(folder, "echo two").stdout == b"two\n"
        assert (folder / "lock1").exists()
    finally:
        sleeper.kill()
        sleeper.wait()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # gone, or going while it is read
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_caller_that_dies_takes_its_command_with_it(folder: Path, number: signal.Signals) -> None:
    script = "sh -c 'echo $$; exec sleep 600' & echo $$; wait"
    caller = subprocess.Popen(
        calling(folder, ["sh", "-c", script]), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert caller.stdout
    pids = [int(caller.stdout.readline()) for _ in range(2)]
    assert all(map(alive, pids))
    caller.send_signal(number)
    caller.wait()
    assert settles(lambda: not any(map(alive, pids)))


def test_what_a_killed_caller_left_in_the_wire_harms_nobody(folder: Path) -> None:
    """Cut off in the middle of a frame that looks like a hello of its own."""
    first = Call(str(folder), 10)
    request = {"argv": ["cat"], "env": {}, "cwd": "/", "size": None}
    first.frames.send(b"R", json.dumps(request).encode())
    first.socket.sendall(b"I\0\0\xff\xff" + b"hello nobody\n" * 100)
    first.close()
    assert sh(folder, "echo mine").stdout == b"mine\n"


def test_a_hello_behind_half_a_frame_is_said_again(tmp_path: Path) -> None:
    """The port's process has not seen the first caller go: what comes next is taken for the frame's rest."""
    ours, theirs = socket.socketpair()
    frames = Frames(lambda: ours.recv(4096), ours.sendall)
    thread = threading.Thread(target=_serve_once, args=(theirs.fileno(),), daemon=True)
    thread.start()
    ours.sendall(b"hello one\n")
    frames.more()
    frames.send(b"R", json.dumps({"argv": ["cat"], "env": {}, "cwd": "/", "size": None}).encode())
    ours.sendall(b"\nhello two\n")  # no frame begins like that
    thread.join(10)
    assert not thread.is_alive(), "the session ends, so that the next hello finds a fresh one"


def _serve_once(port: int) -> None:
    with suppress(HungUp):
        Session(port).run()


def test_no_machine_is_said_with_a_code_of_its_own(tmp_path: Path) -> None:
    done = sh(tmp_path, "true")
    assert done.returncode == NO_MACHINE
    assert b"doesn't answer" in done.stderr


def test_a_machine_that_goes_meanwhile_is_said_so(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(tmp_path / "port0"))
    listener.listen(1)
    caller = subprocess.Popen(calling(tmp_path, ["true"]), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    connection, _ = listener.accept()
    hello = connection.recv(100).strip().split()[1]
    connection.sendall(b"left over from another\nready " + hello + b"\n")
    connection.recv(1000)
    connection.close()
    listener.close()
    assert caller.wait(10) == NO_MACHINE
    assert caller.stderr and b"has gone" in caller.stderr.read()


def in_terminal(argv: list[str], talk: Callable[[int, bytes], None]) -> tuple[int, bytes]:
    """Run a command in a terminal of its own, `talk` to it at each piece of output; exit code and output."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    said = b""
    with suppress(OSError):
        while select.select([master], [], [], 20)[0]:
            piece = os.read(master, 4096)
            if not piece:
                break
            said += piece
            talk(master, said)
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


@pytest.mark.parametrize(
    ("script", "act", "says"),
    [
        ("trap 'echo stopped; exit 9' INT", lambda terminal: os.write(terminal, b"\x03"), b"stopped"),
        ("trap 'stty size; exit 9' WINCH", lambda terminal: resize(terminal, 33, 101), b"33 101"),
        (
            'answer() { read -r line; echo "<$line>"; exit 9; }',
            lambda terminal: os.write(terminal, b"hi\r"),
            b"<hi>",
        ),
    ],
    ids=["Ctrl-C", "size", "typing"],
)
def test_a_terminal_gets_one_there(
    folder: Path, script: str, act: Callable[[int], object], says: bytes
) -> None:
    """What is typed reaches the command, Ctrl-C too, which ends the command and not the caller."""
    done = False

    def talk(terminal: int, said: bytes) -> None:
        nonlocal done
        if b"ready" in said and not done:
            done = True
            act(terminal)

    ready = f"answer() {{ :; }}; {script}; tty >/dev/null && echo ready"
    argv = ["sh", "-c", f"{ready}; answer; while :; do sleep 0.1; done"]
    code, said = in_terminal(calling(folder, argv), talk)
    assert (code, says in said) == (9, True), said


def resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
