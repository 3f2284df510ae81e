"""A lab that was begun here, and what can be asked of it while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from srv6lab.called import CALLED
from srv6lab.errors import MachineError, UsageError
from srv6lab.providers.base import Health, Mark, Provider, Trace
from srv6lab.providers.state import Home, State

if TYPE_CHECKING:
    from srv6lab.evidence.observations import Tracer
    from srv6lab.host.command import Completed


@dataclass(frozen=True, slots=True)
class Reference:
    """A lab as somebody named it: the file, and the name its instance has by default."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """What `up` is asked for. Without a provider it is the one that the instance has, or the default; `box` stands
    for the boxes that the file names."""

    reference: Reference
    provider: Provider | None = None
    box: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """A lab that was begun here: its folder, what was written down in it, and what runs it."""

    home: Home
    state: State
    provider: Provider

    @property
    def name(self) -> str:
        return self.home.path.name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other command changes the lab meanwhile. MachineError where one did since this one looked at it: what is known of
        its nodes may be of others."""
        with self.home.locked():
            if not self.home.holds(self.state):
                what = f"{self.name} was taken away or changed by another command while this one began"
                raise MachineError(what, f"{CALLED} status says what is up")
            yield

    def nodes(self) -> Sequence[str]:
        """The names of the lab's nodes, alive or not."""
        return self.provider.nodes(self.state)

    def status(self) -> Sequence[Health]:
        """Every node and tracer, and whether it is alive."""
        return self.provider.status(self.home, self.state)

    def command(self, node: str, argv: Sequence[str]) -> Sequence[str]:
        """The command line that runs `argv` in a node, for a caller that wants its own terminal."""
        return self.provider.command(self.state, node, argv)

    def exec(self, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        """Run `argv` in a node; MachineError if it isn't done after `timeout` seconds, or the node isn't running."""
        return self.provider.exec(self.state, node, argv, timeout)

    def mark(self) -> Mark:
        """Drain every tracer and remember how far its capture reaches."""
        return self.provider.mark(self.home, self.state)

    def captures(self, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        """What every tracer saw since `mark`, or since it started, as `into/<trace>.pcap`."""
        return self.provider.captures(self.home, self.state, mark, into)

    def traces(self) -> Sequence[Trace]:
        """Every NIC's trace, to be read as it grows; MachineError where nothing of the lab runs any more."""
        return self.provider.traces(self.home, self.state)


def another(one: Instance, asked: str) -> UsageError:
    """The instance is of another lab than the one that was asked for."""
    mend = f"name that lab; or give this one an instance of its own, --instance {asked}-2"
    return UsageError(f"{one.name} is the lab {one.state.lab}, not {asked}", mend)
