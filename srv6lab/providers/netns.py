"""A lab in network namespaces on this machine, on its own kernel's SRv6.

A keeper process (see keeper.py) holds every node; links are veth pairs made straight inside the
nodes, so that no name of a lab ever stands among the host's interfaces; one tcpdump a NIC is live
before IPv6 is switched on, so a capture begins before the first packet.

Processes are known by (PID, start time) of one boot, never by name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab import agent
from srv6lab.called import CALLED
from srv6lab.errors import MachineError, NodeError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.host.command import Begun, Completed, run
from srv6lab.host.files import PACKAGE
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import require, srv6, tools
from srv6lab.host.waiting import wait_until
from srv6lab.images import frr_root
from srv6lab.providers import bridges, needs_root, rootless, tcpdump, vpn
from srv6lab.providers.base import Health, Mark, Provider, Record, Trace, day0_error
from srv6lab.providers.keeping import NODE_PATH, begin_in, by_hand, end, enter, keeping, run_in
from srv6lab.providers.node import files
from srv6lab.providers.places import Places
from srv6lab.providers.process import Process, boot_id
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Nic, Plan, PlannedNode
    from srv6lab.render.step import Step

TOOLS = ("bash", "ip", "nsenter", "ping", "tcpdump")
_PATIENCE = 30.0
_SRCONF = PACKAGE / "srconf"
_IPV6 = 'for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 >"$file"; done; exec bash /run/day0.sh'
_DAY0 = ("bash", "-c", _IPV6)


@dataclass(frozen=True, slots=True)
class Data:
    """The provider's part of the state."""

    boot: str
    keeper: Process
    nodes: Mapping[str, Process]
    tracers: Mapping[Point, tcpdump.Tracing]
    bridges: Process | None = None

    @classmethod
    def of(cls, state: State) -> Data:
        return state.read_data(cls._read, by_hand(state))

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Data:
        return cls(
            boot=data["boot"],
            keeper=Process(*data["keeper"]),
            nodes={name: Process(*pair) for name, pair in data["nodes"].items()},
            tracers={
                Point.parse(point): tcpdump.Tracing(trace, Process(*pair))
                for point, (trace, pair) in data["tracers"].items()
            },
            bridges=Process(*data["bridges"]) if data.get("bridges") else None,
        )

    def document(self) -> dict[str, Any]:
        return {
            "boot": self.boot,
            "keeper": self.keeper.pair,
            "nodes": {name: process.pair for name, process in self.nodes.items()},
            "tracers": {str(point): (one.trace, one.process.pair) for point, one in self.tracers.items()},
            **({"bridges": self.bridges.pair} if self.bridges else {}),
        }

    @property
    def processes(self) -> tuple[Process, ...]:
        """Those without which the lab isn't whole."""
        return (self.keeper, *self.nodes.values(), *([self.bridges] if self.bridges else []))

    def alive(self, process: Process) -> bool:
        return self.boot == boot_id() and process.alive()


