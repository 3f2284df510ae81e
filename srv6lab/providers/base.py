"""What a provider can do, and what it hands back. A provider is one file beside this one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from srv6lab.errors import NodeError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.providers.state import Home, State

if TYPE_CHECKING:  # a plan takes longest to import, and most of what a provider does needs none
    from srv6lab.plan.nodes import Plan
from srv6lab.host.command import Completed
from srv6lab.host.progress import Progress


@dataclass(frozen=True, slots=True)
class Health:
    """One line of `status`: a node or a tracer, and whether it is alive."""

    kind: str
    name: str
    alive: bool
    detail: str = ""


Mark = Mapping[Point, Any]


class Provider(Protocol):
    """Runs a planned lab somewhere. `Home` is the instance's folder, `State` what was written there.

    Every method but `up` works from the state alone, so that it also works when the YAML is gone.
    """

    name: str
    summary: str
    resumes: bool  # after a failure what came up stays, and the next `up` goes on

    def up(
        self,
        plan: Plan,
        render: Callable[[], Mapping[str, str]],
        home: Home,
        state: State,
        progress: Progress,
    ) -> State:
        """Bring the lab up from nothing; on any failure raise MachineError and leave nothing, or, if it
        resumes, what is written in the state. `render` writes and returns the lab's files: it is called
        once, while machines start if they can."""
        ...

    def mend(
        self, plan: Plan, files: Mapping[str, str], home: Home, state: State, progress: Progress
    ) -> State | None:
        """For a lab that is up: restart what died and can be restarted; None if it must be built anew."""
        ...

    def down(self, home: Home, state: State | None) -> None:
        """Take away what `up` made; done again, or after a crash, it does what is left to do."""
        ...

    def halt(self, home: Home, state: State, progress: Progress) -> None:
        """Shut machines down so that `up` boots them again; only a provider that resumes is asked."""
        ...

    def nodes(self, state: State) -> Sequence[str]:
        """The names of the lab's nodes, alive or not."""
        ...

    def status(self, home: Home, state: State) -> Sequence[Health]: ...

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        """The command line that runs `argv` in a node, for a caller that wants its own terminal."""
        ...

    def exec(
        self, state: State, node: str, argv: Sequence[str], timeout: float | None = None
    ) -> Completed: ...

    def mark(self, home: Home, state: State) -> Mark:
        """Drain every tracer and remember how far its capture reaches."""
        ...

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        """Drain every tracer and write what it saw since `mark`, or since it started, to
        `into/<trace>.pcap`."""
        ...


_TRAP = re.compile(r"^day0/[^:\s]+\.sh:(\d+): ", re.MULTILINE)
_BATCH = re.compile(r"^Command failed -:(\d+)$", re.MULTILINE)


def day0_error(node: str, path: str, script: str, result: Completed) -> NodeError:
    """A failed Day0 as node, line of the script and stderr.

    `ip -batch` counts the lines of its own input, so its number is added to the line that began it.
    """
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
