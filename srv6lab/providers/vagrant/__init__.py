"""A lab in virtual machines, which Vagrant makes of the rendered Vagrantfile: `virtualbox` and `libvirt`.

The hypervisor writes a trace of every NIC of a link into `captures/`; NICs of services lie in namespaces
inside a machine, so they are traced there and fetched. What is up stays up when something fails: `up` goes on
where it stopped, and only `down` takes machines away. Nothing is rendered again under a lab that runs.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED
from srv6lab.capture.pcap import slice_pcap, whole
from srv6lab.errors import MachineError, NodeError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.host.command import Completed
from srv6lab.host.files import PACKAGE
from srv6lab.host.progress import Progress
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import Health, Mark, Provider, Record, Trace, day0_error
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State
from srv6lab.providers.vagrant import traces, words
from srv6lab.providers.vagrant.command import Event, Failure, Vagrant
from srv6lab.providers.vagrant.needs import costs, require
from srv6lab.providers.vagrant.ssh import Answer, Ssh
from srv6lab.providers.vagrant.traces import Reading, Traced
from srv6lab.providers.vagrant.ups import at_once, bring_up

_GUEST = PACKAGE / "inside" / "guest.py"
_DAY0 = "export SRV6LAB_GUEST=yes; [ ! -d /usr/local/lib/srconf ] || export SRV6LAB_SRCONF=; exec bash -s"
_OURS = (".vagrant", "logs", "ssh")  # beside what is rendered
QUICK = 120.0  # seconds for what asks Vagrant, or a machine that is up


def refuse_bridges(hypervisor: str, plan: Plan) -> None:
    """MachineError for a link of more than two ends where links are tunnels between two machines."""
    many = next((nic for nic in plan.nics() if nic.bridged), None)
    if many is not None and hypervisor == "libvirt":
        ends = len(many.peers) + 1
        what = f"link {many.link} has {ends} ends, and the tunnels that libvirt makes of links have two"
        raise MachineError(
            what, f"{CALLED} up {plan.called} runs it in namespaces, and VirtualBox has such links"
        )


def _limit() -> float:
    """Seconds for one `vagrant up` of one machine; emulated machines take minutes to boot."""
    return float(os.environ.get("SRV6LAB_VAGRANT_TIMEOUT", "1800"))


@dataclass(frozen=True, slots=True)
class Data:
    """The provider's part of the state: where Vagrant works, the machines, which of them are done, and
    the NICs that are traced, on this machine and in guests."""

    folder: Path
    nodes: tuple[str, ...]
    done: tuple[str, ...]
    traced: Mapping[Point, Traced]
    inside: Mapping[Point, str]

    @classmethod
    def of(cls, state: State) -> Data:
        mend = "look at .srv6lab, and at `vagrant global-status` for what still runs"
        return state.read_data(cls._read, mend)

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Data:
        return cls(
            Path(data["folder"]),
            tuple(data["nodes"]),
            tuple(data["done"]),
            {Point.parse(point): Traced(*one) for point, one in data["traced"].items()},
            {Point.parse(point): trace for point, trace in data["inside"].items()},
        )

    @classmethod
    def planned(cls, plan: Plan, home: Home) -> Data:
        nics = {nic.point: nic for nic in plan.nics()}
        return cls(
            home.path.resolve(),
            tuple(machine.name for machine in plan.nodes),
            (),
            {point: Traced(nic.trace, nic.mac, nics[nic.peer].mac) for point, nic in nics.items()},
            {nic.point: nic.trace for nic in plan.traced() if nic.point.netns},
        )

    def document(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "nodes": list(self.nodes),
            "done": list(self.done),
            "traced": {str(point): (one.trace, one.mac, one.peer) for point, one in self.traced.items()},
            "inside": {str(point): trace for point, trace in self.inside.items()},
        }

    @property
    def ssh(self) -> Ssh:
        return Ssh(self.folder / "ssh" / "config")

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"


class Machines(Provider):
    """A provider that runs machines through Vagrant; `hypervisor` is Vagrant's name for what it drives."""

    def __init__(self, record: Record) -> None:
        self.record, self.hypervisor = record, record.kind

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        require(self.hypervisor)
        refuse_bridges(self.hypervisor, lab.plan)
        many = at_once()
        home.own(*_OURS)
        lab.write(home)
        if not self.record.single_vm:
            progress(costs(lab.plan, many))
        data = self._planned(lab.plan, home)
        state = replace(state, provider_data=data.document())
        home.write(state)
        return self._go_on(data, home, state, progress)

    def _planned(self, plan: Plan, home: Home) -> Data:
        return Data.planned(plan, home)

    def mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State | None:
        if not state.provider_data:
            return None
        require(self.hypervisor)
        return self._mend(lab, home, state, progress)

    def _mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        data = Data.of(state)
        if state.phase != "ready":
            progress(f"going on: {len(data.done)} of {len(data.nodes)} machines are up")
            return self._go_on(data, home, state, progress)
        running = self._running(data)
        dead = [node for node in data.nodes if node not in running]
        if dead:
            progress(f"bringing back {', '.join(dead)}")
            still = tuple(node for node in data.done if node not in dead)
            state = self._go_on(replace(data, done=still), home, state, progress)
        progress("already up, running Day0 again")
        _day0_again([node for node in data.nodes if node not in dead], lab.texts, data)
        self._trace_inside(data)
        return state

    def down(self, home: Home, state: State | None) -> None:
        if state is None or not state.provider_data:
            return
        data = Data.of(state)
        data.ssh.close(data.nodes)
        if not (data.folder / ".vagrant" / "machines").is_dir():
            return
        run = self._vagrant(data, "destroy", _limit())
        try:
            run.destroy()
        except Failure as failure:
            raise words.error(home.path.name, failure) from None

    def halt(self, home: Home, state: State, progress: Progress) -> None:
        """Shut the machines down; their disks stay, and `up` boots them again."""
        data = Data.of(state)
        data.ssh.close(data.nodes)
        for node in data.nodes:
            progress(f"{node}: shutting down")
            try:
                self._vagrant(data, node, _limit()).halt(node)
            except Failure as failure:
                raise words.error(node, failure) from None

    def nodes(self, state: State) -> Sequence[str]:
        return Data.of(state).nodes

    def status(self, home: Home, state: State) -> Sequence[Health]:
        if not state.provider_data:
            return ()
        data = Data.of(state)
        running = self._running(data)
        found = [Health("node", node, node in running) for node in data.nodes]
        for point, one in data.traced.items():
            pcap = one.pcap(home.captures)
            found.append(Health("tracer", str(point), point.node in running and pcap.exists(), str(pcap)))
        for point, reading in _drained_inside(data, running).items():
            found.append(Health("tracer", str(point), not reading.note, reading.note or "in its machine"))
        return found

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        return Data.of(state).ssh.command(node, argv, terminal=os.isatty(0))

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        answer = Data.of(state).ssh.run(node, argv, timeout=timeout and timeout + QUICK)
        return Completed(answer.exit_code, answer.stdout.decode(errors="replace"), answer.stderr)

    def mark(self, home: Home, state: State) -> Mark:
        data = Data.of(state)
        return {**_marked(data, home.captures), **_drained_inside(data, data.nodes)}

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        data = Data.of(state)
        into.mkdir(parents=True, exist_ok=True)
        now, before = self.mark(home, state), mark or {}
        begun = Reading(0)
        return [
            _cut_out(data, home, point, before.get(point, begun), reading, into)
            for point, reading in now.items()
        ]

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        data = Data.of(state)
        outside = [Trace(point, one.pcap(home.captures)) for point, one in data.traced.items()]
        return outside + [Trace(point, None, _reached_otherwise(point, state)) for point in data.inside]

    def _go_on(self, data: Data, home: Home, state: State, progress: Progress) -> State:
        """Bring up the machines that are not done, and write down each that is."""
        number = {node: number for number, node in enumerate(data.nodes, 1)}
        vagrants = {
            node: self._vagrant(data, node, _limit(), _heard(node, progress))
            for node in data.nodes
            if node not in data.done
        }

        def bring(node: str) -> None:
            progress(f"{node}: machine {number[node]} of {len(number)}, log in {data.log(node)}")
            vagrants[node].up(node, self.hypervisor)

        def up(node: str) -> None:
            nonlocal data, state
            data = replace(data, done=(*data.done, node))
            state = replace(state, phase="starting", provider_data=data.document())
            home.write(state)

        if failed := bring_up(vagrants, bring, at_once(), up):
            raise words.errors({node: (failure, _script(data, node)) for node, failure in failed.items()})
        self._write_ssh_config(data)
        return self._ready(data, home, state, progress)

    def _ready(self, data: Data, home: Home, state: State, progress: Progress) -> State:
        progress(f"{len(data.nodes)} machines up, looking at {len(data.traced) + len(data.inside)} tracers")
        self._trace_inside(data)
        dead = [f"{point}: {one.note}" for point, one in self.mark(home, state).items() if one.note]
        if dead:
            raise MachineError("tracers don't work:\n  " + "\n  ".join(dead), f"{CALLED} up looks again")
        state = replace(state, phase="ready")
        home.write(state)
        return state

    def _write_ssh_config(self, data: Data) -> None:
        """Ask Vagrant for the way into its machines. Its keys lie in folders that only we may read."""
        try:
            said = self._vagrant(data, "ssh-config", QUICK).ssh_config()
        except Failure as failure:
            raise words.error("vagrant ssh-config", failure) from None
        path = data.ssh.config
        path.parent.mkdir(exist_ok=True)
        path.write_text(said, encoding="utf-8")
        path.chmod(0o600)

    def _trace_inside(self, data: Data) -> None:
        """Trace services' NICs, in the machines that they are in."""
        for node in dict.fromkeys(point.node for point in data.inside):
            wanted = [
                (trace, point.netns, point.nic) for point, trace in data.inside.items() if point.node == node
            ]
            for trace, fault in _guest(data, node, "trace", wanted=wanted).items():
                if fault:
                    raise MachineError(f"{node}: the tracer of {trace} did not start: {fault}")

    def _running(self, data: Data) -> set[str]:
        try:
            return self._vagrant(data, "status", QUICK).running()
        except Failure as failure:
            raise words.error("vagrant status", failure) from None

    def _vagrant(
        self, data: Data, log: str, limit: float, heard: Callable[[Event], None] = lambda _: None
    ) -> Vagrant:
        return Vagrant(data.folder, data.log(log), limit, heard)


