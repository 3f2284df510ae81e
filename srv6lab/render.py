"""Plan → {path: text}. The only room that knows Jinja2; an unknown name in a template is an error.

What reaches a shell goes through `sh`, and what reaches Ruby through `ruby`: one quoting function each.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from srv6lab import agent
from srv6lab.errors import Problem, TopologyError
from srv6lab.plan import Machine, Nic, Plan, PlannedPolicy, planned_policy
from srv6lab.rootfs import NEEDED
from srv6lab.topology import (
    MOST_LINKS,
    STANDARD,
    Action,
    CutAction,
    Firewall,
    FirewallAction,
    InnerMatch,
    Steering,
    WithdrawAction,
)
from srv6lab.trace import Point

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
VAGRANTFILE = "Vagrantfile"
SINGLE_VM = "1-for-all"  # no node's name begins with a digit
_SINGLE_MEMORY = 2048  # MB
_FIRST_PORT = 20000
_HERE = Path(__file__).resolve().parent
_SRCONF = _HERE / "srconf"
NAMES = "/var/lib/srv6lab/nics"

Files = Mapping[str, str | bytes]


def render(plan: Plan) -> Mapping[str, str]:
    """Every file of the lab by its path: `day0/<node>.sh`. The same plan gives the same bytes."""
    return day0_scripts(plan)


def day0_scripts(plan: Plan) -> dict[str, str]:
    """Day0 of every machine by its path: what a node runs, wherever it runs."""
    return {day0_path(machine): _day0(plan, machine) for machine in plan.machines}


def day0_path(machine: Machine) -> str:
    return f"day0/{machine.name}.sh"


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A NIC as hypervisors have it. VirtualBox: by its number, with a MAC without colons, on a named network.
    libvirt: by its slot, with a UDP port that is its end of the link and one that is the other."""

    number: int
    mac: str
    network: str
    pcap: str
    slot: int
    port: int
    peer_port: int


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
    machines = [_virtual_machine(plan, machine) for machine in plan.machines]
    srconf = srconf_files() if any(machine.srconf for machine in machines) else {}
    agents = agent_files() if any(machine.agent for machine in machines) else {}
    # The Vagrantfile comes last, so that writing in this order never leaves it without what it names.
    text = _template(f"{VAGRANTFILE}.j2", plan=plan, machines=machines)
    return {**day0_scripts(plan), **srconf, **agents, VAGRANTFILE: text}


def single_vm(plan: Plan) -> Files:
    """The Vagrantfile of one machine for the whole lab, what readies it, and the nodes' Day0."""
    first, day0 = plan.machines[0], f"day0/{SINGLE_VM}.sh"
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
    text = _template(f"{VAGRANTFILE}.j2", plan=plan, machines=[machine])
    return {**day0_scripts(plan), day0: _template("single-vm.sh.j2", path=day0), VAGRANTFILE: text}


def srconf_files() -> Files:
    """The SR proxy for kernels without SREXT, as a node needs it: `srconf/…`."""
    files: dict[str, str | bytes] = {}
    for path in sorted(_SRCONF.iterdir()):
        if path.suffix == ".o":
            files[f"srconf/{path.name}"] = path.read_bytes()
        elif path.suffix == ".py" or path.name == "srconf":
            files[f"srconf/{path.name}"] = path.read_text(encoding="utf-8")
    return files


def agent_files() -> Files:
    """The agent of SR policies as a node needs it: `agent/srv6lab/…`."""
    paths = sorted(path for pattern in agent.FILES for path in _HERE.glob(pattern))
    return {f"agent/srv6lab/{path.relative_to(_HERE).as_posix()}": path.read_text("utf-8") for path in paths}


def _refuse_crowded(plan: Plan) -> None:
    """VBoxManage says "Invalid NIC number", and exits 0 all the same."""
    problems = [
        Problem(
            plan.locate(("nodes", machine.name)),
            f"{machine.name} has {len(machine.nics)} links; a VirtualBox machine has room for {MOST_LINKS}",
            f"take links away, or run it without VirtualBox: invoke up lab={plan.name}",
        )
        for machine in plan.machines
        if len(machine.nics) > MOST_LINKS
    ]
    if problems:
        raise TopologyError(problems)


def _virtual_machine(plan: Plan, machine: Machine) -> _VirtualMachine:
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
        yield _Adapter(number, mac, f"{plan.name}-{nic.link}", f"{nic.trace}.pcap", number - 1, *ends)


def _ports(plan: Plan) -> dict[Point, int]:
    """A UDP port for each end of each link: two neighboring ones a link."""
    first: dict[str, int] = {}
    return {
        nic.point: _FIRST_PORT + 2 * first.setdefault(nic.link, len(first)) + (nic.point > nic.peer)
        for nic in plan.nics()
    }


def box_ovf(disk: str, capacity: int) -> str:
    """The description of a machine that VirtualBox imports, with a disk of so many bytes."""
    return _template(
        "box/box.ovf.j2", machine="srv6lab", disk=disk, capacity=capacity, memory=STANDARD.memory
    )


