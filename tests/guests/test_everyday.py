"""Bad days: a small lab is brought up, checked and taken away on a machine that lacks something, by whom a signal reaches, or
whose clock jumps. All goes well or is told; a verdict is never wrong, and nothing is left."""

from __future__ import annotations

import os
import pty
import random
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY, sampled, tool
from tests.guests.lab import Typed, ended

CONDITIONS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("conditions.yml").read_text())
VERBS = ("up", "check", "destroy")
SIGNALS = int(os.environ.get("SRV6LAB_SIGNALS", "3"))  # of each kind, to each command
FAILED = (1, 3)
LONGEST = 300.0


def tried(lab: Typed, one: dict[str, Any], place: Path) -> dict[str, tuple[int, str]]:
    """Exit code and all that was said, by command."""
    for name in ("said", "w"):
        (place / name).mkdir()
    lines = ["mkdir -p .srv6lab", f"export W={place}/w", one.get("before", "")]
    for verb in VERBS:
        streams = f">{place}/said/{verb}.out 2>{place}/said/{verb}.err {one.get('streams', '')}"
        lines += [f"{shlex.join(lab.line(verb))} {streams}", f"echo $? >{place}/said/{verb}.code"]
    end = shlex.join(lab.line("destroy", "--purge"))
    lines += [
        one.get("more", ""),
        f"{end} >{place}/said/end.out 2>{place}/said/end.err </dev/null",
        "exit $?",
    ]
    done = subprocess.run(["unshare", "--mount", "bash", "-c", "\n".join(lines)], cwd=REPOSITORY)
    assert done.returncode == 0, (place / "said/end.err").read_text()
    read = {path.name: path.read_text("utf-8", "replace") for path in (place / "said").iterdir()}
    return {verb: (int(read[f"{verb}.code"]), read[f"{verb}.out"] + read[f"{verb}.err"]) for verb in VERBS}


def _chosen() -> list[Any]:
    return sampled([name for name, one in CONDITIONS.items() if not one.get("long")], 6) + [
        pytest.param(name, marks=pytest.mark.prove) for name, one in CONDITIONS.items() if one.get("long")
    ]


@pytest.mark.parametrize("name", _chosen())
def test_a_bad_day(name: str, lab: Typed, tmp_path: Path) -> None:
    one = CONDITIONS[name]
    for verb, (code, said) in tried(lab, one, tmp_path).items():
        assert "Traceback" not in said and "internal error" not in said, (verb, said)
        assert code == 0 or (one.get("may_fail") and code in FAILED and said.strip()), (verb, code, said)


@pytest.mark.prove
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("verb", VERBS)
def test_a_signal(verb: str, number: signal.Signals, lab: Typed) -> None:
    """At any moment of the second half: in the first Python itself starts on a busy machine."""
    dice, whole = random.Random(f"{verb} {number}"), 0.0
    for _ in range(SIGNALS + 1):
        if verb != "up":
            assert lab.type("up").returncode == 0
        began, popen = time.monotonic(), lab.begin(verb)
        if whole:
            time.sleep(dice.uniform(whole / 2, whole))
            popen.send_signal(number)
        done = ended(popen)
        stopped = 1 if number == signal.SIGINT else 128 + number
        assert done.returncode in (0, stopped, 3 if verb == "check" else 0), done
        whole = whole or time.monotonic() - began
        assert lab.type("destroy").returncode in (0, 1)
        assert lab.left() == []


@pytest.mark.parametrize("verb", [pytest.param("up", marks=pytest.mark.prove), "check"])
def test_a_command_that_is_stopped_for_a_while(verb: str, lab: Typed) -> None:
    """Ctrl-Z and `fg`, typed at a terminal."""
    if verb != "up":
        assert lab.type("up").returncode == 0
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(REPOSITORY)
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    try:
        heard = _hear(terminal, "# ")
        os.write(terminal, f"{shlex.join(lab.line(verb))}\n".encode())
        time.sleep(0.7)
        os.write(terminal, b"\x1a")
        heard += _hear(terminal, "Stopped")
        time.sleep(1.5)
        os.write(terminal, b"fg; echo ended with $?.\n")
        heard += _hear(terminal, "ended with 0.\r", "ended with 3.\r", "ended with 1.\r", "ended with 4.\r")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    assert "Traceback" not in heard
    assert "ended with 0." in heard or (verb == "check" and "ended with 3." in heard), heard
    assert lab.type("check").returncode in (0, 3)


def _hear(terminal: int, *words: str) -> str:
    """What a terminal says until one of these."""
    said, deadline = "", time.monotonic() + LONGEST
    while not any(word in said for word in words):
        ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, said
        said += os.read(terminal, 65536).decode(errors="replace")
    return said


@pytest.fixture
def jumping(tmp_path: Path) -> dict[str, str]:
    """The environment of programs whose time of day has the seconds added that a file says."""
    library = tmp_path / "jump.so"
    source = Path(__file__).with_name("jump.c")
    subprocess.run([tool("clang"), "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "JUMP": str(tmp_path / "seconds")}


@pytest.mark.prove
@pytest.mark.parametrize("hours", [5, -5, 200_000])
def test_a_clock_that_jumps(hours: int, lab: Typed, jumping: dict[str, str]) -> None:
    """While `up`, `check` and `destroy` are at work, for the command and what it starts here: the kernel stamps packets by
    another one, and nodes have that, too."""
    lab.environment, seconds = jumping, Path(jumping["JUMP"])
    for verb in VERBS:
        seconds.write_text("0")
        popen = lab.begin(verb)
        time.sleep(0.8)
        seconds.write_text(str(3600 * hours))
        assert ended(popen).returncode in ((0, 3) if verb == "check" else (0,)), verb
    when = [sys.executable, "-c", "import time; print(time.time())"]
    said = subprocess.run(when, env={**os.environ, **jumping}, capture_output=True, text=True, check=True)
    assert abs(float(said.stdout) - time.time() - 3600 * hours) < 60, "the clock did not jump"
