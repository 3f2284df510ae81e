"""What a provider is, what it can do, and what it hands back. Each is a file beside this one and its record in
records/."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from srv6lab.called import CALLED
from srv6lab.errors import NodeError, UsageError
from srv6lab.host.progress import Progress
from srv6lab.providers.state import Home, State

if TYPE_CHECKING:  # a plan takes longest to import, and most of what a provider does needs none
    from srv6lab.evidence.observations import Tracer
    from srv6lab.evidence.packets import Point
    from srv6lab.host.command import Completed
    from srv6lab.plan.nodes import Plan
    from srv6lab.providers.process import Process  # of Linux only
    from srv6lab.providers.rendered import Rendered
    from srv6lab.render.files import Files
    from srv6lab.render.step import Step


@dataclass(frozen=True, slots=True)
class Health:
    """One line of `status`: a node or a tracer, and whether it is alive."""

    kind: str
    name: str
    alive: bool
    detail: str = ""


Mark = Mapping["Point", Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a NIC's tracer writes while it runs: a pcap that grows on this machine, None where it lies elsewhere. `note`
    says why nothing comes of it, and what to do."""

    point: Point
    path: Path | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a provider without importing it. `kind` is what `--provider` takes; where one kind has
    several, each has a kernel of its own, or has the whole lab in one machine."""

    name: str
    kind: str
    summary: str
    make: Callable[[Record], Provider]
    rendering: Callable[[Plan], Files]  # what it takes a lab from
    doctor: str  # the module of `srv6lab.doctor` that looks whether it can run here
    makes_machines: bool = False  # they have boxes, can be halted, and after a failure what came up stays
    single_vm: bool = False
    kernel: str = ""
    box: str = ""  # stands for those that the file names, unless another one is asked for
    linux_only: bool = False
    changes: bool = False  # a lab that is up into another plan's, without touching the rest of it


class Provider(Protocol):
    """Runs a planned lab somewhere, and keeps nothing in memory: `Home` is the instance's folder, `State` what was
    written there. Only `up` and `mend` need the lab itself; all else works when its file is gone.

    Errors are MachineErrors, and NodeErrors for what a node refuses. A command that a provider runs in a node has no
    limit in time where `timeout`, in seconds, is None.
    """

    record: Record

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        """Bring the lab up from nothing, and write its files. After a failure nothing is left, or, if it makes
        machines, what is written in the state."""
        ...

    def mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State | None:
        """For a lab that was begun: restart what died and can be restarted; None if it must be built anew."""
        ...

    def change(self, lab: Rendered, step: Step, home: Home, state: State, progress: Progress) -> State:
        """Bring a lab that is up from the plan that it was built from to another one, and leave all else of it as it is.
        After a failure some of it is done; UsageError where it can't be done at all."""
        raise UsageError(f"{self.record.name} can't change a lab that is up")

    def down(self, home: Home, state: State | None) -> None:
        """Take away what `up` made; done again, or after a crash, it does what is left to do."""
        ...

    def halt(self, home: Home, state: State, progress: Progress) -> None:
        """Shut machines down so that `up` boots them again; UsageError where there are none."""
        what = f"{self.record.name} has no machines that could be shut down"
        raise UsageError(what, f"{CALLED} destroy lab={state.instance} takes the lab away")

    def nodes(self, state: State) -> Sequence[str]:
        """The names of the lab's nodes, alive or not."""
        ...

    def here(self, state: State) -> Mapping[str, Process] | None:
        """The first process of each node that is alive on this machine; None where nodes are elsewhere."""
        return None

    def status(self, home: Home, state: State) -> Sequence[Health]:
        """Every node and tracer, and what else the lab stands on."""
        ...

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        """The command line that runs `argv` in a node, for a caller that wants its own terminal."""
        ...

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        """Run `argv` in a node to its end."""
        ...

    def mark(self, home: Home, state: State) -> Mark:
        """Drain every tracer and remember how far its capture reaches."""
        ...

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        """Drain every tracer and write what it saw since `mark`, or since it started, to
        `into/<trace>.pcap`."""
        ...

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        """Every NIC's trace, for somebody who reads it as it grows. Asked again and again, so neither nodes nor tracers are
        asked for it. MachineError where nothing of the lab runs any more."""
        ...


_TRAP = re.compile(r"^day0/[^:\s]+\.sh:(\d+): ", re.MULTILINE)
_OWN = re.compile(
    r"^(?:day0/[^:\s]+\.sh|apply): command (\S+) failed with exit code (\d+): (.*)$", re.MULTILINE
)
_BATCH = re.compile(r"^Command failed -:(\d+)$", re.MULTILINE)


def own_error(node: str, stderr: str) -> NodeError | None:
    """A command of the lab's own that failed in a node, with its exit code and what it said; None if none did."""
    found = _OWN.search(stderr)
    if found is None:
        return None
    number, code, command = found.groups()
    said = [f"  {line}" for line in stderr[found.end() :].splitlines() if line.strip()]
    what = f"{node}: its command {number} failed with exit code {code}: {command}"
    return NodeError("\n".join([what, *said]), node=node)


def day0_error(node: str, path: str, script: str, result: Completed) -> NodeError:
    """A failed Day0 as node, line of the script and stderr, or the lab's own command that failed.

    `ip -batch` counts the lines of its own input, so its number is added to the line that began it.
    """
    if own := own_error(node, result.stderr):
        return own
    lines = script.splitlines()
    where, text = path, ""
    if trap := _TRAP.search(result.stderr):
        number = int(trap.group(1))
        if batch := _BATCH.search(result.stderr):
            number += int(batch.group(1))
        if 1 <= number <= len(lines):
            where, text = f"{path}:{number}", lines[number - 1].strip()
    said = [line for line in result.stderr.splitlines() if not (_TRAP.match(line) or _BATCH.match(line))]
    what = f"{node}: Day0 failed with exit code {result.exit_code}\n  {where}: {text}".rstrip(": ")
    return NodeError("\n".join([what, *(f"  {line}" for line in said)]))
