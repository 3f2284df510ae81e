"""A namespace lab under another kernel: the provider `netns` inside a micro-VM that this one boots.

The machine has this machine's files (see vm/machine.py), so the same commands run in it, and the folder of
the captures is one that both sides write to. A keeper outside holds qemu as one inside holds the nodes: what
was begun ends with `up` until the lab is ready, and with the keeper afterwards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED, VARIABLE
from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Point
from srv6lab.host.command import Completed, run
from srv6lab.host.files import IMPORTED_FROM
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import require, tools
from srv6lab.images.kernel import fetch
from srv6lab.providers import tcpdump
from srv6lab.providers.base import Health, Mark, Trace
from srv6lab.providers.keeping import by_hand, keeping
from srv6lab.providers.netns import TOOLS, Data, Netns, health, roots
from srv6lab.providers.process import Process, boot_id, listed
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State
from srv6lab.providers.vm import inside
from srv6lab.providers.vm.boot import start
from srv6lab.providers.vm.machine import Machine, calling, native
from srv6lab.providers.vm.within import MEND, answered, ask, into

_PATIENCE = 60.0
_SLOWER = 10  # an emulated machine than this one


@dataclass(frozen=True, slots=True)
class _Data:
    """The provider's part of the state. `inside` is that of the provider in the machine."""

    boot: str
    folder: Path
    release: str
    keeper: Process
    machine: Process
    inside: Mapping[str, Any]

    @classmethod
    def of(cls, state: State) -> _Data:
        return state.read_data(cls._read, by_hand(state))

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> _Data:
        processes = (Process(*data["keeper"]), Process(*data["machine"]))
        return cls(data["boot"], Path(data["folder"]), data["release"], *processes, data["inside"])

    def document(self) -> dict[str, Any]:
        return {
            "boot": self.boot,
            "folder": str(self.folder),
            "release": self.release,
            "keeper": self.keeper.pair,
            "machine": self.machine.pair,
            "inside": self.inside,
        }

    @property
    def alive(self) -> bool:
        return self.boot == boot_id() and self.keeper.alive() and self.machine.alive()

    def within(self, state: State) -> State:
        """The state as the provider in the machine knows it."""
        return replace(state, provider="netns", provider_data=self.inside)


class Microvm(Netns):
    """The providers `microvm:VERSION`: what is asked of processes is asked of the machine that they are in."""

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        require(tools(TOOLS))
        kernel = fetch(self.record.kernel, native(), progress)
        roots(
            lab.plan, progress
        )  # what the nodes need of it is made here: the machine has no way to a mirror
        lab.write(home)
        with keeping(home, {}) as keeper:
            home.captures.mkdir(exist_ok=True)
            captures = home.captures.resolve()
            machine = Machine(kernel, shares={captures: str(captures)})
            booted = start(machine, keeper.process, home, progress)
            data = _Data(boot_id(), booted.folder, kernel.release, keeper.process, booted.process, {})
            data = replace(data, inside=_ask(data, home, "up", _lab(lab, data, state), progress))
            state = replace(state, phase="ready", provider_data=data.document())
            home.write(state)
        return state

    def mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State | None:
        if state.phase != "ready" or not (data := _Data.of(state)).alive:
            return None
        mended = _ask(data, home, "mend", _lab(lab, data, state), progress)
        if mended is None:
            return None
        state = replace(state, provider_data=replace(data, inside=mended).document())
        home.write(state)
        return state

    def _data(self, state: State) -> Data:
        return Data.of(_Data.of(state).within(state))

    def here(self, state: State) -> Mapping[str, Process] | None:
        return None

    def status(self, home: Home, state: State) -> Sequence[Health]:
        if not state.provider_data:
            return ()
        data, within = _Data.of(state), self._data(state)
        machine = Health("kernel", data.release, data.alive, "in a micro-VM")
        alive = _living(data, within) if data.alive else set()
        return [machine, *health(within, home, alive.__contains__)]

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        data = _Data.of(state)
        if not data.alive:
            raise MachineError(f"node {node} isn't running", MEND)
        return calling(data.folder, into(self._data(state).nodes, node, argv))

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        patience = timeout and timeout * _SLOWER
        return answered(node, run(self.command(state, node, argv), patience, shown=argv))

    def mark(self, home: Home, state: State) -> Mark:
        data = _Data.of(state)
        found = _ask(data, home, "mark", {"state": data.within(state)})
        return {Point.parse(point): tcpdump.Reading(*one) for point, one in found.items()}

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        if not _Data.of(state).alive:
            raise MachineError(f"nothing of {state.instance} runs any more", MEND)
        return [Trace(point, one.pcap(home.captures)) for point, one in self._data(state).tracers.items()]


def _lab(lab: Rendered, data: _Data, state: State) -> Mapping[str, Any]:
    """A lab as the provider in the machine is asked for it."""
    return {"plan": lab.plan, "files": lab.texts, "state": data.within(state)}


def _living(data: _Data, within: Data) -> set[Process]:
    """Those of the lab's processes in the machine that live."""
    processes = [*within.nodes.values(), *(one.process for one in within.tracers.values())]
    files = [f"/proc/{process.pid}/stat" for process in processes]
    return listed(run(calling(data.folder, ["cat", *files]), _PATIENCE).stdout)


def _ask(
    data: _Data, home: Home, verb: str, asked: Mapping[str, Any], progress: Progress | None = None
) -> Any:
    """What the provider in the machine answers to a verb."""
    environment = [f"PYTHONPATH={IMPORTED_FROM}", f"HOME={Path.home()}", f"{VARIABLE}={CALLED}"]
    if cache := os.environ.get("XDG_CACHE_HOME"):
        environment.append(f"XDG_CACHE_HOME={cache}")
    argv = ["env", *environment, sys.executable, "-m", inside.__name__, verb, str(home.path.resolve())]
    return ask(calling(data.folder, argv), data.folder / "inside.log", asked, progress)
