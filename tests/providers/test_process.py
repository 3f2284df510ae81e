"""A process that is still the same one, and no other with its PID."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from srv6lab.providers.process import Process, boot_id

GONE = 2**22 + 1  # above the largest pid_max that Linux has


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as popen:
        yield popen
        popen.kill()


def process_of(popen: subprocess.Popen[bytes]) -> Process:
    found = Process.of(popen.pid)
    assert found
    return found


def test_a_process_is_itself(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    assert found.alive()
    assert Process(*found.pair) == found == Process.of(sleeper.pid)


def test_a_pid_that_nobody_has_is_no_process() -> None:
    assert Process.of(GONE) is None
    assert not Process(GONE, 1).alive()


def test_another_process_with_the_pid_is_not_the_one(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    assert not Process(found.pid, found.start - 1).alive()


def test_another_process_with_the_pid_is_not_killed(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    Process(found.pid, found.start - 1).kill()
    assert found.alive()


def test_kill_waits_for_the_end(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    found.kill()
    assert not found.alive()
    assert sleeper.wait() == -signal.SIGKILL


def test_another_signal_is_handed_on() -> None:
    """The answer comes with the signal, before or after the program waits for it; then it is killed."""
    program = (
        "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'heard\\n'));"
        "print('ready', flush=True)\nwhile True: signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as popen:
        try:
            assert popen.stdout
            assert popen.stdout.readline() == b"ready\n"
            process_of(popen).kill(signal.SIGUSR1)
            assert popen.stdout.readline() == b"heard\n"
        finally:
            popen.kill()


def test_killing_what_is_gone_is_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    sleeper.kill()
    sleeper.wait()
    found.kill()
    Process(GONE, 1).kill()


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    found = process_of(sleeper)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not found.alive()


def test_a_name_with_parentheses_and_spaces_changes_nothing() -> None:
    program = "open('/proc/self/comm', 'w').write('a) Z 7 (b'); print('ready', flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe) as popen:
        assert popen.stdout
        popen.stdout.readline()
        found = process_of(popen)
        assert found.alive()
        assert found.start > 7
        popen.kill()


def test_the_boot_has_a_name() -> None:
    assert len(boot_id()) == 36
    assert boot_id() == boot_id()
