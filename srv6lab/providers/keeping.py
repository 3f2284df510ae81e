"""This process's end of a keeper: starting it, hearing of its nodes, letting go of it, seeing it gone.

The keeper itself is keeper.py, a process of its own.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from srv6lab.errors import LabError, MachineError
from srv6lab.host.command import Begun, Completed, begin, to_the_end
from srv6lab.host.interrupts import held
from srv6lab.host.lock import hold, is_free
from srv6lab.host.requirements import IN_A_CONTAINER
from srv6lab.host.waiting import wait_until
from srv6lab.providers import rootless
from srv6lab.providers.node import cgroups, lean
from srv6lab.providers.node import enter as node_enter
from srv6lab.providers.process import Process, boot_id
from srv6lab.providers.state import Home, State
from srv6lab.providers.ushered import Ushered

_PATIENCE = 30.0
KEEPER = Path(__file__).with_name("keeper.py")
# Folders that nodes are shown beside programs and their settings, with `:` between.
SHOW = "SRV6LAB_SHOW"
ROOTS = "roots"  # the folder of an instance below which its nodes have theirs
_LEAST_SPACE, _MOST_SPACE = 64 << 20, 1 << 30  # bytes that a node may write
NODE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Keeper:
    """This process's end of a keeper: the lab dies when it is closed without `stay`. `roots` are what each
    node's root is laid over, and those in `bpf` may load eBPF programs."""

    def __init__(self, home: Home, roots: Mapping[str, Path], bpf: Collection[str] = ()) -> None:
        self._home = home
        scratch, self._errors = home.path / ROOTS, home.path / "keeper.log"
        home.own(scratch.name, self._errors.name)
        scratch.mkdir(parents=True, exist_ok=True)
        self._buffer = b""
        with held():
            self._popen = start(home, self._errors, rootless.begin())
            _begun[home.path] = self
        assert self._popen.stdin and self._popen.stdout
        self._in, self._out = self._popen.stdin, self._popen.stdout
        self._tell(lean.line(order(home, roots, bpf)))
        answer = self._answer()
        self.process = Process(answer["keeper"], answer["start"])

    def nodes(self, names: Sequence[str]) -> dict[str, Process]:
        found = {}
        for _ in names:
            answer = self._answer()
            found[answer["node"]] = Process(answer["pid"], answer["start"])
        return {name: found[name] for name in names}

    def stay(self) -> None:
        with held():  # what has heard it is known by the state from then on
            self._tell(b"stay\n")
            self.end()
            _begun.pop(self._home.path, None)

    def end(self) -> None:
        """Let go of it: without `stay` it dies."""
        for file in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):  # the keeper is gone, and what was still to be written to it with it
                if file:
                    file.close()
        self._popen.wait()

    def _tell(self, line: bytes) -> None:
        try:
            self._in.write(line)
            self._in.flush()
        except BrokenPipeError:
            raise MachineError(f"the nodes' keeper died: {self._said() or 'no word'}") from None

    def _answer(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._out], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._out.fileno(), 65536) if ready else b""
            if not chunk:
                raise MachineError(
                    f"the nodes can't be started: {self._said() or 'no answer'}",
                    f"run it as root, on a kernel with namespaces and overlayfs; {IN_A_CONTAINER}",
                )
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MachineError(
                f"a node can't be started: {answer['error']}", "run it as root, on a kernel with namespaces"
            )
        return answer

    def _said(self) -> str:
        """Of a keeper that failed where it says so in no words of its own, the error alone."""
        said = self._errors.read_text("utf-8", "replace").strip()
        return said.rpartition("\n")[2] if said.startswith("Traceback") else said


