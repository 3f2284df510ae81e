"""Commands in nodes, as the process that begins them all brings them there: what they came to, and that they end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest

from srv6lab.errors import MachineError
from srv6lab.host.command import Completed, Late
from srv6lab.host.waiting import at_once, wait_until
from srv6lab.providers import ushered
from srv6lab.providers.keeping import NODE_PATH, begin_in, run_in
from srv6lab.providers.netns import Data
from srv6lab.providers.process import Process
from tests.conftest import LABS, Up

PATH = f"PATH={NODE_PATH}"


@pytest.fixture(scope="module")
def node(labs_up: Callable[[str], Up]) -> Process:
    return next(iter(Data.of(labs_up(LABS[0]).running.state).nodes.values()))


def in_node(node: Process, script: str, timeout: float = 60, given: str | None = None) -> Completed:
    return run_in(node, [PATH, "sh", "-c", script], timeout, given)


def test_its_output_its_errors_and_its_end(node: Process) -> None:
    done = in_node(node, "cat; echo no >&2; printf 'a\\r\\nb'; exit 3", given="given\n")
    assert done == Completed(3, "given\na\nb", "no\n")
    assert in_node(node, "kill -TERM $$").exit_code == -signal.SIGTERM
    assert run_in(node, [PATH, "/nothing"], 60).exit_code == 127


def test_nothing_given_is_nothing_to_read(node: Process) -> None:
    assert in_node(node, "cat; readlink /proc/self/fd/0") == Completed(0, "/dev/null\n", "")


def test_words_and_environment_arrive_as_they_are(node: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRV6LAB_ADDED", "a=b\nc é")
    monkeypatch.setenv("SECRET", "of this machine")
    words = ["", "a b", "é\n", "x" * 100_000]
    done = run_in(node, [PATH, "sh", "-c", 'printf "%s|" "$SRV6LAB_ADDED" "$SECRET" "$@"', "sh", *words], 60)
    assert done.stdout == "|".join(["a=b\nc é", "", *words]) + "|"


def test_much_is_said_and_given(node: Process) -> None:
    given = "x" * (1 << 20)
    assert in_node(node, "cat; cat /dev/null >&2", given=given).stdout == given


def test_many_at_once_each_with_an_end_of_its_own(node: Process) -> None:
    done = at_once(lambda code: in_node(node, f"sleep 0.0{code}; echo {code}; exit {code}"), [*range(9)])
    assert done == [Completed(code, f"{code}\n", "") for code in range(9)]


def test_a_late_one_is_ended_with_all_that_it_started(node: Process) -> None:
    began = begin_in(node, [PATH, "sh", "-c", "sleep 600 & echo $!; wait"])
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        began.communicate(None, 1)
    sleeping = int(caught.value.output)
    assert in_node(node, f"kill -0 {sleeping}").exit_code == 0
    began.kill()
    assert wait_until(lambda: in_node(node, f"kill -0 {sleeping}").exit_code, 20, 0.05)
    with pytest.raises(Late, match=r"^no answer in 0\.5 s: PATH=\S+ sh -c 'sleep 600'$"):
        in_node(node, "sleep 600", timeout=0.5)


def test_its_end_is_seen_without_waiting(node: Process) -> None:
    began = begin_in(node, [PATH, "sh", "-c", "read line; exit 4"], given=True)
    assert began.poll() is None
    assert began.stdin
    began.stdin.close()
    assert wait_until(lambda: began.poll() is not None, 20, 0.01)
    assert (began.poll(), began.communicate()) == (4, ("", ""))


def test_an_interrupt_ends_it(node: Process) -> None:
    threading.Timer(0.5, partial(os.kill, os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        in_node(node, "exec sleep 6001")
    assert wait_until(lambda: in_node(node, "pgrep -f 'sleep 600[1]'").exit_code == 1, 20, 0.05)


def test_one_that_is_ended_by_somebody_is_followed_by_another(node: Process) -> None:
    """What it was bringing is an error, and the next command finds a new one."""
    began = begin_in(node, [PATH, "sleep", "600"])
    assert ushered._usher
    first = ushered._usher._popen
    first.kill()
    with pytest.raises(MachineError, match="what brings commands into nodes was ended"):
        began.communicate(None, 20)
    assert in_node(node, "echo here").stdout == "here\n"
    assert ushered._usher._popen.pid != first.pid


def test_a_node_that_is_gone_is_told(node: Process) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    done = run_in(Process(ended.pid, 0), ["true"], 60)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("the node can't be entered: No such file or directory: /proc/")
    assert in_node(node, "echo here").stdout == "here\n"


_KILLED = """
import os, signal, sys
from srv6lab.providers.keeping import NODE_PATH, begin_in
from srv6lab.providers.process import Process

began = begin_in(Process(int(sys.argv[1]), 0), [f"PATH={NODE_PATH}", "sh", "-c", "echo begun; exec sleep 600"])
while b"begun" not in b"".join(map(bytes, began._said.values())):
    began._hear(None)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_is_killed_leaves_no_command_of_his(node: Process) -> None:
    """Its standard error is a pipe that all of it holds: so its end is theirs."""
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(node.pid)], stderr=subprocess.PIPE) as killed:
        assert killed.stderr
        assert killed.wait(60) == -signal.SIGKILL
        assert select.select([killed.stderr], [], [], 20)[0], "somebody still has it open"
        assert killed.stderr.read() == b""
