"""A whole lab in one virtual machine: the provider `netns` inside it, for laptops that have no room for more.

Vagrant makes the machine. What runs in it is this very srv6lab, copied into it at each bringing up, and asked
verb by verb (see ../vm/within.py). Captures are cut in the machine and fetched, and everything else is done
outside: so the machine needs neither tshark nor the lab's file.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.called import CALLED, VARIABLE
from srv6lab.errors import MachineError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.host.command import Completed
from srv6lab.host.files import PACKAGE, SHARE
from srv6lab.host.progress import Progress
from srv6lab.providers.base import Health, Mark, Trace
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State
from srv6lab.providers.vagrant import QUICK, Data, Machines
from srv6lab.providers.vm.within import MEND, answered, ask
from srv6lab.render.vagrant import SINGLE_VM

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan

_INSIDE = "srv6lab.providers.vm.inside"
_HOME = "/var/lib/srv6lab/lab"
_CODE = "/usr/local/lib/srv6lab"
_SLOWER = 10  # a machine that is emulated than this one


class SingleVm(Machines):
    """The providers `virtualbox-single-vm` and `libvirt-single-vm`: what is asked of nodes is asked of the one
    machine that they are in."""

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        return self._begin(lab, home, super().up(lab, home, state, progress), progress)

    def _planned(self, plan: Plan, home: Home) -> Data:
        return Data(home.path.resolve(), (SINGLE_VM,), (), {}, {})

    def _mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        data = Data.of(state)
        if SINGLE_VM not in self._running(data):
            progress("bringing back the machine")
            data = replace(data, done=())
        elif state.phase == "ready" and (inside := self._ask(state, "mend", _lab(lab, state), progress)):
            return self._written(inside, home, state)
        state = self._go_on(data, home, replace(state, phase="starting"), progress)
        return self._begin(lab, home, state, progress)

    def nodes(self, state: State) -> Sequence[str]:
        return tuple(state.provider_data.get("into", ()))

    def status(self, home: Home, state: State) -> Sequence[Health]:
        if not state.provider_data:
            return ()
        running = SINGLE_VM in self._running(Data.of(state))
        machine = Health("machine", SINGLE_VM, running)
        if not running:
            return (machine, *(Health("node", node, False) for node in self.nodes(state)))
        return (machine, *(Health(*one) for one in self._ask(state, "status", {"state": _within(state)})))

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        into = self._into(state, node)
        return Data.of(state).ssh.command(SINGLE_VM, [*into, *argv], terminal=os.isatty(0))

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        patience = timeout and timeout * _SLOWER
        answer = Data.of(state).ssh.run(SINGLE_VM, [*self._into(state, node), *argv], timeout=patience)
        said = Completed(answer.exit_code, answer.stdout.decode(errors="replace"), answer.stderr)
        return answered(node, said)

    def mark(self, home: Home, state: State) -> Mark:
        found = self._ask(state, "mark", {"state": _within(state)})
        return {Point.parse(point): one for point, one in found.items()}

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        before = {str(point): tuple(one) for point, one in mark.items()} if mark else None
        answer = self._ask(state, "cut", {"state": _within(state), "mark": before})
        found = [Tracer(Point.parse(point), *rest) for point, *rest in answer]
        self._fetch(state, [f"{one.trace}.pcap" for one in found if one.state != "cut"], into)
        return found

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        what = f"{state.instance} is in one virtual machine, and so are its traces: they can't be read as they grow"
        raise MachineError(
            what,
            f"{CALLED} capture lab={state.lab} fetches them; {CALLED} exec lab={state.lab} --node NODE -- "
            "tcpdump -i NIC -U -w - | wireshark -k -i - shows one NIC as it goes",
        )

    def _ready(self, data: Data, home: Home, state: State, progress: Progress) -> State:
        """A machine that is up has no lab in it yet."""
        return state

    def _begin(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        """The lab in the machine, from nothing."""
        put = ["sh", "-c", f"rm -rf {_CODE} && mkdir -p {_CODE} && exec tar -xzf - -C {_CODE}"]
        answer = Data.of(state).ssh.run(SINGLE_VM, put, _code(), QUICK)
        if answer.exit_code:
            raise MachineError(f"srv6lab can't be copied into the machine: {answer.stderr.strip()}", MEND)
        self._ask(state, "down", {})
        asked = {**_lab(lab, state), "state": replace(_within(state), phase="starting")}
        return self._written(self._ask(state, "up", asked, progress), home, state)

    def _written(self, inside: Mapping[str, Any], home: Home, state: State) -> State:
        """The lab's state with that of the provider in the machine in it, and the way into its nodes."""
        data = {**Data.of(state).document(), "within": inside}
        state = replace(state, phase="ready", provider_data=data)
        into = self._ask(state, "into", {"state": _within(state)})
        state = replace(state, provider_data={**data, "into": into})
        home.write(state)
        return state

    def _into(self, state: State, node: str) -> list[str]:
        into = state.provider_data.get("into", {})
        if node not in into:
            raise MachineError(f"node {node} isn't running", MEND)
        return list(into[node])

    def _ask(
        self, state: State, verb: str, asked: Mapping[str, Any], progress: Progress | None = None
    ) -> Any:
        data = Data.of(state)
        argv = ["env", f"PYTHONPATH={_CODE}", f"{VARIABLE}={CALLED}", "python3", "-m", _INSIDE, verb, _HOME]
        log = data.log(f"{SINGLE_VM}-{verb}")
        return ask(data.ssh.command(SINGLE_VM, argv), log, asked, progress)

    def _fetch(self, state: State, names: Sequence[str], into: Path) -> None:
        into.mkdir(parents=True, exist_ok=True)
        argv = ["tar", "-cf", "-", "-C", f"{_HOME}/cut", "--", *names]
        answer = Data.of(state).ssh.run(SINGLE_VM, argv, timeout=QUICK)
        if answer.exit_code:
            raise MachineError(f"the captures can't be fetched: {answer.stderr.strip()}", MEND)
        with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as archive:
            for name in names:
                file = archive.extractfile(name)
                assert file
                (into / name).write_bytes(file.read())


def _lab(lab: Rendered, state: State) -> Mapping[str, Any]:
    """A lab as the provider in the machine is asked for it."""
    return {"plan": lab.plan, "files": lab.texts, "state": _within(state)}


def _within(state: State) -> State:
    """The state as the provider in the machine knows it."""
    return replace(state, provider="netns", provider_data=state.provider_data.get("within", {}))


def _code() -> bytes:
    """srv6lab as a compressed archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for folder in (PACKAGE, SHARE / "scripts"):
            archive.add(folder, folder.name, filter=_no_bytecode)
    return packed.getvalue()


def _no_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member