def _reached_otherwise(point: Point, state: State) -> str:
    """What to type for a trace that lies in a machine."""
    tcpdump = f"ip netns exec {point.netns} tcpdump -i {point.nic} -U -w -"
    typed = f"{CALLED} exec lab={state.lab} --node {point.node} -- {tcpdump} | wireshark -k -i -"
    return f"it is traced inside {point.node}, where nothing of it can be read as it grows: {typed}"


def _heard(node: str, progress: Progress) -> Callable[[Event], None]:
    """Vagrant's steps as progress: what it says, not what its provisioners print."""

    def hear(event: Event) -> None:
        if (
            event.kind == "ui"
            and event.values[0] in ("info", "output", "warn")
            and event.machine in (node, "")
        ):
            first = event.values[1].strip().splitlines()
            if first:
                progress(f"{node}: {first[0].removeprefix('==> ').removeprefix(f'{node}: ')}")

    return hear


def _script(data: Data, node: str) -> str:
    try:
        return (data.folder / "day0" / f"{node}.sh").read_text(encoding="utf-8")
    except OSError:
        return ""


def _day0_again(nodes: Iterable[str], files: Mapping[str, str], data: Data) -> None:
    """Run Day0 in machines that are up; every one that fails is named."""

    def run(node: str) -> NodeError | None:
        path = f"day0/{node}.sh"
        answer = data.ssh.run(node, ["sh", "-c", _DAY0], files[path].encode(), QUICK * 5)
        if not answer.exit_code:
            return None
        return day0_error(node, path, files[path], Completed(answer.exit_code, "", answer.stderr))

    with ThreadPoolExecutor() as pool:
        failures = [failure for failure in pool.map(run, nodes) if failure]
    if failures:
        raise NodeError("\n".join(map(str, failures)))


