"""What a running node knows: its adjacencies, sessions, SIDs and routes, as FRR and the kernel tell them.

A node is asked with one script through the provider, so namespaces and virtual machines are asked alike.
Splitting the asking from the reading, `read` is tested on what real nodes said.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_network
from typing import Any

from srv6lab.errors import MachineError, NodeError
from srv6lab.live.instance import Instance
from srv6lab.live.neighbors import (
    BfdSession,
    OspfAdjacency,
    bfd_sessions,
    neighbor_address,
    ospf6_neighbors,
    ospf_neighbors,
)
from srv6lab.plan.nodes import PlannedNode
from srv6lab.topology.scalars import Address, Network

_END = "--end of answer--"
_PATIENCE = 20.0
_SILENT = "no answer of "
MECHANISMS = {
    "vrf": "the kernel's own behaviors, in its VRFs",
    "netns": "network namespaces, one for each: this kernel has no VRFs",
}


@dataclass(frozen=True, slots=True)
class Adjacency:
    """An IS-IS adjacency on a NIC."""

    nic: str
    neighbor: str
    state: str


@dataclass(frozen=True, slots=True)
class Session:
    """A BGP session; `vrf` is "" for none, `note` why it was closed last."""

    vrf: str
    address: Address
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the kernel by one of its next hops; `segments` in visiting order where it encapsulates, `action` where it is
    a SID's, `kind` what it is if it leads nowhere."""

    prefix: Network
    nic: str
    protocol: str = ""
    segments: tuple[IPv6Address, ...] = ()
    action: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Locator:
    """A locator of FRR: the lengths of a SID's parts in bits."""

    name: str
    prefix: Network
    block: int
    node: int
    function: int
    argument: int


@dataclass(frozen=True, slots=True)
class NodeState:
    """All that one node knows; `ospf` by its version, `vpns` by the name of the VRF, `owners` says which protocol asked for a SID, and
    `drift` what of FRR's configuration isn't as Day0 left it. `dead` says which daemons are stopped or gone, `silent`
    what else didn't answer in time: then the rest lacks what these would have said."""

    adjacencies: tuple[Adjacency, ...] = ()
    ospf: Mapping[int, tuple[OspfAdjacency, ...]] = field(default_factory=dict)
    bfd: tuple[BfdSession, ...] = ()
    sessions: tuple[Session, ...] = ()
    locators: tuple[Locator, ...] = ()
    owners: Mapping[IPv6Address, tuple[str, str]] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    vpns: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    mechanism: str = ""
    drift: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def fetch_node_state(lab: Instance, node: PlannedNode, *, waiting: bool = False) -> NodeState:
    """Ask a node; NodeError if it can't be asked. Whoever is `waiting` asks often, and only for what comes late."""
    try:
        result = lab.exec(node.name, ["bash", "-c", script(node, waiting)], timeout=_PATIENCE)
    except MachineError as error:
        why = error.what.split(": ")[0]  # the script isn't for people
        raise NodeError(f"{node.name} can't be asked: {why}", error.mend, node.name) from None
    if result.exit_code:
        raise NodeError(f"{node.name} can't be asked: {result.stderr.strip()}")
    return read(node, result.stdout)


def script(node: PlannedNode, waiting: bool = False) -> str:
    """What a node is asked, each answer ended by a line of its own; what is left out while `waiting` is empty."""
    left_out = _NOT_WAITED_FOR if waiting else ()
    commands = (":" if name in left_out else command for name, command in _questions(node))
    asked = "\n".join(f"{command} 2>/dev/null\necho\necho {_END}" for command in commands)
    return _DAEMONS.replace("NAMES", " ".join(node.routing.route_daemons)) + asked if node.routing else asked


# Nobody waits for a daemon that is stopped (T) or gone; one that runs may take 5 seconds.
_DAEMONS = rf"""
daemons=$(for name in NAMES; do
  state=$(sed -n 's/^State:.\(.\).*/\1/p' "/proc/$(</run/frr/$name.pid)/status")
  echo "$name ${{state:-gone}}"
done 2>/dev/null)
runs() {{ ! grep -q "^$1.* [TZXg]" <<<"$daemons"; }}
ask() {{ ! runs "$1" || timeout 5 vtysh -d "$@" || [[ $? != 124 ]] || echo "{_SILENT}$1"; }}
"""
# The header of a hunk names the block that it is in.
_DRIFT = (
    "runs '' && said=$(timeout 5 vtysh -c 'show running-config no-header')"
    " && diff -U0 --show-function-line='^[a-z]' /var/lib/srv6lab/frr.running <(printf '%s\\n' \"$said\")"
)


_NOT_WAITED_FOR = ("drift", "locators", "sids", "mechanism")


def _questions(node: PlannedNode) -> Iterator[tuple[str, str]]:
    routing = node.routing
    if routing:
        yield "drift", _DRIFT
    if routing and routing.isis:
        yield "isis", "ask isisd -c 'show isis neighbor'"
    for ospf in routing.ospf if routing else ():
        words = "ip ospf" if ospf.version == 2 else "ipv6 ospf6"
        yield f"ospf {ospf.version}", f"ask {ospf.daemon} -c 'show {words} neighbor json'"
    if routing and routing.bfd:
        yield "bfd", "ask bfdd -c 'show bfd peers json'"
    if routing and routing.bgp:
        yield "bgp", "ask bgpd -c 'show bgp vrf all summary json'"
    if routing and routing.locators:
        yield "locators", "ask zebra -c 'show segment-routing srv6 locator json'"
        yield "sids", "ask zebra -c 'show segment-routing srv6 sid json'"
    yield "v6", "ip -6 -json route show"
    yield "v4", "ip -4 -json route show"
    for vrf in node.every_vrf():
        name = shlex.quote(vrf.name)
        inside = f"[[ -e /run/netns/{name} ]]"
        for version in vrf.versions:
            ip = f"ip -{version} -json"
            yield (
                f"vpn {vrf.name} {version}",
                f"if {inside}; then {ip} -n {name} route show; else {ip} route show vrf {name}; fi",
            )
        yield "mechanism", "cat /var/lib/srv6lab/vrf"
    if routing:
        yield "daemons", 'echo "$daemons"'