def start(home: Home, errors: Path, within: Sequence[str], *words: str) -> subprocess.Popen[bytes]:
    """A keeper's program, in what the beginning of its command line enters; it holds the instance's `alive` file."""
    with alive_file(home) as alive, errors.open("wb") as told:
        return subprocess.Popen(
            [*within, sys.executable, "-I", "-S", str(KEEPER), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            pass_fds=[alive.fileno()],
            start_new_session=True,
            env=node_enter.told(),
        )


def order(home: Home, roots: Mapping[str, Path], bpf: Collection[str]) -> dict[str, Any]:
    """What the keeper of an instance is told to make."""
    group = cgroups.group(str(home.path.resolve())) if roots else ""
    return {**order_in(home.path / ROOTS, roots, bpf), "group": group}


def order_in(scratch: Path, roots: Mapping[str, Path], bpf: Collection[str]) -> dict[str, Any]:
    """The same for a keeper of no instance, which is bounded by no group."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return {
        "scratch": str(scratch.resolve()),
        "group": "",
        "more": [one for one in os.environ.get(SHOW, "").split(":") if one.startswith("/")],
        "size": max(_LEAST_SPACE, min(_MOST_SPACE, memory // max(1, len(roots)))),
        "nodes": {name: {"root": str(root), "bpf": name in bpf} for name, root in roots.items()},
    }


def enter(node: Process, *, guarded: bool = True, typed: bool = False) -> tuple[str, ...]:
    """The beginning of a command line that runs what follows, `env` and its arguments, in a node. Where another kernel is
    round the lab it need not be guarded, which takes a Python. `typed` by somebody, its streams are his files and terminal."""
    # --root as well: in a chroot the node's root is not its mount namespace's.
    namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd")
    user = rootless.within(node.pid)
    if guarded and not user:
        return sys.executable, "-I", "-S", node_enter.__file__, str(node.pid)
    carried = (sys.executable, "-I", "-S", node_enter.__file__, node_enter.OUTSIDE) if typed else ()
    return (*carried, *user, "nsenter", "--target", str(node.pid), *namespaces, "--", "env")


def begin_in(node: Process, argv: Sequence[str], *, given: bool = False) -> Begun:
    """Begin `env` with these arguments in a node, with pipes: `given`, to its standard input, too."""
    if not rootless.within(node.pid):
        return Ushered(node, argv, given=given)
    return begin([*enter(node), *argv], given=given)


def run_in(
    node: Process, argv: Sequence[str], timeout: float | None = None, given: str | None = None
) -> Completed:
    """Run `env` with these arguments in a node."""
    start = partial(begin_in, node, argv, given=given is not None)
    return to_the_end(start, argv, timeout, given)


# Keepers that this process holds: an interrupt may come before anyone has a name for one.
_begun: dict[Path, Keeper] = {}


def let_go(home: Home) -> None:
    """End the keeper that this process began for the instance and hasn't told to stay."""
    if keeper := _begun.pop(home.path, None):
        keeper.end()


def alive_file(home: Home) -> IO[bytes]:
    """A file that the keeper and all that it keeps hold locked as long as they live."""
    file = home.alive.open("ab")
    hold(file, shared=True, wait=True)
    return file


@contextmanager
def keeping(home: Home, roots: Mapping[str, Path], bpf: Collection[str] = ()) -> Iterator[Keeper]:
    """A keeper that stays if what is done with it succeeds, and else is gone with all that it kept."""
    keeper = Keeper(home, roots, bpf)
    try:
        yield keeper
    except BaseException:
        let_go(home)
        wait_for_the_end(home)
        raise
    keeper.stay()


def end(home: Home, state: State | None) -> None:
    """End the keeper that this process began, or that the state names, and all that it keeps."""
    let_go(home)
    if state and state.provider_data:
        boot, keeper = state.read_data(lambda data: (data["boot"], Process(*data["keeper"])), by_hand(state))
        if boot == boot_id():
            keeper.kill()
    wait_for_the_end(home)


def by_hand(state: State) -> str:
    """How to mend a state that isn't as it was written."""
    return f"remove .srv6lab/{state.instance} by hand once none of its processes runs"


def wait_for_the_end(home: Home) -> None:
    """Until no process holds the instance's `alive` file: then the kernel has taken everything away."""
    try:
        file = home.alive.open("rb")
    except FileNotFoundError:
        return
    with file:
        if not wait_until(lambda: is_free(file), _PATIENCE, 0.005):
            raise LabError(
                f"processes of {home.path.name} still hold {home.alive}",
                f"fuser -v {shlex.quote(str(home.alive))} names them",
            )
    cgroups.remove(cgroups.group(str(home.path.resolve())))