class Netns(Provider):
    """The provider `netns`."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        plan = lab.plan
        require(tools(TOOLS), srv6(), needs_root.lack(plan))
        laid_over = roots(plan, progress)
        with keeping(home, laid_over, may_load(plan)) as keeper:
            data = Data(boot_id(), keeper.process, {}, {})
            home.write(replace(state, provider_data=data.document()))
            lab.write(home)  # while the nodes start
            nodes = keeper.nodes([*laid_over])
            data = replace(data, bridges=nodes.pop(bridges.PLACE, None), nodes=nodes)
            if vpn.make_namespaces(plan, partial(ends_well, data.nodes)):
                require(tools(("nft",) if any(node.vrfs for node in plan.nodes) else ()))
                progress("this kernel has no VRFs: each is a network namespace of its node")
            progress(f"{len(data.nodes)} nodes, wiring {len({nic.link for nic in plan.nics()})} links")
            wire([*plan.nics()], data)
            data = replace(data, tracers=start_tracers(plan.nics(), home, data))
            progress(f"{len(data.tracers)} tracers live, running Day0")
            running = begin_day0(lab, data)
            if services_are_wired(plan.nodes, data, running):
                more = start_tracers(_service_nics(plan), home, data)
                data = replace(data, tracers={**data.tracers, **more})
            end_day0(running, progress)
            state = replace(state, phase="ready", provider_data=data.document())
            home.write(state)
        return state

    def mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State | None:
        if state.phase != "ready":
            return None
        data = Data.of(state)
        if not all(data.alive(process) for process in data.processes):
            return None
        dead = [nic for nic in lab.plan.traced() if not data.alive(data.tracers[nic.point].process)]
        if dead:
            progress("restarting tracers: " + ", ".join(str(nic.point) for nic in dead))
            data = replace(data, tracers={**data.tracers, **start_tracers(dead, home, data)})
            state = replace(state, provider_data=data.document())
            home.write(state)
        progress("already up, running Day0 again")
        end_day0(begin_day0(lab, data), progress)
        return state

    def change(self, lab: Rendered, step: Step, home: Home, state: State, progress: Progress) -> State:
        from srv6lab.providers.netns_change import change

        return change(lab, step, home, state, progress)

    def down(self, home: Home, state: State | None) -> None:
        end(home, state)

    def _data(self, state: State) -> Data:
        """What is known of the lab's processes."""
        return Data.of(state)

    def nodes(self, state: State) -> Sequence[str]:
        return tuple(self._data(state).nodes)

    def here(self, state: State) -> Mapping[str, Process] | None:
        data = self._data(state)
        return {name: process for name, process in data.nodes.items() if data.alive(process)}

    def status(self, home: Home, state: State) -> Sequence[Health]:
        if not state.provider_data:
            return ()
        data = self._data(state)
        return health(data, home, data.alive)

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        return (*enter(self._alive(state, node), typed=True), *_path(), *argv)

    def _alive(self, state: State, node: str) -> Process:
        data = self._data(state)
        process = data.nodes.get(node)
        if process is None or not data.alive(process):
            raise MachineError(f"node {node} isn't running", f"{CALLED} up brings the lab back")
        return process

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        process = self._alive(state, node)
        return run_in(process, [*_path(), *argv], timeout)

    def mark(self, home: Home, state: State) -> Mark:
        return tcpdump.mark(self._data(state).tracers, home.captures)

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        now = self.mark(home, state)
        return tcpdump.cut(self._data(state).tracers, home.captures, mark, now, into)

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        data = self._data(state)
        if not data.alive(data.keeper):
            raise MachineError(
                f"nothing of {state.instance} runs any more", f"{CALLED} up brings the lab back"
            )
        return [
            Trace(point, one.pcap(home.captures), "" if one.process.alive() else _ended(one, home))
            for point, one in data.tracers.items()
        ]


def _ended(one: tcpdump.Tracing, home: Home) -> str:
    return f"its {tcpdump.why_dead(one, home.captures)}: {CALLED} up restarts it"


def _path() -> tuple[str, ...]:
    return (f"PATH={NODE_PATH}",)


def run_at(
    nodes: Mapping[str, Process], node: str, argv: Sequence[str], given: str | None = None
) -> Completed:
    return run_in(nodes[node], [*_path(), *argv], _PATIENCE, given)


def ends_well(nodes: Mapping[str, Process], node: str, *argv: str) -> bool:
    return run_at(nodes, node, argv).exit_code == 0


def may_load(plan: Plan) -> list[str]:
    """The nodes whose SR proxies are eBPF programs."""
    return [node.name for node in plan.nodes if node.proxies]


def roots(plan: Plan, progress: Progress) -> dict[str, Path]:
    """What each node's root is laid over: this machine's, or one with FRR."""
    frr = frr_root.serving(progress) if any(node.routing for node in plan.nodes) else Path("/")
    found = {node.name: frr if node.routing else Path("/") for node in plan.nodes}
    return found | ({bridges.PLACE: Path("/")} if any(nic.bridged for nic in plan.nics()) else {})


def health(data: Data, home: Home, alive: Callable[[Process], bool]) -> list[Health]:
    """Every node and tracer, as `alive` knows their processes."""
    nodes = [Health("node", name, alive(process)) for name, process in data.nodes.items()]
    tracers = [
        Health("tracer", str(point), alive(one.process), str(one.pcap(home.captures)))
        for point, one in data.tracers.items()
    ]
    return nodes + tracers


def wire(ends: Sequence[Nic], data: Data) -> None:
    """One veth pair a link, each end born inside its node, named as the plan names it: `ends` are both of each. The end in
    a VPN comes first: ip gives only that one the number that is asked for."""
    nics = {nic.point: nic for nic in ends}
    lines = []
    with Places(data.nodes) as places:
        for nic in nics.values():
            if nic.bridged and data.bridges:
                lines.append(
                    f"link add {_veth(nic, places)} type veth peer {bridges.port(nic, data.bridges)}"
                )
                continue
            peer = nics[nic.peer]
            if (not nic.vrf, nic.point) < (not peer.vrf, peer.point):
                lines.append(f"link add {_veth(nic, places)} type veth peer {_veth(peer, places)}")
        result = run([*inside(data), "ip", "-batch", "-"], _PATIENCE, "\n".join(lines) + "\n")
    if result.exit_code:
        raise MachineError(f"the links can't be made: {result.stderr.strip()}")
    if data.bridges:
        bridges.make(nics.values(), data.bridges)


