"""A namespace lab under another kernel: the provider `netns` inside a micro-VM that this one boots.

The machine has this machine's files (see vm/machine.py), so the same commands run in it, and the folder of
the captures is one that both sides write to. A keeper outside holds qemu as one inside holds the nodes: what
was begun ends with `up` until the lab is ready, and with the keeper afterwards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.errors import LabError, MachineError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.host.command import Completed, run
from srv6lab.host.files import REPOSITORY
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import require, root, tools
from srv6lab.images.kernel import fetch
from srv6lab.providers import tcpdump
from srv6lab.providers.base import Health, Mark
from srv6lab.providers.keeping import Keeper, let_go, wait_for_the_end
from srv6lab.providers.netns import TOOLS, Data, health, roots
from srv6lab.providers.process import Process, boot_id, listed
from srv6lab.providers.state import Home, State
from srv6lab.providers.vm import inside
from srv6lab.providers.vm.boot import start
from srv6lab.providers.vm.machine import Machine, calling, native
from srv6lab.providers.vm.within import MEND, answered, ask, into

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan

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
        data = state.provider_data
        try:
            processes = (Process(*data["keeper"]), Process(*data["machine"]))
            return cls(data["boot"], Path(data["folder"]), data["release"], *processes, data["inside"])
        except (KeyError, TypeError) as error:
            mend = f"remove .srv6lab/{state.instance} by hand once none of its processes runs"
            raise LabError(
                f"the state of {state.instance} isn't as it was written: {error!r}", mend
            ) from None

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


class Microvm:
    """The provider `microvm:VERSION`."""

    resumes = False

    def __init__(self, version: str) -> None:
        self.name = f"microvm:{version}"
        self.summary = f"network namespaces in a micro-VM, on Debian's kernel {version}"
        self._version = version

    def up(
        self,
        plan: Plan,
        render: Callable[[], Mapping[str, str]],
        home: Home,
        state: State,
        progress: Progress,
    ) -> State:
        require(root(), tools(TOOLS))
        kernel = fetch(self._version, native(), progress)
        roots(plan, progress)  # what the nodes need of it is made here: the machine has no way to a mirror
        files = render()
        keeper = Keeper(home, {})
        try:
            home.captures.mkdir(exist_ok=True)
            captures = home.captures.resolve()
            machine = Machine(kernel, shares={captures: str(captures)})
            booted = start(machine, keeper.process, home, progress)
            data = _Data(boot_id(), booted.folder, kernel.release, keeper.process, booted.process, {})
            asked = {"plan": plan, "files": files, "state": data.within(state)}
            data = replace(data, inside=_ask(data, home, "up", asked, progress))
            state = replace(state, phase="ready", provider_data=data.document())
            home.write(state)
            keeper.stay()
        except BaseException:
            self.down(home, None)
            raise
        return state

    def mend(
        self, plan: Plan, files: Mapping[str, str], home: Home, state: State, progress: Progress
    ) -> State | None:
        if state.phase != "ready" or not (data := _Data.of(state)).alive:
            return None
        asked = {"plan": plan, "files": files, "state": data.within(state)}
        mended = _ask(data, home, "mend", asked, progress)
        if mended is None:
            return None
        state = replace(state, provider_data=replace(data, inside=mended).document())
        home.write(state)
        return state

    def down(self, home: Home, state: State | None) -> None:
        let_go(home)
        if state and state.provider_data:
            data = _Data.of(state)
            if data.boot == boot_id():
                data.keeper.kill()
        wait_for_the_end(home)

    def halt(self, home: Home, state: State, progress: Progress) -> None:
        raise MachineError("a micro-VM can't be shut down and kept", "invoke destroy, later up again")

    def nodes(self, state: State) -> Sequence[str]:
        return tuple(Data.of(_Data.of(state).within(state)).nodes)

    def status(self, home: Home, state: State) -> Sequence[Health]:
        if not state.provider_data:
            return ()
        data = _Data.of(state)
        machine = Health("kernel", data.release, data.alive, "in a micro-VM")
        within = Data.of(data.within(state))
        alive = _living(data, within) if data.alive else set()
        return [machine, *health(within, home, alive.__contains__)]

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        data = _Data.of(state)
        if not data.alive:
            raise MachineError(f"node {node} isn't running", MEND)
        return calling(data.folder, into(Data.of(data.within(state)).nodes, node, argv))

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        patience = timeout and timeout * _SLOWER
        return answered(node, run(self.command(state, node, argv), patience, shown=argv))

    def mark(self, home: Home, state: State) -> Mark:
        data = _Data.of(state)
        found = _ask(data, home, "mark", {"state": data.within(state)})
        return {Point.parse(point): tcpdump.Reading(*one) for point, one in found.items()}

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        tracers = Data.of(_Data.of(state).within(state)).tracers
        return tcpdump.cut(tracers, home.captures, mark, self.mark(home, state), into)


def _living(data: _Data, within: Data) -> set[Process]:
    """Those of the lab's processes in the machine that live."""
    processes = [*within.nodes.values(), *(one.process for one in within.tracers.values())]
    files = [f"/proc/{process.pid}/stat" for process in processes]
    return listed(run(calling(data.folder, ["cat", *files]), _PATIENCE).stdout)


def _ask(
    data: _Data, home: Home, verb: str, asked: Mapping[str, Any], progress: Progress | None = None
) -> Any:
    """What the provider in the machine answers to a verb."""
    environment = [f"PYTHONPATH={REPOSITORY}", f"HOME={Path.home()}"]
    if cache := os.environ.get("XDG_CACHE_HOME"):
        environment.append(f"XDG_CACHE_HOME={cache}")
    argv = ["env", *environment, sys.executable, "-m", inside.__name__, verb, str(home.path.resolve())]
    return ask(calling(data.folder, argv), data.folder / "inside.log", asked, progress)
