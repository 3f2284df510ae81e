"""A command that is told to stop cleans up first, with real processes and real signals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

STOPS = [signal.SIGTERM, signal.SIGHUP]
BEGIN = """
import signal, sys, threading, time
from pathlib import Path
from srv6lab.errors import code_of
from srv6lab.host.interrupts import held, listen, over
listen()
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()  # signals may come to it
out = Path(sys.argv[1])
def say(word):
    with out.open("a") as file:
        file.write(word + " ")
"""
PATIENT = """
try:
    with held():
        print("begun", flush=True)
        time.sleep(0.3)
        say("whole")
    time.sleep(30)
    say("late")
except KeyboardInterrupt as error:
    print("cleaning up", flush=True)
    sys.stderr.write("on both streams"); sys.stderr.flush()
    time.sleep(0.3)
    say("clean")
    over()
    print("over", flush=True)
    time.sleep(0.3)
    raise SystemExit(code_of(error))
"""


def begin(program: str, out: Path, **options: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", BEGIN + program, str(out)]
    return subprocess.Popen(argv, cwd=REPOSITORY, text=True, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_what_is_held_is_done_whole_and_then_cleaned_up(number: int, code: int, tmp_path: Path) -> None:
    with begin(PATIENT, tmp_path / "out", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as popen:
        assert popen.stdout and popen.stdout.readline() == "begun\n"
        popen.send_signal(number)
        assert popen.stdout.readline() == "cleaning up\n"
        for again in STOPS:  # said twice, it is no reason to stop cleaning up
            popen.send_signal(again if number != signal.SIGINT else 0)
        assert popen.stdout.readline() == "over\n"
        popen.send_signal(number)
        assert popen.wait(20) == code
    assert (tmp_path / "out").read_text() == "whole clean "


def test_a_terminal_that_is_closed_is_cleaned_up_after(tmp_path: Path) -> None:
    """What is said then goes nowhere, and is no error."""
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    lead = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    with begin(lead + PATIENT, tmp_path / "out", start_new_session=True, **streams) as popen:
        os.close(theirs)
        said = b""
        while b"\n" not in said:
            said += os.read(ours, 100)
        os.close(ours)
        assert popen.wait(20) == 129
    assert (tmp_path / "out").read_text() == "whole clean "


def test_what_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    program = (
        "import os; os.kill(os.getpid(), signal.SIGHUP); say('on'); os.kill(os.getpid(), signal.SIGTERM)"
    )
    argv = ["nohup", sys.executable, "-c", BEGIN + program, str(tmp_path / "out")]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=20)
    assert "Stopped" in done.stderr and (tmp_path / "out").read_text() == "on "


HOLDING = """
holds, done = threading.Event(), threading.Event()
def hold():
    with held():
        holds.set()
        done.wait(10)
threading.Thread(target=hold).start()
holds.wait(10)
try:
    signal.raise_signal(signal.SIGINT)
    say("waited")
except KeyboardInterrupt:
    say("heard")
done.set()
over()
"""


def test_no_signal_waits_for_what_another_thread_holds(tmp_path: Path) -> None:
    """No other thread hears any, so nothing of it can be cut in two."""
    argv = [sys.executable, "-c", BEGIN + HOLDING, str(tmp_path / "out")]
    subprocess.run(argv, cwd=REPOSITORY, check=True, timeout=20)
    assert (tmp_path / "out").read_text() == "heard "


@pytest.mark.parametrize(("last", "code"), [("over()", 1), ("", -signal.SIGINT)])
def test_ctrl_c_while_a_text_was_executed_is_an_answer_of_ours(last: str, code: int, tmp_path: Path) -> None:
    """As of the class that `dataclasses` makes. With `-m` Python then ends by the signal, whatever was answered."""
    program = f"""
import sys
from srv6lab.host.interrupts import over
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    {last or "pass"}
sys.exit(1)
"""
    (tmp_path / "interrupted.py").write_text(program)
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    assert subprocess.run([sys.executable, "-m", "interrupted"], env=env).returncode == code
