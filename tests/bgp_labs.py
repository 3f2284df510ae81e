"""Labs of BGP routers, written in few words; and what real ones say of their tables, to be held against the simulation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import yaml

from srv6lab.plan.converged import Converged
from srv6lab.plan.converged.bgp.values import Speaker
from srv6lab.plan.nodes import Plan, PlannedNode

WORDS = {"ipv4": "ipv4 unicast", "ipv6": "ipv6 unicast"}
Path = tuple[str, ...]
Said = dict[str, list[Path]]
Kernel = set[tuple[str, str, str]]


def routers(
    links: Sequence[str], nodes: Mapping[str, Mapping[str, Any]], isis: Sequence[str] = (), both: bool = True
) -> str:
    """A topology of routers: `links` are such as "a b", those in `isis` run it; each has prefixes of both IP versions, or
    of IPv6 alone. A node's neighbors are `{other: its keys}`, with both families; its loopbacks and router id are made
    of its number. Keys of a node beside BGP's stand under `node`."""
    numbers = {name: number for number, name in enumerate(nodes, 1)}
    counts = dict.fromkeys(nodes, 0)
    wires = []
    for index, link in enumerate(links, 1):
        ends = []
        for name in link.split():
            counts[name] += 1
            ends.append(f"{name}:eth{counts[name]}")
        prefixes = [f"2001:db8:{index:x}::/64", *([f"10.1.{index}.0/24"] if both else [])]
        wires.append(
            {"name": f"n{index}", "prefix": prefixes, "endpoints": ends}
            | ({"isis": {}} if link in isis else {})
        )
    on_isis = {name for link in isis for name in link.split()}
    every = {name: _router(numbers[name], dict(said), name in on_isis, both) for name, said in nodes.items()}
    ping = {"name": "ping", "description": "A neighbor answers", "expect": {}}
    first, second = links[0].split()[:2]
    probe = {"id": "echo", "from": first, "to": second, "icmp": 1, "answered": "all"}
    lab = {"name": "routers", "nodes": every, "links": wires, "exercises": [ping | {"probes": [probe]}]}
    return yaml.safe_dump(lab, sort_keys=False)


def _router(number: int, said: dict[str, Any], on_isis: bool, both: bool) -> dict[str, Any]:
    own = said.pop("node", {})
    neighbors = [
        {"node": name.rstrip("'"), "families": ["ipv4", "ipv6"] if both else ["ipv6"]} | keys
        for name, keys in said.pop("neighbors").items()
    ]
    isis = {"isis": {"instance": "core", "net": f"49.0000.0000.{number:04x}.00"}} if on_isis else {}
    loopback = [f"fd00::{number:x}/128", *([f"10.0.0.{number}/32"] if both else [])]
    of_bgp = {"as": said.pop("as_")} | said | {"neighbors": neighbors}
    return (
        {"role": "router", "router_id": f"10.0.0.{number}", "loopback": loopback, "bgp": of_bgp} | isis | own
    )


def said_by_frr(ask: Callable[[str], str], family: str) -> Said:
    """The selected paths of a speaker, the best first: next hop, AS path, origin, MED."""
    document = json.loads(ask(f"show bgp {WORDS[family]} json"))
    return {prefix: _paths(paths) for prefix, paths in document.get("routes", {}).items() if _paths(paths)}


def _paths(paths: Sequence[Any]) -> list[Path]:
    chosen = [one for one in paths if one.get("bestpath") or one.get("multipath")]
    ordered = sorted(chosen, key=lambda one: (not one.get("bestpath"), _path(one)))
    return [_path(one) for one in ordered]


def _path(one: Any) -> Path:
    known = [hop["ip"] for hop in one["nexthops"] if hop.get("scope") != "link-local"]
    hop = next(iter(known), "on the link").replace("0.0.0.0", "::")
    return hop, one.get("path", ""), one.get("origin", ""), str(one.get("metric", 0))


def simulated(whole: Converged, node: str, family: str, like: Said) -> Said:
    """The same of the simulation. Of a next hop that FRR has link-local only, nothing is said."""
    found = {}
    for key, routes in whole.tables[Speaker(node)].get(family, {}).items():
        paths = [
            (
                str(one.next_hop or "::"),
                " ".join(map(str, one.as_path)),
                {"igp": "IGP"}.get(one.origin, one.origin),
                str(one.med),
            )
            for one in routes
        ]
        other = like.get(str(key.prefix), [])
        of_link = [
            (pair and pair[0] in ("on the link",)) or (pair or ("",))[0].startswith("fe80") for pair in other
        ]
        paths = [
            (other[n][0], *path[1:]) if n < len(other) and of_link[n] else path
            for n, path in enumerate(paths)
        ]
        found[str(key.prefix)] = [paths[0], *sorted(paths[1:])]
    return found


def in_kernel(ask: Callable[[int], str], version: int) -> Kernel:
    """The routes that protocols brought: prefix, NIC, and the SID that they lead to."""
    found = set()
    for route in json.loads(ask(version) or "[]"):
        for hop in route.get("nexthops") or [route]:
            encap = hop.get("encap") or {}
            if route.get("protocol") in ("bgp", "isis") and encap.get("encap_type") != "seg6local":
                found.add((_whole(route["dst"], version), hop["dev"], (encap.get("segs") or [""])[0]))
    return found


def _whole(text: str, version: int) -> str:
    return text if "/" in text else f"{text}/{32 if version == 4 else 128}"


def expected_in_kernel(whole: Converged, node: str, version: int) -> Kernel:
    return {
        (str(route.prefix), nic, str(sid or ""))
        for route in whole.ribs[node]
        if route.prefix.version == version and route.protocol in ("isis", "bgp", "ibgp") and not route.own_sid
        for (_, nic), sid in zip_longest(route.ways, route.sids)
    }


def speakers(plan: Plan) -> list[PlannedNode]:
    return [node for node in plan.nodes if node.routing and node.routing.bgp]