def read(node: PlannedNode, said: str) -> NodeState:
    """A node's answers as values; one that a daemon left out is empty."""
    texts = said.split(f"\n{_END}\n")
    answers = {name: text for (name, _), text in zip(_questions(node), texts, strict=False)}
    found = {name: _json(text) for name, text in answers.items() if name not in _WORDS}
    return NodeState(
        adjacencies=tuple(_adjacencies(answers.get("isis", ""))),
        ospf={
            2: tuple(ospf_neighbors(found.get("ospf 2", {}))),
            3: tuple(ospf6_neighbors(found.get("ospf 3", {}))),
        },
        bfd=tuple(bfd_sessions(found.get("bfd", []))),
        sessions=tuple(_sessions(found.get("bgp", {}))),
        locators=tuple(_locators(found.get("locators", {}))),
        owners=dict(_owners(found.get("sids", {}))),
        routes=(*_routes(found.get("v6", []), 6), *_routes(found.get("v4", []), 4)),
        vpns={
            vrf: tuple(
                one for version in (4, 6) for one in _routes(found.get(f"vpn {vrf} {version}", []), version)
            )
            for vrf in node.vrf_names()
        },
        mechanism=answers.get("mechanism", "").strip(),
        drift=tuple(_drift(answers.get("drift", ""))),
        dead=tuple(_dead(answers.get("daemons", ""))),
        silent=tuple(
            dict.fromkeys(
                f"{text.strip().removeprefix(_SILENT)} doesn't answer"
                for text in answers.values()
                if text.strip().startswith(_SILENT)
            )
        ),
    )


_WORDS = ("mechanism", "drift", "daemons", "isis")


def _dead(said: str) -> Iterator[str]:
    """`daemon STATE` a line, as /proc has it: T is stopped, Z and X have ended."""
    for daemon, state in (line.split(" ", 1) for line in said.strip().splitlines() if " " in line):
        if state == "T":
            yield f"{daemon} doesn't answer: it is stopped"
        elif state in ("gone", "Z", "X"):
            yield f"{daemon} isn't running"


def _drift(said: str) -> Iterator[str]:
    """`diff -U0` in words: the line, the block it is in, whether it is gone or new."""
    block = ""
    for line in said.splitlines()[2:]:
        if line.startswith("@@"):
            block = line.rpartition("@@")[2].strip()
        elif (text := line[1:].strip()) not in ("", "!", "exit", "exit-address-family"):
            inside = f" of `{block}`" if block and line[1:].startswith(" ") else ""
            yield f"`{text}`{inside} is {'gone' if line[0] == '-' else 'new'}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a daemon that doesn't run says so in words
        return {}


def _adjacencies(table: str) -> Iterator[Adjacency]:
    """A line for each: neighbor, NIC, level, state and more. FRR's JSON has one neighbor of a LAN only."""
    for line in table.splitlines():
        neighbor, nic, level, state, *_ = (*line.split(), "", "", "", "")
        if level.isdigit():
            yield Adjacency(nic, neighbor, state)


def _sessions(document: Any) -> Iterator[Session]:
    """One for each neighbor and VRF, though FRR lists it in each of its families."""
    seen = set()
    for vrf, families in (document or {}).items():
        for family in families.values() if isinstance(families, dict) else ():
            for name, peer in family.get("peers", {}).items() if isinstance(family, dict) else ():
                key = ("" if vrf == "default" else vrf, name)
                address = neighbor_address(name)
                if address is not None and key not in seen:
                    seen.add(key)
                    yield Session(key[0], address, peer["state"], peer.get("lastResetDueTo", ""))


def _locators(document: Any) -> Iterator[Locator]:
    for one in document.get("locators", ()) if document else ():
        yield Locator(
            name=one["name"],
            prefix=ip_network(one["prefix"]),
            block=one["blockBitsLength"],
            node=one["nodeBitsLength"],
            function=one["functionBitsLength"],
            argument=one["argumentBitsLength"],
        )


def _owners(document: Any) -> Iterator[tuple[IPv6Address, tuple[str, str]]]:
    for text, one in (document or {}).items():
        clients = ", ".join(client["protocol"] for client in one.get("clients", ()))
        yield IPv6Address(text), (clients, one["behavior"])


_DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


def _routes(document: Any, version: int) -> Iterator[Route]:
    for one in document or ():
        if one.get("type") not in (None, "unicast", "blackhole", "unreachable"):
            continue
        encap = one.get("encap", {})
        if isinstance(encap, str):  # iproute2 before 6.15 lays it flat
            encap = {**one, "encap_type": encap}
        for nic in _nics(one):
            yield Route(
                prefix=ip_network(_DEFAULT[version] if one["dst"] == "default" else one["dst"]),
                nic=nic,
                protocol=one.get("protocol", ""),
                segments=tuple(IPv6Address(sid) for sid in encap.get("segs", ())),
                action=encap.get("action", "") if encap.get("encap_type") == "seg6local" else "",
                kind="" if one.get("type") in (None, "unicast") else one["type"],
            )


def _nics(route: Mapping[str, Any]) -> list[str]:
    """The NICs that a route leaves by, one of each next hop."""
    hops: Sequence[Mapping[str, Any]] = route.get("nexthops", ())
    return [str(hop.get("dev", "")) for hop in hops] or [str(route.get("dev", ""))]