def inside(data: Data) -> tuple[str, ...]:
    """The beginning of a command line that may make links. Somebody who isn't root makes none in this machine's own
    network namespace, not even for another one: so he does it in that of a node."""
    node = next(iter(data.nodes.values()))
    enter = rootless.within(node.pid)
    return (*enter, "nsenter", f"--net=/proc/{node.pid}/ns/net") if enter else ()


def _veth(nic: Nic, places: Places) -> str:
    number = f" index {vpn.index(nic)}" if places.in_vpn(nic) else ""
    return f"name {nic.name}{number} address {nic.mac} mtu {nic.mtu} netns {places.of(nic)}"


def _service_nics(plan: Plan) -> list[Nic]:
    """NICs in namespaces inside a node, which Day0 makes."""
    return [nic for nic in plan.traced() if nic.point.netns]


def start_tracers(nics: Iterable[Nic], home: Home, data: Data) -> dict[Point, tcpdump.Tracing]:
    with Places(data.nodes) as places:
        wanted = [tcpdump.Wanted(nic.point, nic.trace, places.of(nic)) for nic in nics]
        return tcpdump.start(wanted, data.keeper.pid, home.captures) if wanted else {}


@dataclass(frozen=True, slots=True)
class _Day0:
    """A Day0 script that runs in its node."""

    node: str
    script: str
    begun: Begun


def begin_day0(lab: Rendered, data: Data, nodes: Collection[str] | None = None) -> list[_Day0]:
    """All nodes at once, or some of them; those with services take longest, so they begin first."""
    running = []
    texts = lab.texts
    wanted = (machine for machine in lab.plan.nodes if nodes is None or machine.name in nodes)
    for machine in sorted(wanted, key=lambda machine: -len(machine.services)):
        node, script = data.nodes[machine.name], texts[f"day0/{machine.name}.sh"]
        files.put(node.pid, "/run/day0.sh", script.encode())
        if machine.proxies:
            install_srconf(node)
        if machine.headend:
            install_agent(node)
        begun = begin_in(node, [*_path(), *_DAY0])
        running.append(_Day0(machine.name, script, begun))
    return running


def services_are_wired(nodes: Iterable[PlannedNode], data: Data, running: Sequence[_Day0]) -> bool:
    """Waits until Day0 has wired the services' namespaces, or has failed to. What sensors still need
    then is time, and their NICs can be traced meanwhile."""
    ports = [port.outside for node in nodes for one in node.services for port in one.ports]
    places = [Path(f"/proc/{data.nodes[nic.point.node].pid}/root/sys/class/net/{nic.name}") for nic in ports]

    def wired() -> bool:
        return all(place.exists() for place in places)

    wait_until(lambda: wired() or all(one.begun.poll() is not None for one in running), inf, 0.005)
    return wired()


def end_day0(running: Sequence[_Day0], progress: Progress) -> None:
    """Wait for all; every node that fails is named, not only the first. What a script says on its
    standard output is progress."""
    failures = []
    for one in running:
        out, err = one.begun.communicate()
        for line in out.splitlines():
            progress(f"{one.node}: {line}")
        if one.begun.returncode:
            result = Completed(one.begun.returncode, out, err)
            failures.append(day0_error(one.node, f"day0/{one.node}.sh", one.script, result))
    if failures:
        raise NodeError("\n".join(str(failure) for failure in failures))


def install_srconf(node: Process) -> None:
    """Our `srconf`, as it stands: Day0 takes it where SREXT can't serve."""
    for path in _SRCONF.iterdir():
        if path.suffix in (".py", ".o") or path.name == "srconf":
            files.copy(node.pid, path, f"/usr/local/lib/srconf/{path.name}")


def install_agent(node: Process) -> None:
    """The agent of SR policies: of this package, what it needs."""
    for pattern in agent.FILES:
        for path in PACKAGE.glob(pattern):
            files.copy(node.pid, path, f"/usr/local/lib/srv6lab/srv6lab/{path.relative_to(PACKAGE)}")
