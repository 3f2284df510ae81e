"""What a router says when it is asked why something is missing: its FRR's configuration as it runs, its NICs, its
sessions, the paths of its VPNs, and what FRR wrote about SIDs that it refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from srv6lab.errors import MachineError
from srv6lab.live.instance import Instance
from srv6lab.live.neighbors import neighbor_address
from srv6lab.plan.nodes import PlannedNode
from srv6lab.topology.scalars import Address, Network

_END = "--end of answer--"
_PATIENCE = 20.0
_REFUSED = "alloc|depleted|already in use|outside|unmatch|getting SRv6"
_QUESTIONS = {
    "configuration": "timeout 5 vtysh -c 'show running-config no-header'",
    "links": "ip -json link show",
    "v4": "ip -4 -json route show",
    "v6": "ip -6 -json route show",
    "sessions": "timeout 5 vtysh -d bgpd -c 'show bgp vrf all neighbors json'",
    "vpnv4": "timeout 5 vtysh -d bgpd -c 'show bgp ipv4 vpn json'",
    "vpnv6": "timeout 5 vtysh -d bgpd -c 'show bgp ipv6 vpn json'",
    "refused": f"grep -E '{_REFUSED}' /run/frr/frr.log | grep -E 'SID|function' | tail -n 3",
}
_WORDS = ("configuration", "refused")
SCRIPT = "\n".join(f"{command} 2>/dev/null\necho\necho {_END}" for command in _QUESTIONS.values())


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a block of FRR's configuration, in words; `family` is the address family that it is under."""

    words: tuple[str, ...]
    family: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A path of BGP to a prefix of a VPN: its next hop, whether FRR takes the path, and whether it is the router's own."""

    prefix: Network
    next_hop: str
    valid: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """All of that. `blocks` are FRR's by their first line, `mtus` those of NICs that are up, `down` NICs that aren't,
    `covered` the prefixes that the main table has a route to."""

    blocks: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    mtus: Mapping[str, int] = field(default_factory=dict)
    down: frozenset[str] = frozenset()
    covered: tuple[Network, ...] = ()
    sessions: Mapping[tuple[str, Address], Mapping[str, Any]] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    refused: tuple[str, ...] = ()

    def block(self, name: str) -> tuple[Line, ...] | None:
        """The lines of a block, None where FRR has no such block."""
        return self.blocks.get(name)

    def value(self, name: str, *words: str) -> str:
        """What stands behind these words in a block, "" where they aren't there."""
        for line in self.blocks.get(name, ()):
            if line.words[: len(words)] == words:
                return " ".join(line.words[len(words) :])
        return ""

    def says(self, name: str, *words: str) -> bool:
        return any(line.words[: len(words)] == words for line in self.blocks.get(name, ()))

    def reaches(self, address: Address) -> bool:
        return any(address.version == one.version and address in one for one in self.covered)


def fetch_answers(lab: Instance, node: PlannedNode) -> Answers | None:
    """None of a node that can't be asked."""
    try:
        return read(lab.exec(node.name, ["bash", "-c", SCRIPT], timeout=_PATIENCE).stdout)
    except MachineError:
        return None


def read(said: str) -> Answers:
    """The answers to SCRIPT as values; what was left out is empty."""
    texts = dict(zip(_QUESTIONS, said.split(f"\n{_END}\n"), strict=False))
    found = {name: _json(texts.get(name, "")) for name in _QUESTIONS if name not in _WORDS}
    links = [one for one in found["links"] or () if "ifname" in one]
    up = [one for one in links if "UP" in one["flags"] and one.get("operstate") != "DOWN"]
    return Answers(
        blocks=_blocks(texts.get("configuration", "")),
        mtus={one["ifname"]: one["mtu"] for one in up},
        down=frozenset(one["ifname"] for one in links) - {one["ifname"] for one in up},
        covered=tuple(_covered(found["v4"], "0.0.0.0/0")) + tuple(_covered(found["v6"], "::/0")),
        sessions=dict(_sessions(found["sessions"])),
        paths=(*_paths(found["vpnv4"]), *_paths(found["vpnv6"])),
        refused=tuple(map(_without_its_head, texts.get("refused", "").strip().splitlines())),
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _blocks(text: str) -> dict[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = {}
    block = family = ""
    for line in text.splitlines():
        words = tuple(line.split())
        if not words or words[0] in ("!", "exit", "exit-vrf", "end"):
            continue
        if not line.startswith(" "):
            block, family = " ".join(words), ""
            found.setdefault(block, [])
        elif words[0] == "address-family":
            family = " ".join(words[1:])
        elif words[0] == "exit-address-family":
            family = ""
        elif block:
            found[block].append(Line(words, family))
    return {name: tuple(lines) for name, lines in found.items()}


def _covered(routes: Any, default: str) -> Iterator[Network]:
    for one in routes or ():
        if one.get("type", "unicast") == "unicast" and "dst" in one:
            yield ip_network(default if one["dst"] == "default" else one["dst"])


def _sessions(document: Any) -> Iterator[tuple[tuple[str, Address], Mapping[str, Any]]]:
    for vrf, peers in (document or {}).items():
        for name, peer in peers.items() if isinstance(peers, dict) else ():
            address = neighbor_address(name)
            if address is not None and isinstance(peer, dict) and "bgpState" in peer:
                yield ("" if vrf == "default" else vrf, address), peer


def _paths(document: Any) -> Iterator[Path]:
    routes = (document or {}).get("routes", {})
    for prefixes in routes.get("routeDistinguishers", {}).values():
        for prefix, paths in prefixes.items():
            for path in paths:
                hops = ", ".join(hop["ip"] for hop in path.get("nexthops", ()))
                own = path.get("peerId") == "(unspec)"
                yield Path(_network(prefix), hops, bool(path.get("valid")), own)


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _without_its_head(line: str) -> str:
    """A line of FRR's log from its message on: `2026/11/29 10:00:00 BGP: [K7R3Q-…][EC 1] name: message`."""
    return re.sub(r"^\S+ \S+ (\w+): (\[[^\]]*\] ?)*", r"\1: ", line)