def ruby(value: str | int) -> str:
    """A Ruby literal that is this value, whatever is in it, on one line."""
    if isinstance(value, int):
        return str(value)
    if unfit := _NO_RUBY_TEXT.search(value):
        raise ValueError(f"a Ruby string can't hold {unfit.group()!r}")
    return f'"{_NOT_AS_IT_IS.sub(_code_point, value)}"'


def _code_point(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found.group()):x}}}"


_NO_RUBY_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_AS_IT_IS = re.compile(r"[^ !$-\[\]-~]")  # `"`, `#` and `\` too


@dataclass(frozen=True, slots=True)
class Change:
    """What an exercise changes in a node: scripts that do it, take it back, and print what it counted."""

    what: str
    node: str
    do: str
    undo: str
    count: str = ""
    counter: str = ""


def changes_of(plan: Plan, action: Action) -> tuple[Change, ...]:
    """An action of an exercise as scripts for its nodes. Taking back twice does no harm."""
    if isinstance(action, FirewallAction):
        return (_firewall(action.firewall),)
    if isinstance(action, WithdrawAction):
        return (_withdraw(plan, action.withdraw.node),)
    if isinstance(action, CutAction):
        return tuple(_cut(nic) for nic in plan.nics() if nic.link == action.cut.link)
    return (_steering(plan, action.steering),)


def _cut(nic: Nic) -> Change:
    put, take = (_template("apply/cut.sh.j2", nic=nic.name, work=work) for work in ("put", "take"))
    return Change(f"{nic.point} takes nothing in: link {nic.link} is cut", nic.point.node, put, take)


def _firewall(firewall: Firewall) -> Change:
    inner = _inner_bits(firewall.inner) if firewall.inner else ()

    def script(work: str) -> str:
        return _template("apply/firewall.sh.j2", firewall=firewall, inner=inner, work=work)

    counter = f"firewall {firewall.name}"
    what = f"{firewall.tool} on {firewall.at}, {firewall.chain}: {firewall.name}"
    return Change(what, firewall.node, script("put"), script("take"), script("count"), counter)


def _withdraw(plan: Plan, node: str) -> Change:
    routing = plan.machine(node).routing

    def script(work: str) -> str:
        return _template("apply/withdraw.sh.j2", routing=routing, work=work)

    return Change(f"{node} withdraws its locator", node, script("put"), script("take"))


def _steering(plan: Plan, steering: Steering) -> Change:
    machine = plan.machine(steering.headend)
    prefix = steering.match.prefix
    before = next((one for one in machine.policies if one.prefix == prefix), None)
    routes = machine.ways().get((prefix, None), ())

    def script(policy: PlannedPolicy | None) -> str:
        return _template("apply/steering.sh.j2", policy=policy, routes=routes, prefix=prefix)

    what = f"{machine.name} steers {prefix} over {', '.join(map(str, steering.segments))}"
    return Change(what, machine.name, script(planned_policy(machine, steering)), script(before))


@dataclass(frozen=True, slots=True)
class _Bits:
    """A field of the inner IPv4 header by its place, in bits (RFC 791 section 3.1)."""

    offset: int
    length: int
    value: str


_PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17}


def _inner_bits(inner: InnerMatch) -> tuple[_Bits, ...]:
    """nftables has no name for what lies behind an SRH, but reads any bits of it."""
    found = []
    if inner.protocol:
        found.append(_Bits(72, 8, str(_PROTOCOL_NUMBERS[inner.protocol])))
    for offset, network in ((96, inner.source), (128, inner.destination)):
        if network and network.prefixlen:
            value = int(network.network_address) >> (32 - network.prefixlen)
            found.append(_Bits(offset, network.prefixlen, hex(value)))
    return tuple(found)


def _day0(plan: Plan, machine: Machine) -> str:
    name = f"day0/{machine.role}.sh.j2"
    conf = _template("frr/frr.conf.j2", machine=machine) if machine.routing else ""
    needed = ".".join(map(str, NEEDED))
    told = machine.headend.document(NAMES) if machine.headend else {}
    cut = {
        one.cut.link for each in plan.exercises for one in each.every_action() if isinstance(one, CutAction)
    }
    flows = machine.headend.flows if machine.headend else ()
    return _template(
        name,
        lab=plan.name,
        machine=machine,
        path=day0_path(machine),
        frr_conf=conf,
        frr_needed=needed,
        policies=json.dumps(told, indent=1, sort_keys=True),
        nft=bool(flows) or any(nic.link in cut for nic in machine.nics),
    )


def _template(name: str, **values: object) -> str:
    return _environment().get_template(name).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # `up` imports it while nodes start.
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    compiled = _compiled_templates()

    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, TEMPLATES.parent]),
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None,
        undefined=StrictUndefined,
        autoescape=False,  # these are shell scripts and Ruby, not HTML: `sh` and `ruby` quote
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    environment.filters["ruby"] = ruby
    return environment


def _compiled_templates() -> Path | None:
    """Where compiled templates are kept, beside their sources as Python keeps its own; none where that
    can't be written."""
    folder = TEMPLATES / "__pycache__"
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
