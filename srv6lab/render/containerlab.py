"""Plan → a containerlab topology and the Day0 scripts bound into its nodes; it starts nothing.

Every node is spelled out in full, with no defaults, kinds or groups to merge in one's head. A link says
the MAC of each of its ends, because Day0 finds a NIC by it. An SR proxy is srconf: SREXT hooks the first network
namespace of a machine, in which a container never is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from srv6lab.engines import named
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.render.day0 import day0_path, day0_scripts
from srv6lab.render.files import Files
from srv6lab.render.node_files import agent_files, srconf_files

IMAGE = "ghcr.io/srl-labs/network-multitool:latest"
_DAY0, _SRCONF = "/srv6lab/day0.sh", "/srv6lab/srconf"
_AGENT = "agent/srv6lab:/usr/local/lib/srv6lab/srv6lab:ro"

# A runtime switches IPv6 off in a container that no network of its own gives an IPv6 address to. Addresses are the
# file's, not what a neighbor advertises. Duplicate address detection would cost two seconds, and Day0 waits for it.
_IPV6_ON = {f"net.ipv6.conf.{where}.disable_ipv6": 0 for where in ("all", "default")}
_SYSCTLS = _IPV6_ON | {
    f"net.ipv6.conf.default.{name}": 0 for name in ("accept_ra", "accept_dad", "dad_transmits")
}
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def containerlab(plan: Plan, image: str = IMAGE) -> Files:
    """Every file by its path: `<lab>.clab.yml` and what it binds."""
    bridges = _bridges(plan)
    topology: dict[str, Any] = {"nodes": {one.name: _node(one, image) for one in plan.nodes}}
    topology["nodes"] |= {name: _bridge(len(ends), image) for name, ends in bridges.items()}
    if links := [*_links(plan), *_ports(bridges)]:
        topology["links"] = links
    path = f"{plan.name}.clab.yml"
    text = _heading(plan, path) + _dumped({"name": plan.name, "topology": topology})
    agent = agent_files() if any(node.headend for node in plan.nodes) else {}
    srconf = srconf_files() if any(node.proxies for node in plan.nodes) else {}
    return {path: text, **day0_scripts(plan), **agent, **srconf}


def _node(node: PlannedNode, image: str) -> dict[str, Any]:
    binds = [f"{day0_path(node)}:{_DAY0}:ro", *([_AGENT] if node.headend else [])]
    binds += [f"srconf:{_SRCONF}:ro"] if node.proxies else []
    told = f"env SRV6LAB_SRCONF={_SRCONF} " if node.proxies else ""
    return {
        "kind": "linux",
        "image": node.image or image,
        "cmd": "sleep infinity",
        "network-mode": "none",
        "sysctls": dict(_SYSCTLS),
        "binds": binds,
        "exec": ["sysctl -q -w net.ipv6.conf.all.disable_ipv6=0", f"{told}bash {_DAY0}"],
    }


def _links(plan: Plan) -> list[dict[str, Any]]:
    ends = {nic.point: nic for nic in plan.nics()}
    place = {point: number for number, point in enumerate(ends)}
    return [
        {"type": "veth", "endpoints": [_end(nic), _end(ends[nic.peer])], "mtu": nic.mtu}
        for nic in ends.values()
        if not nic.bridged and place[nic.point] < place[nic.peer]
    ]


def _bridges(plan: Plan) -> dict[str, list[Nic]]:
    """The ends of each link that has more than two, by the name of a node that is a bridge."""
    names, found = {node.name for node in plan.nodes}, dict[str, list[Nic]]()
    for nic in plan.nics():
        name = f"bridge-{nic.link}"
        while name in names:
            name += "-"
        if nic.bridged:
            found.setdefault(name, []).append(nic)
    return found


def _bridge(ends: int, image: str) -> dict[str, Any]:
    """A container of its own for a bridge, so that nothing is made on the host."""
    numbers = range(1, ends + 1)
    commands = ["ip link add name br0 type bridge forward_delay 0 mcast_snooping 0"]
    commands += [f"ip link set dev eth{number} master br0 up" for number in numbers]
    known = {"kind": "linux", "image": image, "cmd": "sleep infinity", "network-mode": "none"}
    return {**known, "exec": [*commands, "ip link set dev br0 up"]}


def _ports(bridges: dict[str, list[Nic]]) -> Iterator[dict[str, Any]]:
    for name, ends in bridges.items():
        for number, nic in enumerate(ends, 1):
            port = {"node": name, "interface": f"eth{number}"}
            yield {"type": "veth", "endpoints": [_end(nic), port], "mtu": nic.mtu}


def _end(nic: Nic) -> dict[str, str]:
    return {"node": nic.point.node, "interface": nic.name, "mac": nic.mac}


def _heading(plan: Plan, path: str) -> str:
    lines = [
        f"Lab {plan.name} for containerlab: containerlab deploy --topo {path}",
        "The image needs bash, iproute2 and sysctl; the host's kernel needs SRv6.",
    ]
    if any(node.headend for node in plan.nodes):
        lines.append("The agent of its SR policies needs python3, flock, setsid and nft in the image.")
    if any(node.proxies for node in plan.nodes):
        lines.append("Its SR proxy, srconf, needs python3 and an iproute2 with libbpf in the image.")
    if wanted := sorted({service.engine for node in plan.nodes for service in node.services}):
        engines = " or ".join(dict.fromkeys(one.name for choice in wanted for one in named(choice)))
        lines.append(f"Its services need {engines} in the image, which the default one does not have.")
    return "".join(f"# {line}\n" for line in lines)


def _dumped(document: dict[str, Any]) -> str:
    """What `yaml.safe_dump` gives; libyaml, where it is there, writes the same ten times as fast."""
    text: str = yaml.dump(document, Dumper=_DUMPER, sort_keys=False)
    return text
