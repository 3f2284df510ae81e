"""A namespace lab under another kernel: the provider `netns` inside a micro-VM that this one boots.

The machine has this machine's files (see vm/machine.py), so the same commands run in it, and the folder of
the captures is one that both sides write to. A keeper outside holds qemu as one inside holds the nodes: what
was begun ends with `up` until the lab is ready, and with the keeper afterwards.
"""

from __future__ import annotations

import json
import os
import pickle
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.errors import LabError, MachineError, NodeError
from srv6lab.machine.requirements import require, root, tools
from srv6lab.providers import tcpdump
from srv6lab.providers.base import Completed, Health, Mark, Progress
from srv6lab.providers.keeping import NODE_PATH, Keeper, enter, let_go, wait_for_the_end
from srv6lab.providers.netns import TOOLS, Data, health, roots
from srv6lab.providers.process import Process, boot_id, listed
from srv6lab.providers.running import run
from srv6lab.providers.vm import inside
from srv6lab.providers.vm.boot import start
from srv6lab.providers.vm.call import NO_MACHINE
from srv6lab.providers.vm.kernel import fetch
from srv6lab.providers.vm.machine import ROOT, Machine, calling, native
from srv6lab.state import Home, State
from srv6lab.trace import Point, Tracer

if TYPE_CHECKING:
    from srv6lab.plan import Plan

_PATIENCE = 60.0
_SLOWER = 10  # an emulated machine than this one
_MEND = "invoke up brings the lab back"
_FIELDS_TO_START = "* " * 19  # of /proc/PID/stat, from the one behind the name to the start time
_IF_ALIVE = (
    "read -r stat 2>/dev/null </proc/{pid}/stat; rest=${{stat##*) }}; rest=${{rest#{fields}}}; "
    '[ "${{rest%% *}}" = {start} ] || {{ echo {said} >&2; exit {code}; }}; exec "$@"'
)


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
        process = Data.of(data.within(state)).nodes.get(node)
        if process is None or not data.alive:
            raise MachineError(_not_running(node), _MEND)
        script = _IF_ALIVE.format(
            pid=process.pid,
            start=process.start,
            fields=_FIELDS_TO_START,
            said=shlex.quote(_not_running(node)),
            code=NO_MACHINE,
        )
        return calling(
            data.folder, ["sh", "-c", script, "sh", *enter(process), "env", f"PATH={NODE_PATH}", *argv]
        )

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        patience = timeout and timeout * _SLOWER
        result = run(self.command(state, node, argv), patience, shown=argv)
        if result.exit_code == NO_MACHINE and result.stderr.strip() == _not_running(node):
            raise MachineError(_not_running(node), _MEND)
        return result

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


def _not_running(node: str) -> str:
    return f"node {node} isn't running"


def _ask(
    data: _Data, home: Home, verb: str, asked: Mapping[str, Any], progress: Progress | None = None
) -> Any:
    """What the provider in the machine answers to a verb; its errors are raised here."""
    environment = [f"PYTHONPATH={ROOT}", f"HOME={Path.home()}"]
    if cache := os.environ.get("XDG_CACHE_HOME"):
        environment.append(f"XDG_CACHE_HOME={cache}")
    argv = ["env", *environment, sys.executable, "-m", inside.__name__, verb, str(home.path.resolve())]
    with (data.folder / "inside.log").open("w+", encoding="utf-8") as log:
        popen = subprocess.Popen(
            calling(data.folder, argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        with popen:
            assert popen.stdin and popen.stdout
            popen.stdin.write(pickle.dumps(asked))
            popen.stdin.close()
            for line in popen.stdout:
                document = json.loads(line)
                if "say" in document and progress:
                    progress(document["say"])
                if "error" in document:
                    raise NodeError(document["error"], document["mend"])
                if "answer" in document:
                    return document["answer"]
        log.seek(0)
        raise MachineError(f"the micro-VM doesn't answer: {log.read().strip() or 'no word'}", _MEND)
