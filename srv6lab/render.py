"""Plan → {path: text}. The only room that knows Jinja2; an unknown name in a template is an error.

What reaches a shell goes through `sh`, the one quoting function for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from srv6lab.plan import Machine, Plan, PlannedPolicy, planned_policy
from srv6lab.topology import Action, Firewall, FirewallAction, InnerMatch, Steering

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def render(plan: Plan) -> Mapping[str, str]:
    """Every file of the lab by its path: `day0/<node>.sh`. The same plan gives the same bytes."""
    return day0_scripts(plan)


def day0_scripts(plan: Plan) -> dict[str, str]:
    """Day0 of every machine by its path: what a node runs, wherever it runs."""
    return {day0_path(machine): _day0(plan, machine) for machine in plan.machines}


def day0_path(machine: Machine) -> str:
    return f"day0/{machine.name}.sh"


@dataclass(frozen=True, slots=True)
class Change:
    """What an exercise changes in a node: scripts that do it, take it back, and print what it counted."""

    what: str
    node: str
    do: str
    undo: str
    count: str = ""
    counter: str = ""


def change(plan: Plan, action: Action) -> Change:
    """An action of an exercise as scripts for its node. Taking back twice does no harm."""
    if isinstance(action, FirewallAction):
        return _firewall(action.firewall)
    return _steering(plan, action.steering)


def _firewall(firewall: Firewall) -> Change:
    inner = _inner_bits(firewall.inner) if firewall.inner else ()

    def script(work: str) -> str:
        return _template("apply/firewall.sh.j2", firewall=firewall, inner=inner, work=work)

    counter = f"firewall {firewall.name}"
    what = f"{firewall.tool} on {firewall.at}, {firewall.chain}: {firewall.name}"
    return Change(what, firewall.node, script("put"), script("take"), script("count"), counter)


def _steering(plan: Plan, steering: Steering) -> Change:
    machine = plan.machine(steering.headend)
    prefix = steering.match.prefix
    before = next((one for one in machine.policies if one.prefix == prefix), None)
    route = next((one for one in machine.routes if one.prefix == prefix), None)

    def script(policy: PlannedPolicy | None) -> str:
        return _template("apply/steering.sh.j2", policy=policy, route=route, prefix=prefix)

    what = f"{machine.name} steers {prefix} over {', '.join(map(str, steering.to.segments))}"
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
    return _template(name, lab=plan.name, machine=machine, path=day0_path(machine))


def _template(name: str, **values: object) -> str:
    return _environment().get_template(name).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # these are shell scripts, not HTML: `sh` quotes
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
