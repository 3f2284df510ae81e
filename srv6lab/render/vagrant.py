"""Plan → the Vagrantfile and all that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from srv6lab.called import CALLED
from srv6lab.errors import Problem, TopologyError
from srv6lab.evidence.packets import Point
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.render.day0 import day0_path, day0_scripts
from srv6lab.render.files import Files
from srv6lab.render.node_files import agent_files, srconf_files
from srv6lab.render.templates import template
from srv6lab.topology.model import MOST_LINKS

VAGRANTFILE = "Vagrantfile"
SINGLE_VM = "1-for-all"  # no node's name begins with a digit
_SINGLE_MEMORY = 2048  # MB
_FIRST_PORT = 20000


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A NIC as hypervisors have it. VirtualBox: by its number, with a MAC without colons, on a named network.
    libvirt: by its slot, with a UDP port that is its end of the link and one that is the other.
    One that is `promiscuous` is given frames for any MAC."""

    number: int
    mac: str
    network: str
    pcap: str
    slot: int
    port: int
    peer_port: int
    promiscuous: bool


@dataclass(frozen=True, slots=True)
class _VirtualMachine:
    """A machine as the Vagrantfile says it."""

    name: str
    label: str
    box: str
    box_version: str | None
    memory: int
    cpus: int
    adapters: tuple[_Adapter, ...]
    day0: str
    srconf: str
    agent: str


def vagrant(plan: Plan) -> Files:
    """The Vagrantfile and all that it names, by path; TopologyError for a machine that VirtualBox can't have.

    The bytes are the same wherever they will lie: absolute paths are formed when Vagrant reads them.
    """
    _refuse_crowded(plan)
    machines = [_virtual_machine(plan, machine) for machine in plan.nodes]
    srconf = srconf_files() if any(machine.srconf for machine in machines) else {}
    agents = agent_files() if any(machine.agent for machine in machines) else {}
    # The Vagrantfile comes last, so that writing in this order never leaves it without what it names.
    text = template(f"{VAGRANTFILE}.j2", plan=plan, machines=machines)
    return {**day0_scripts(plan), **srconf, **agents, VAGRANTFILE: text}


def single_vm(plan: Plan) -> Files:
    """The Vagrantfile of one machine for the whole lab, what readies it, and the nodes' Day0."""
    first, day0 = plan.nodes[0], f"day0/{SINGLE_VM}.sh"
    machine = _VirtualMachine(
        name=SINGLE_VM,
        label=f"{plan.name}-{SINGLE_VM}",
        box=first.box,
        box_version=first.box_version,
        memory=_SINGLE_MEMORY,
        cpus=2,
        adapters=(),
        day0=day0,
        srconf="",
        agent="",
    )
    text = template(f"{VAGRANTFILE}.j2", plan=plan, machines=[machine])
    packages = sorted({package for node in plan.nodes for package in node.own.packages})
    ready = template("single-vm.sh.j2", path=day0, packages=packages)
    return {**day0_scripts(plan), day0: ready, VAGRANTFILE: text}


def _refuse_crowded(plan: Plan) -> None:
    """VBoxManage says "Invalid NIC number", and exits 0 all the same."""
    problems = [
        Problem(
            plan.locate("nodes", machine.name),
            f"{machine.name} has {len(machine.nics)} links; a VirtualBox machine has room for {MOST_LINKS}",
            f"take links away, or run it in namespaces: {CALLED} up {plan.called}",
        )
        for machine in plan.nodes
        if len(machine.nics) > MOST_LINKS
    ]
    if problems:
        raise TopologyError(problems)


def _virtual_machine(plan: Plan, machine: PlannedNode) -> _VirtualMachine:
    return _VirtualMachine(
        name=machine.name,
        label=f"{plan.name}-{machine.name}",
        box=machine.box,
        box_version=machine.box_version,
        memory=machine.memory,
        cpus=machine.cpus,
        adapters=tuple(_adapters(plan, machine.nics)),
        day0=day0_path(machine),
        srconf="srconf" if machine.proxies else "",
        agent="agent" if machine.headend else "",
    )


def _adapters(plan: Plan, nics: Iterable[Nic]) -> Iterator[_Adapter]:
    """The first adapter is Vagrant's own, to the host; VirtualBox counts from 1, libvirt from 0."""
    ports = _ports(plan)
    for number, nic in enumerate(nics, 2):
        mac = nic.mac.replace(":", "").upper()
        ends = ports[nic.point], ports[nic.peer]
        cable, pcap = f"{plan.name}-{nic.link}", f"{nic.trace}.pcap"
        yield _Adapter(number, mac, cable, pcap, number - 1, *ends, nic.circuit)


def _ports(plan: Plan) -> dict[Point, int]:
    """A UDP port for each end of each link: two neighboring ones a link."""
    first: dict[str, int] = {}
    return {
        nic.point: _FIRST_PORT + 2 * first.setdefault(nic.link, len(first)) + (nic.point > nic.peer)
        for nic in plan.nics()
    }
