"""A throwaway node, made exactly as a lab's are: it ends with this process, and nothing of it is on the disk."""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srv6lab.errors import MachineError
from srv6lab.providers import rootless
from srv6lab.providers.keeping import KEEPER, NODE_PATH, enter, order_in
from srv6lab.providers.netns import install_srconf
from srv6lab.providers.node import lean
from srv6lab.providers.process import Process

from .probes import SETUP, Probe

_HERE = Path(__file__).resolve().parent
_PATIENCE = 10.0
_COMMAND = 5
Commands = Sequence[Sequence[str]]


@contextmanager
def throwaway() -> Iterator[Process]:
    """A node as long as the block lasts; MachineError if this machine can't make one."""
    popen = subprocess.Popen(
        [*rootless.begin(), sys.executable, "-I", "-S", str(KEEPER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    begun: list[Process] = []
    try:
        yield _node(popen, begun)
    finally:
        for file in (popen.stdin, popen.stdout, popen.stderr):
            with suppress(OSError):
                if file:
                    file.close()  # it was never told to stay, so this is its end
        popen.wait()
        for keeper in begun:
            keeper.kill()


@dataclass(frozen=True, slots=True)
class Tried:
    """What commands came to: whether all of them worked, and what they said until one didn't."""

    ok: bool
    said: str


def try_out(node: Process, probes: Sequence[Probe]) -> list[Tried]:
    """What came of each probe in the node, in their order. A command that hangs gets five seconds."""
    install_srconf(node)
    done = subprocess.run(
        [*enter(node), f"PATH={NODE_PATH}", "LC_ALL=C", "bash", "-s"],
        input=_trial(SETUP) + "".join(_trial(probe.commands) for probe in probes),
        capture_output=True,
        text=True,
        errors="replace",
    )
    *cells, rest = done.stdout.split("\0")
    if rest or len(cells) != 2 * len(probes) + 2:
        raise MachineError(f"a node can't be entered: {done.stderr.strip() or done.returncode}")
    pairs = zip(cells[::2], cells[1::2], strict=True)
    setup, *found = (Tried(code == "0", _said(code, " ".join(said.split()))) for code, said in pairs)
    if not setup.ok:
        raise MachineError(f"a node can't be wired: {setup.said}")
    return [
        Tried(False, "accepted, but not done") if one.ok and probe.shows not in one.said else one
        for probe, one in zip(probes, found, strict=True)
    ]


def _trial(commands: Commands) -> str:
    """A line of bash that runs commands until one fails, and prints exit code and output."""
    work = " && ".join(f"timeout {_COMMAND} {shlex.join(command)}" for command in commands)
    return f"said=$({{ {work}; }} 2>&1 </dev/null); printf '%s\\0%s\\0' $? \"$said\"\n"


def _said(code: str, said: str) -> str:
    return said or (
        f"no answer in {_COMMAND} s" if code == "124" else "" if code == "0" else f"exit code {code}"
    )


def _node(popen: subprocess.Popen[bytes], begun: list[Process]) -> Process:
    """The node, once it is there; its keeper goes to `begun`."""
    assert popen.stdin and popen.stderr
    # The scratch folder only has to be one: what is mounted on it shows to nobody else.
    told = order_in(_HERE, {"doctor": Path("/")}, ["doctor"])
    with suppress(BrokenPipeError):  # then it said why
        popen.stdin.write(lean.line(told))
        popen.stdin.flush()
    for answer in _answers(popen):
        if "error" in answer:
            raise MachineError(answer["error"])
        process = Process(answer["pid"] if "node" in answer else answer["keeper"], answer["start"])
        if "node" in answer:
            return process
        begun.append(process)
    raise MachineError((popen.stderr.read().decode(errors="replace").strip() or "no answer").splitlines()[-1])


def _answers(popen: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The keeper's lines, until it ends; MachineError when its time is over."""
    assert popen.stdout
    deadline, heard = time.monotonic() + _PATIENCE, b""
    while True:
        if not select.select([popen.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise MachineError(f"no answer in {_PATIENCE:g} s")
        chunk = os.read(popen.stdout.fileno(), 65536)
        if not chunk:
            return
        *lines, heard = (heard + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)