def _marked(data: Data, folder: Path) -> dict[Point, Reading]:
    """Send a marked frame from every traced NIC, and read how far each trace reaches with them in it."""
    token = secrets.token_bytes(16)

    def send(node: str, macs: Sequence[str]) -> dict[str, str]:
        try:
            absent = _guest(data, node, "mark", token=token.hex(), macs=list(macs))
        except MachineError as error:
            return dict.fromkeys(macs, str(error).splitlines()[0])
        return {mac: f"{node} has no NIC with MAC {mac}" for mac in absent}

    silent: dict[str, str] = {}
    by_node = traces.macs(data.traced)
    with ThreadPoolExecutor() as pool:
        for unsent in pool.map(send, by_node.keys(), by_node.values()):
            silent |= unsent
    return traces.read(data.traced, folder, token, silent)


def _drained_inside(data: Data, nodes: Iterable[str]) -> dict[Point, Reading]:
    """Drain the tracers inside machines."""
    found: dict[Point, Reading] = {}
    for node in nodes:
        mine = {trace: point for point, trace in data.inside.items() if point.node == node}
        if not mine:
            continue
        try:
            answer = _guest(data, node, "drain", names=list(mine))
        except MachineError as error:
            answer = dict.fromkeys(mine, (0, 0, str(error).splitlines()[0]))
        found |= {mine[trace]: Reading(*reading) for trace, reading in answer.items()}
    return found


