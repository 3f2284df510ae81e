"""Edits of a lab's file, made mechanically: what authors do to a lab while it is up, by what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from srv6lab.errors import TopologyError
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.topology.load import load

Data = dict[str, Any]
_OF_EXERCISES = ("exercises", "questions", "requires", "order")


def without_exercises(path: Path) -> Data:
    """The lab alone: what its exercises name may be edited away. A short file is read as what it becomes."""
    data: Data = yaml.safe_load(path.read_text("utf-8"))
    return {key: value for key, value in data.items() if key not in _OF_EXERCISES}


def planned(data: Data, beside: Path) -> Plan | None:
    """The plan of an edited lab whose file lies in a folder with its rules; None where that is no lab."""
    path = beside / "topology.yml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    try:
        found = load(path, str(path))
        return plan(found.topology, found.source.locate, found.files)
    except TopologyError:
        return None


Edits = Iterator[tuple[str, Data]]


def edits(data: Data) -> Edits:
    """Each edit with its name, of every kind that the lab has a place for."""
    for name, node in data["nodes"].items():
        yield from _of_routes(data, name, node)
        yield from _of_node(data, name, node)
    yield from _of_segments(data)
    for index, link in enumerate(data["links"]):
        yield f"mtu of {link['name']}", _edited(data, "links", index, put={"mtu": 1800})
        yield f"another name of {link['name']}", _edited(data, "links", index, put={"name": "renamed"})
        yield f"no {link['name']}", _edited(data, "links", drop=index)
    yield from _newcomer(data)
    for name, service in data.get("services", {}).items():
        if service.get("engine") != "snort":
            yield f"frames of {name}", _edited(data, "services", name, put={"frames": "ipv4"})


def _of_routes(data: Data, name: str, node: Data) -> Edits:
    at = ("nodes", name, "routes")
    for index, route in enumerate(node.get("routes", ())):
        nowhere = {"prefix": route["prefix"], "type": "blackhole"}
        yield f"drop route {index} of {name}", _edited(data, *at, drop=index)
        yield f"refuse route {index} of {name}", _edited(data, *at, put={index: nowhere})
        yield f"metric of route {index} of {name}", _edited(data, *at, put={index: {**route, "metric": 77}})
        if "via" in route:
            six = ":" in str(route["via"])
            more = {**route, "prefix": "2001:db8:77::/64" if six else "198.51.100.0/24"}
            yield f"add a route to {name}", _edited(data, *at, add=more)


def _of_node(data: Data, name: str, node: Data) -> Edits:
    if isinstance(node.get("loopback"), str):
        more = [node["loopback"], "2001:db8:99::9/128"]
        yield f"another loopback of {name}", _edited(data, "nodes", name, put={"loopback": more})
    if node.get("role") == "host":
        yield f"{name} routes", _edited(data, "nodes", name, put={"role": "router"})
    own = {"sysctls": {"net.ipv4.tcp_fin_timeout": 33}}
    yield f"sysctl of {name}", _edited(data, "nodes", name, put=own)


def _of_segments(data: Data) -> Edits:
    for key in ("local_sids", "steering"):
        for index in range(len(data.get(key, ()))):
            yield f"drop {key} {index}", _edited(data, key, drop=index)
    for index, one in enumerate(data.get("steering", ())):
        segments = (one.get("to") or {}).get("segments", ())
        if len(segments) > 1:
            fewer = {"segments": segments[1:]}
            yield f"fewer segments in {index}", _edited(data, "steering", index, "to", put=fewer)


def _newcomer(data: Data) -> Edits:
    """A host more, at the first router."""
    for router in [name for name, node in data["nodes"].items() if node.get("role") != "host"][:1]:
        more = _edited(data, "nodes", put={"newcomer": {"role": "host"}})
        ends = [
            {"at": f"{router}:eth9", "address": "2001:db8:9::1"},
            {"at": "newcomer:eth1", "address": "2001:db8:9::2"},
        ]
        link = {"name": "net9", "prefix": "2001:db8:9::/64", "endpoints": ends}
        yield "a node more", _edited(more, "links", add=link)


def _edited(data: Data, *where: str | int, put: Any = None, drop: int | None = None, add: Any = None) -> Data:
    changed = deepcopy(data)
    at: Any = changed
    for step in where:
        at = at[step]
    for key, value in (put or {}).items():
        at[key] = value
    if drop is not None:
        del at[drop]
    if add is not None:
        at.append(add)
    return changed
