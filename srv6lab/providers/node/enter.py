"""The way into a node: a process takes on the node's namespaces, loses what no node may do, and becomes a command.

As a script (`python3 -I -S enter.py PID COMMAND…`) it runs a command in the node that PID is the first process of, for
whoever needs a command line, with streams of the command's own (see streams.py). Commands of ours with pipes are begun by
usher.py, which takes no Python for each.

What the command's name leads to in the node is the lab's to say, and a name that leads to /proc/self/exe would be the
program that entered, which a lab could then write to. So it is started by an `env` that lies in sealed memory
(see env.py), and until that runs the process may not be looked into.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.abspath(f"{os.path.dirname(__file__)}/../../.."))

from srv6lab.providers.node import cgroups, env, streams
from srv6lab.providers.node.guard import guard, hidden
from srv6lab.providers.node.kernel import call
from srv6lab.providers.node.lean import signal

TYPE_CHECKING = False  # without typing, which takes longer to import than all else here
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

OUTSIDE = "-"  # in the place of a PID: the command gets into a node by itself, and its streams alone are looked after
_NAMESPACES = ("cgroup", "ipc", "uts", "net", "mnt")  # the way to /proc is needed until the last
_CANNOT_RUN = 127
_TOLD = ("TERM", "LANG", "LC_", "TZ", "COLUMNS", "LINES", "SRV6LAB_")


def told() -> dict[str, str]:
    """What of this process's environment is for a node: the terminal and the language, and no token of somebody's."""
    return {"HOME": "/root"} | {name: value for name, value in os.environ.items() if name.startswith(_TOLD)}


def become(pid: int, argv: Sequence[str], *, deaf: bool = False) -> NoReturn:
    """This process, a child of its own, waits for the command in the node and ends as that does; `deaf` to signals that
    the command gets, too, and may do something else than end by."""
    try:
        child = start(pid, lambda: run(pid, argv, told()))
    except OSError as error:
        say(cannot(error))
        os._exit(1)
    _wait(child, signal.SIG_IGN if deaf else signal.SIG_DFL)


def start(pid: int, work: Callable[[], NoReturn]) -> int:
    """A child of this process that is a process of the node, and does that work; nothing else of it is in there yet."""
    cgroups.join(pid)
    space = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
    try:
        call("setns", space, 0)
    finally:
        os.close(space)
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(_CANNOT_RUN)
    return child


def run(pid: int, argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Such a child goes the rest of the way, and becomes the command."""
    hidden()
    try:
        kept, program = _go(pid)
    except OSError as error:
        say(cannot(error))
        os._exit(1)
    try:
        streams.end_with_parent()
        for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and so would the command
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        streams.own_null()
        guard(kept)
        os.execve(program, ["env", *argv], {**environment})
    except BaseException as error:
        say(f"{argv[0] if argv else 'nothing'} can't be run in the node: {error}")
    os._exit(_CANNOT_RUN)


def cannot(error: OSError) -> str:
    return f"the node can't be entered: {error.strerror}: {error.filename or ''}"


def _go(pid: int) -> tuple[int, int]:
    """Into all of the node's namespaces: what its programs may do there, and an open `env`."""
    here = f"/proc/{pid}"
    kept, program = _bounding_set(f"{here}/status"), env.held(f"{here}/fd")
    root = os.open(f"{here}/root", os.O_PATH)
    for space in [os.open(f"{here}/ns/{name}", os.O_RDONLY) for name in _NAMESPACES]:
        call("setns", space, 0)
    os.fchdir(root)
    os.chroot(".")  # in a chroot the node's root is not its mount namespace's
    return kept, program


def _bounding_set(status: str) -> int:
    """What a node may do is what programs of its first process may."""
    with open(status, encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd:"))


def _wait(child: int, heard: signal.Handlers) -> NoReturn:
    """As a shell's child would: stopped when the command is, and ended as it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, heard)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.closerange(3, 65536)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(child, signal.SIGCONT)
        elif os.WIFSIGNALED(status):
            streams.die_by(os.WTERMSIG(status))
        else:
            os._exit(os.WEXITSTATUS(status))


def say(text: str) -> None:
    os.write(2, f"{text}\n".encode(errors="replace"))


if __name__ == "__main__":
    place, *command = sys.argv[1:]
    if place == OUTSIDE:
        streams.carried(lambda: os.execvp(command[0], command))
    else:
        streams.carried(lambda: become(int(place), command, deaf=True))