def _cut_out(data: Data, home: Home, point: Point, before: Reading, now: Reading, into: Path) -> Tracer:
    """What a tracer saw between two readings, as a pcap of its own in `into`."""
    trace = data.inside.get(point) or data.traced[point].trace
    try:
        if point in data.inside:
            pcap = _fetched(data, point, before.size, now.size)
        else:
            pcap = slice_pcap(home.captures / f"{trace}.pcap", before.size, now.size)
        framing = whole(pcap)
    except (OSError, ValueError, MachineError) as error:
        return Tracer(point, "cut", note=f"{trace}.pcap: {error}", trace=trace)
    (into / f"{trace}.pcap").write_bytes(pcap)
    note = now.note or before.note
    dropped = now.dropped - before.dropped
    return Tracer(point, "dead" if note else "live", framing.records, dropped, note, trace)


def _fetched(data: Data, point: Point, start: int, end: int) -> bytes:
    name = data.inside[point]
    return _guest_bytes(data, point.node, "read", name=name, start=start, end=end).stdout


def _guest(data: Data, node: str, verb: str, **values: object) -> Any:
    return json.loads(_guest_bytes(data, node, verb, **values).stdout)


def _guest_bytes(data: Data, node: str, verb: str, **values: object) -> Answer:
    argv = ["python3", "-", verb, json.dumps(values)]
    answer = data.ssh.run(node, argv, _GUEST.read_bytes(), QUICK)
    if answer.exit_code:
        said = answer.stderr.strip().splitlines()
        raise MachineError(
            f"{node}: {verb} failed: {said[-1] if said else 'no word'}", "python3 must be there"
        )
    return answer
