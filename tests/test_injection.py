"""No text of a topology is run by anything that is rendered from it.

Every text field of the schema is attacked, keys too; the fields are found in the model, so a new one is
attacked the day it is added. A file is either refused with the place, or what is rendered from it is run
in a sandbox: bash with stubs for programs, Ruby with a stub for Vagrant. A canary means that a text ran.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis.strategies import from_regex
from pydantic import BaseModel

from srv6lab.errors import TopologyError
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.render import templates as renders
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import render
from srv6lab.render.vagrant import vagrant
from srv6lab.topology.load import Lab, load, loads
from srv6lab.topology.messages.schema import _flat as flat
from srv6lab.topology.model import Topology
from tests.conftest import sampled, tool
from tests.sandbox import Sandbox, day0, vagrantfile

RULE = 'alert icmp any any -> any any (msg:"ICMP"; sid:1000; rev:1;)\n'

# One instance of each model of the schema at least; `test_every_model_is_attacked` says which is missing.
BASE: dict[str, Any] = {
    "name": "small",
    "description": "{kind}",
    "order": 1,
    "requires": ["other"],
    "vars": {"kind": "A base"},
    "pools": {"links": "fd00::/32", "loopbacks": "fd01::/64", "locators": "fd02::/32"},
    "defaults": {"box": "bento/debian-12"},
    "groups": {
        "edge": {
            "members": ["west", "east"],
            "role": "host",
            "box": "debian/bookworm64",
            "box_version": "12.1",
        }
    },
    "nodes": {
        "west": {"role": "host", "routes": [{"prefix": "10.0.2.0/24", "via": "10.0.1.2"}]},
        "gate": {
            "role": "router",
            "locator": "fc00:a::/64",
            "loopback": ["fc00:a::1/64", "10.255.0.1/32"],
            "tunnel_source": "fc00:a::1",
            "hmac_keys": {"1": {"algorithm": "sha256", "secret": "a secret"}},
            "hmac_check": "never",
            "routes": [
                {"prefix": "fc00:b::/64", "via": "2001:ab::2"},
                {"prefix": "fc00:7::/64", "via": "fe80::2", "nic": "eth2", "metric": 5},
                {"prefix": "10.0.7.0/24", "type": "blackhole"},
                {"prefix": "10.0.7.0/24", "type": "blackhole", "table": 100},
            ],
            "rules": [
                {
                    "priority": 100,
                    "from": "10.0.1.0/24",
                    "to": "10.0.7.0/24",
                    "iif": "eth1",
                    "fwmark": 7,
                    "table": 100,
                }
            ],
            "headend": {
                "flows": [
                    {
                        "class": 1,
                        "source": "10.0.1.0/24",
                        "destination": "10.0.9.0/24",
                        "protocol": "udp",
                        "port": 5001,
                    }
                ],
                "binding_sids": ["fc00:a::b9"],
                "local_block": "fc00:a::b0/124",
            },
            "image": "debian:13",
            "commands": ["true"],
            "sysctls": {"net.ipv6.conf.eth2.hop_limit": "63", "net.core.somaxconn": 100},
            "files": [
                {"path": "/etc/own", "content": "text", "mode": "0600", "owner": "root:root"},
                {"path": "/etc/rules", "source": "own.rules"},
            ],
            "packages": ["iperf3"],
        },
        "exit": {
            "role": "sr-proxy",
            "locator": "fc00:b::/64",
            "loopback": "fc00:b::1/64",
            "routes": [
                {"prefix": "fc00:a::/64", "via": "2001:ab::1"},
                {"prefix": "fc00:a::/64", "via": "2001:ab::1", "table": 100},
                {"prefix": "10.3.0.0/16", "via": "10.0.3.2", "vrf": "red"},
            ],
            "vrfs": {"red": {"table": 110}},
        },
        "south": {"role": "host", "routes": [{"prefix": "10.0.1.0/24", "via": "10.0.3.1"}]},
        "east": {"role": "host", "routes": [{"prefix": "10.0.1.0/24", "via": "10.0.2.2"}]},
    },
    "links": [
        {
            "name": "cable",
            "prefix": "10.0.1.0/24",
            "endpoints": [
                {"at": "west:eth1", "address": "10.0.1.1", "trace": "first"},
                {"at": "gate:eth1", "address": "10.0.1.2"},
            ],
        },
        {
            "name": "core",
            "prefix": "2001:ab::/64",
            "mtu": 2000,
            "affinities": ["red"],
            "endpoints": [{"at": "gate:eth2"}, {"at": "exit:eth2"}],
        },
        {
            "name": "other",
            "prefix": "10.0.2.0/24",
            "endpoints": [{"at": "east:eth1"}, {"at": "exit:eth1", "address": "10.0.2.2"}],
        },
        {
            "name": "apart",
            "prefix": "10.0.3.0/24",
            "endpoints": [{"at": "exit:eth3", "vrf": "red"}, {"at": "south:eth1"}],
        },
    ],
    "services": {
        "ids": {
            "node": "exit",
            "netns": "box",
            "ports": [
                {"outside": "va", "inside": "ia", "prefix": "10.8.0.0/24", "trace": "ta"},
                {"outside": "vb", "inside": "ib", "prefix": "10.9.0.0/24"},
            ],
            "engine": "auto",
            "rules": "own.rules",
        },
        "static": {
            "node": "exit",
            "netns": "cell",
            "ports": [
                {"outside": "vc", "inside": "ic", "prefix": "10.6.0.0/24", "trace": "tc"},
                {"outside": "vd", "inside": "id", "prefix": "10.7.0.0/24"},
            ],
            "engine": "auto",
            "rules": "own.rules",
        },
        "tap": {
            "node": "exit",
            "listen": "eth2",
            "engine": "suricata",
            "frames": "ipv4",
            "rules": "own.rules",
        },
    },
    "local_sids": [
        {"node": "gate", "sid": "fc00:a::d4", "behavior": "End.DX4", "nh4": "10.0.1.1"},
        {"node": "gate", "sid": "fc00:a::d6", "behavior": "End.X", "nh6": "2001:ab::2"},
        {"node": "exit", "sid": "fc00:b::d4", "behavior": "End.DX4", "nh4": "10.0.2.1"},
        {"node": "exit", "sid": "fc00:b::e", "behavior": "End.AD4", "service": "ids"},
        {"node": "exit", "sid": "fc00:b::6", "behavior": "End.DT6", "table": 100},
        {"node": "exit", "sid": "fc00:b::f", "behavior": "End", "flavors": ["PSP"]},
        {
            "node": "gate",
            "sid": "fc00:a::b6",
            "behavior": "End.B6.Encaps",
            "policy": {"segments": ["fc00:b::f", "fc00:b::6"]},
        },
        {
            "node": "exit",
            "sid": "fc00:b::a5",
            "behavior": "End.AS4",
            "service": "static",
            "policy": {"source": "fc00:b::1", "segments": ["fc00:a::d4"]},
        },
        {"node": "exit", "sid": "fc00:b::d2", "behavior": "End.DX2", "nic": "eth1"},
        {"node": "gate", "sid": "fc00:a::d2", "behavior": "End.DX2", "nic": "eth1"},
        {"node": "exit", "sid": "fc00:b::46", "behavior": "End.DT46", "vrf": "red"},
    ],
    "external": ["fc00:f::/64"],
    "policies": [
        {
            "headend": "gate",
            "color": 10,
            "endpoint": "fc00:b::1",
            "name": "gold",
            "candidate_paths": [
                {
                    "name": "explicit",
                    "origin": "bgp",
                    "originator": {"as": 65000, "node": "fc00:b::1"},
                    "binding_sid": "fc00:a::b1",
                    "segment_lists": [{"segments": ["fc00:b::f"], "weight": 3}],
                },
                {
                    "discriminator": 1,
                    "binding_sid": "fc00:a::b1",
                    "dynamic": {
                        "metric": "delay",
                        "include_any": ["red"],
                        "include_all": ["red"],
                        "exclude_any": ["blue"],
                    },
                },
            ],
        },
        {
            "headend": "gate",
            "color": 20,
            "endpoint": "fc00:b::1",
            "candidate_paths": [{"composite": [{"color": 10}]}],
        },
    ],
    "steering": [
        {
            "headend": "gate",
            "match": {"prefix": "10.0.8.0/24"},
            "to": {"endpoint": "fc00:b::1", "colors": [20], "sid": "fc00:b::d4"},
        },
        {
            "headend": "gate",
            "match": {"prefix": "10.0.9.0/24"},
            "to": {"endpoint": "fc00:b::1", "array": [{"class": 1, "color": 10}], "sid": "fc00:b::d4"},
        },
        {
            "headend": "gate",
            "match": {"prefix": "10.0.2.0/24"},
            "to": {"segments": ["fc00:b::e", "fc00:b::d4"]},
            "mode": "encap",
        },
        {"headend": "exit", "match": {"prefix": "10.0.1.0/24"}, "to": {"segments": ["fc00:a::d4"]}},
        {
            "headend": "gate",
            "match": {"prefix": "10.0.2.0/24", "source": "10.0.1.0/24", "nic": "eth1"},
            "to": {"segment_lists": [{"segments": ["fc00:b::f"], "weight": 2}, {"segments": ["fc00:b::f"]}]},
        },
        {
            "headend": "exit",
            "match": {"prefix": "10.0.1.0/24", "table": 100},
            "to": {"segments": ["fc00:a::d4"]},
        },
        {
            "headend": "exit",
            "match": {"prefix": "10.0.1.0/24", "vrf": "red"},
            "to": {"segments": ["fc00:a::d4"]},
        },
        {
            "headend": "gate",
            "match": {"nic": "eth1", "prefix": "10.0.2.0/24"},
            "to": {"segments": ["fc00:b::d2"]},
            "mode": "l2encap",
        },
    ],
    "exercises": [
        {
            "name": "across",
            "description": "An exercise",
            "apply": [
                {
                    "steering": {
                        "headend": "gate",
                        "match": {"prefix": "10.0.2.0/24"},
                        "to": {"segments": ["fc00:b::d4"]},
                    }
                },
                {
                    "firewall": {
                        "name": "plain",
                        "at": "exit/box",
                        "tool": "iptables",
                        "chain": "FORWARD",
                        "source": "10.0.1.0/24",
                        "destination": "10.0.2.0/24",
                        "protocol": "icmp",
                        "verdict": "drop",
                    }
                },
            ],
            "probes": [{"id": "echo", "from": "west", "to": "east", "icmp": 3}],
            "steps": [
                {
                    "apply": [
                        {
                            "firewall": {
                                "name": "deep",
                                "at": "gate",
                                "tool": "nftables",
                                "inner": {
                                    "source": "10.0.1.0/24",
                                    "destination": "10.0.2.0/24",
                                    "protocol": "icmp",
                                },
                            }
                        },
                        {"cut": {"link": "core"}},
                        {
                            "steering": {
                                "headend": "gate",
                                "match": {"nic": "eth1"},
                                "to": {"segments": ["fc00:b::f", "fc00:b::d2"]},
                                "mode": "l2encap.red",
                            }
                        },
                        {"commands": {"node": "gate", "put": ["true"], "back": ["false"]}},
                        {
                            "sid": {
                                "add": {
                                    "node": "gate",
                                    "sid": "fc00:a::5",
                                    "behavior": "End",
                                    "flavors": ["PSP"],
                                }
                            }
                        },
                        {"sid": {"delete": {"node": "exit", "sid": "fc00:b::f"}}},
                        {"route": {"add": {"node": "gate", "prefix": "fc00:c::/64", "via": "2001:ab::2"}}},
                        {"route": {"delete": {"node": "exit", "prefix": "fc00:a::/64", "table": 100}}},
                        {"link": {"at": "gate:eth2", "state": "down"}},
                        {"stop": {"node": "exit"}},
                        {"netem": {"link": "core", "loss": "10%", "delay": 5}},
                    ],
                    "across": {"id": "meanwhile", "from": "west", "to": "east", "icmp": 1, "answered": "all"},
                    "probes": [
                        {
                            "id": "again",
                            "from": "west",
                            "to": "east",
                            "source": "10.0.1.1",
                            "destination": "10.0.2.1",
                            "family": 4,
                            "dscp": 46,
                            "hop_limit": 9,
                            "icmp": 1,
                        },
                        {"id": "load", "from": "west", "to": "east", "udp": 9, "rate": 9, "size": 60},
                        {"id": "trace", "from": "west", "to": "east", "traceroute": 2, "hops": ["*", "east"]},
                        {"id": "move", "from": "west", "to": "east", "tcp": 9, "port": 80, "answered": "all"},
                    ],
                }
            ],
            "expect": {
                "elsewhere": "any",
                "walk": {"again": {"there": [{"west > gate": "10.0.1.1 → 10.0.2.1"}], "back": []}},
                "packets": [
                    {
                        "at": "gate:eth2",
                        "direction": "out",
                        "probe": "echo",
                        "source": "2001:ab::1",
                        "destination": "fc00:b::d4",
                        "protocol": "ipv4",
                        "segment_list": ["fc00:b::d4"],
                        "segments_left": 0,
                        "middle": {"source": "2001:ab::1", "segment_list": [], "protocol": "ipv4"},
                        "inner": {"source": "10.0.1.1", "destination": "10.0.2.1", "protocol": "icmp"},
                    }
                ],
                "alerts": [
                    {
                        "service": "ids",
                        "signature": 1000,
                        "source": "10.0.1.1",
                        "destination": "10.0.2.1",
                        "tunnel": {"source": "2001:ab::1", "destination": "fc00:b::e"},
                    }
                ],
                "losses": [{"probe": "again", "most": 0}],
                "counters": [{"firewall": "plain", "packets": 3}, {"sid": "fc00:b::e", "packets": 3}],
            },
        },
        {
            "name": "by-hand",
            "task": "What to reach",
            "by_hand": True,
            "apply": [
                {
                    "steering": {
                        "headend": "gate",
                        "match": {"prefix": "10.0.2.0/24"},
                        "to": {"segments": ["fc00:b::d4"]},
                    }
                }
            ],
            "probes": [{"id": "mine", "from": "west", "to": "east", "icmp": 1}],
            "expect": {"packets": [{"at": "east:eth1", "direction": "in", "probe": "mine"}]},
            "start": [{"commands": {"node": "gate", "put": ["true"], "back": ["false"]}}],
            "hints": ["Where to look"],
            "solution": [{"why": "It has to be", "node": "gate", "run": ["true"]}],
            "points": {"walk": 3},
            "questions": [
                {
                    "id": "which",
                    "ask": "Which?",
                    "hints": ["That one"],
                    "answer": {
                        "field": {"probe": "mine", "at": "east:eth1", "direction": "in", "field": "hop_limit"}
                    },
                },
                {
                    "id": "many",
                    "ask": "How many?",
                    "answer": {"count": {"probe": "mine", "at": "east:eth1", "direction": "in"}},
                },
                {"id": "way", "ask": "Which way?", "answer": {"nodes": {"probe": "mine", "leg": "there"}}},
            ],
        },
    ],
    "learner": {"name": "anna", "class": "first", "key": "0123456789abcdef0123456789abcdef"},
}

PAYLOADS = (
    "$(>canary)",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "x & touch canary #",
    "x\ntouch canary\n",
    "'; touch canary; '",
    '"; touch canary; "',
    "\\'; touch canary #",
    '\\"; touch canary #',
    "x\nEOF\ntouch canary\n",
    "x'\nEOF\ntouch canary\n",
    "${x:-$(touch canary)}",
    "a[$(touch canary)]",
    "$canary",
    "-x",
    "--flag",
    "-D/dev/null",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a/../../b",
    "{{ 1234567 * 3 }}",
    "{% for a in b %}",
    "{{ ''.__class__ }}",
    "{# x",
    "#{`touch canary`}",
    "#{File.write('canary', '')}",
    "'; File.write('canary', ''); '",
    '"; File.write("canary", ""); "',
    "\\#{`touch canary`}",
    "x\0y",
    "caf\u00e9",
    "\u202e\u2066",
    "x\u2028touch canary",
    "x\u0085touch canary",
    "*",
    "~",
    "x y",
    "x\r\ntouch canary",
    "x\ry",
    "%s%n",
    "!!ruby/object:Object {}",
    "\x1b[31m",
    "=begin",
    "__END__",
    "",
    "x" * 300,
)

Path_ = tuple[str | int, ...]
TEXTS = (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv6Interface)


def is_text(kind: Any) -> bool:
    return kind in TEXTS or get_origin(kind) is Literal


def fields(model: type[BaseModel]) -> Iterator[tuple[str, list[Any]]]:
    """Each key of a model, with the types that may stand there."""
    for name, one in model.model_fields.items():
        yield one.alias or name, list(flat(one.annotation))


def places(model: type[BaseModel], data: Any, path: Path_ = ()) -> Iterator[tuple[type[BaseModel], Path_]]:
    """Every instance of a model in the data."""
    if not isinstance(data, dict) or not set(data) <= {key for key, _ in fields(model)}:
        return
    yield model, path
    for key, kinds in fields(model):
        for kind in kinds:
            for below, where in _below(kind, data.get(key), (*path, key)):
                yield from places(below, _at(data, where[len(path) :]), where)


def _below(kind: Any, value: Any, path: Path_) -> Iterator[tuple[type[BaseModel], Path_]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from ((kind, path) for _ in [value] if isinstance(value, dict))
    elif get_origin(kind) is tuple and isinstance(value, list):
        for index, one in enumerate(value):
            for inner in flat(get_args(kind)[0]):
                yield from _below(inner, one, (*path, index))
    elif get_origin(kind) is dict and isinstance(value, dict):
        for name, one in value.items():
            for inner in flat(get_args(kind)[1]):
                yield from _below(inner, one, (*path, name))


def _at(data: Any, path: Path_) -> Any:
    for step in path:
        data = data[step]
    return data


@cache
def instances() -> dict[type[BaseModel], Path_]:
    """The first instance of each model in the base."""
    found: dict[type[BaseModel], Path_] = {}
    for model, path in places(Topology, BASE):
        found.setdefault(model, path)
    return found


def models(model: type[BaseModel] = Topology) -> set[type[BaseModel]]:
    found = {model}
    waiting = [kind for _, kinds in fields(model) for kind in kinds]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= models(kind)
        elif get_origin(kind) in (tuple, dict):
            waiting += [inner for part in get_args(kind) for inner in flat(part)]
    return found


def attacks() -> list[tuple[str, Path_, str]]:
    """`Model.key`, where it is attacked, and whether its value, its first item, its first entry or its name is replaced."""
    found = []
    for model, path in instances().items():
        for key, kinds in fields(model):
            for kind in kinds:
                where = (f"{model.__name__}.{key}", (*path, key))
                if is_text(kind):
                    found.append((*where, "value"))
                elif get_origin(kind) is tuple and any(map(is_text, flat(get_args(kind)[0]))):
                    found.append((*where, "item"))
                elif get_origin(kind) is dict:
                    found.append((*where, "name"))
                    if any(map(is_text, flat(get_args(kind)[1]))):
                        found.append((*where, "entry"))
    return sorted(set(found))


def attacked(path: Path_, how: str, payload: str) -> Iterator[dict[str, Any]]:
    """The base with the payload at one place; and where others name it, everywhere at once."""
    data = copy.deepcopy(BASE)
    parent, key = _at(data, path[:-1]), path[-1]
    if how == "item":
        old = parent[key][0] if parent.get(key) else None
        parent[key] = [payload, *parent.get(key, [])[1:]]
    elif how == "name":
        old = next(iter(parent.get(key, {"": None})), None)
        parent[key] = {payload if name == old else name: one for name, one in parent.get(key, {}).items()}
    elif how == "entry":
        old = None
        parent[key] = {**parent.get(key, {}), **dict.fromkeys([*parent.get(key, {})][:1], payload)}
    else:
        old = parent.get(key)
        parent[key] = payload
    yield data
    if isinstance(old, str) and re.fullmatch(r"[a-z][a-z0-9-]*", old):
        yield _renamed(copy.deepcopy(BASE), old, payload)


def _renamed(data: Any, old: str, new: str) -> Any:
    if isinstance(data, dict):
        keys = {key: new if key == old and not _is_key(key) else key for key in data}
        return {keys[key]: _renamed(one, old, new) for key, one in data.items()}
    if isinstance(data, list):
        return [_renamed(one, old, new) for one in data]
    if isinstance(data, str):
        return re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", lambda _: new, data)
    return data


@cache
def _all_keys() -> frozenset[str]:
    return frozenset(key for model in models() for key, _ in fields(model))


def _is_key(word: str) -> bool:
    return word in _all_keys()


def accepted(data: dict[str, Any], folder: Path) -> Lab | None:
    """The lab of an attacked file; None if it is refused, with places."""
    text = json.dumps(data, indent=1)
    try:
        lab = loads(text, "attack.yml", folder)
        plan(lab.topology, lab.source.locate, lab.files)
    except TopologyError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.location.file == "attack.yml"
            assert 1 <= problem.location.line <= text.count("\n") + 1
            assert problem.what.isprintable() and problem.mend.isprintable()
        return None
    return lab


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("attacks")
    (made / "own.rules").write_text(RULE, encoding="utf-8")
    return made


SOUND: set[tuple[str, str]] = set()  # what was run already and proven harmless


def run_all(lab: Lab, folder: Path) -> None:
    """Everything that is rendered from a lab, and every change of its exercises, run in the sandbox."""
    found = plan(lab.topology, lab.source.locate, lab.files)
    for path, text in {**render(found), **vagrant(found)}.items():
        if isinstance(text, str):
            assert "3703701" not in text, f"{path}: a text of the topology went through Jinja"
            prove(found, path, text, folder)
    for exercise in found.exercises:
        for action in (*exercise.every_action(), *exercise.start):
            for one in changes_of(found, action):
                for script in filter(None, (one.do, one.undo, one.count)):
                    prove(found, f"change:{one.node}", script, folder)


def prove(found: Plan, path: str, text: str, folder: Path) -> None:
    """Run one rendered file; nothing of the topology may run with it."""
    if (path, text) in SOUND:
        return
    if path == "Vagrantfile":
        ran = vagrantfile(folder / "ruby", text)
        assert ran.code == 0, ran.error
    elif path.startswith("day0/"):
        machine = found.node(Path(path).stem)
        sandbox, ran = day0(folder / "sandbox", found, machine, text)
        assert (ran.code, ran.canary) == (0, ""), (path, ran)
        for service in machine.services:
            written = sandbox.root / "var/lib/srv6lab/services" / service.name / "rules"
            assert written.read_bytes().decode().replace(str(sandbox.root), "") == service.rules
        _bash_understands(text)
    elif path.startswith("change:"):
        sandbox = Sandbox.made(folder / "sandbox")
        machine = found.node(path.removeprefix("change:"))
        sandbox.machine(machine)  # Day0 may run again
        nics = sandbox.root / "var/lib/srv6lab/nics"
        nics.parent.mkdir(parents=True)
        nics.write_text("".join(f"{nic.name}={nic.name}\n" for nic in machine.nics))
        ran = sandbox.run(text)
        assert ran.code == 0, (path, text, ran)
        _bash_understands(text)
    else:
        return
    assert ran.canary == "", f"{path}: {ran.canary}"
    SOUND.add((path, text))


def _bash_understands(text: str) -> None:
    done = subprocess.run([tool("bash"), "-n"], input=text.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


EXACT = {
    "Authentication",
    "Bfd",
    "Bgp",
    "BoundSids",
    "Isis",
    "IsisLink",
    "LinkMtu",
    "Locator",
    "MtuAction",
    "Neighbor",
    "Password",
    "Ospf",
    "OspfLink",
    "SidStructure",
    "Vrf",
    "Withdrawal",
    "WithdrawAction",
}
"""Models whose texts can't hold anything that a shell or FRR reads as more than a word."""
COMPARED = {"ControlExpectation"}
"""Models whose texts are compared with what tshark says, and reach no file."""

OF_FRR = {"Frr"}
"""Models whose texts only FRR reads: tests/test_own_frr.py attacks them."""


def test_every_model_is_attacked() -> None:
    missing = {model.__name__ for model in models() if model not in instances()}
    assert missing == EXACT | COMPARED | OF_FRR, "give BASE an instance of each"


@pytest.mark.parametrize(
    "model",
    sorted((one for one in models() if one.__name__ in EXACT), key=lambda one: one.__name__),
    ids=lambda one: one.__name__,
)
def test_an_exact_text_is_one_word_whatever_it_is(model: Any) -> None:
    for leaf in _texts(model.model_json_schema()):
        if "enum" in leaf or "const" in leaf or leaf.get("format", "").startswith("ip"):
            continue
        pattern = leaf["pattern"].removesuffix("$") + r"\Z"

        @settings(max_examples=50, deadline=None, database=None)
        @given(from_regex(pattern, fullmatch=True))
        def one_word(text: str) -> None:
            assert shlex.split(text) == [text] and "#" not in text and "!" not in text, text

        one_word()


def _texts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every text that a schema allows, wherever it stands."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            yield schema
        for value in schema.values():
            yield from _texts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _texts(value)


def test_the_base_is_sound_and_its_scripts_end_well(folder: Path) -> None:
    lab = accepted(BASE, folder)
    assert lab is not None
    run_all(lab, folder)


def test_the_sandbox_writes_down_what_a_script_calls(folder: Path) -> None:
    lab = accepted(BASE, folder)
    assert lab is not None
    found = plan(lab.topology, lab.source.locate, lab.files)
    machine = found.node("exit")
    _, ran = day0(folder / "sandbox", found, machine, render(found)["day0/exit.sh"])
    for words in (
        "address replace 10.0.2.2/24 dev eth1",
        "srconf localsid add fc00:b::e end.ad4",
        "suricata -D",
    ):
        assert words in ran.calls


# `make test` attacks each field with a third of them, another third each time; `make prove` with all.
@pytest.mark.parametrize(
    "every", [pytest.param(9, id="some"), pytest.param(1, id="all", marks=pytest.mark.prove)]
)
@pytest.mark.parametrize(
    ("number", "name", "path", "how"),
    [(number, *attack) for number, attack in enumerate(attacks())],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_is_refused_or_never_run(
    number: int, name: str, path: Path_, how: str, folder: Path, every: int
) -> None:
    for payload in PAYLOADS[number % every :: every]:
        for data in attacked(path, how, payload):
            if (lab := accepted(data, folder)) is not None:
                run_all(lab, folder)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_variable_is_refused_or_never_run(payload: str, folder: Path) -> None:
    """Its value is judged where it is filled in: in a text, a name, an address, a number."""
    for path in (
        ("description",),
        ("links", 1, "name"),
        ("links", 0, "endpoints", 0, "trace"),
        ("links", 1, "mtu"),
    ):
        data = copy.deepcopy(BASE) | {"vars": {"kind": "A base", "attack": payload}}
        _at(data, path[:-1])[path[-1]] = "{attack}"
        if (lab := accepted(data, folder)) is not None:
            run_all(lab, folder)


def of_rules(content: str, folder: Path) -> Lab:
    """The base, loaded from a folder of its own in which the rules hold this content."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "own.rules").write_bytes(content.encode())
    (folder / "topology.yml").write_text(json.dumps(BASE), encoding="utf-8")
    return load(folder / "topology.yml", "attack.yml")


@pytest.mark.parametrize("payload", sampled([one for one in PAYLOADS if "\0" not in one], 10))
def test_rules_reach_their_file_as_they_are(payload: str, folder: Path) -> None:
    """In a comment at least; what is no rule is refused."""
    comments = "".join(f"# {line} .\n" for line in payload.split("\n"))
    run_all(of_rules(RULE + comments, folder / "rules"), folder)
    for odd in (RULE.replace("ICMP", payload), f"{RULE}{payload}\n"):
        with suppress(TopologyError):
            run_all(of_rules(odd, folder / "rules"), folder)


def test_rules_with_nul_are_refused(folder: Path) -> None:
    with pytest.raises(TopologyError, match=r"own\.rules can't be read: it is no text"):
        of_rules("x\0y", folder / "rules")


LEAKS = {
    "templates/day0/_services.sh.j2": ("rules={{ service.rules | sh }}", 'rules="{{ service.rules }}"'),
    "templates/day0/_common.sh.j2": (
        "#!/usr/bin/env bash\n",
        '#!/usr/bin/env bash\n: "{{ node.services[0].rules if node.services }}"\n',
    ),
    "Vagrantfile.j2": ("box_check_update = false", 'box_check_update = "{{ plan.description }}"'),
}
CARRIERS = {"day0": ("$(>canary)", "`touch canary`", "$(no-such-program)"), "Ruby": ("#{`touch canary`}",)}


@pytest.mark.parametrize("template", LEAKS)
def test_a_template_that_forgets_to_quote_is_caught(
    template: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suite can fail: with a template that quotes nothing it does."""
    shutil.copytree(renders.TEMPLATES, tmp_path / "templates")
    shutil.copy(renders.TEMPLATES.parent / "Vagrantfile.j2", tmp_path)
    text = (tmp_path / template).read_text("utf-8")
    old, new = LEAKS[template]
    assert old in text
    (tmp_path / template).write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(renders, "TEMPLATES", tmp_path / "templates")
    renders._environment.cache_clear()
    try:
        for payload in CARRIERS["day0" if "day0" in template else "Ruby"]:
            (folder / "own.rules").write_text(f"# {payload}\n", encoding="utf-8")
            lab = accepted({**BASE, "description": payload}, folder)
            assert lab is not None
            with pytest.raises(AssertionError, match=r"canary|no-such-program"):
                run_all(lab, folder)
    finally:
        (folder / "own.rules").write_text(RULE, encoding="utf-8")
        renders._environment.cache_clear()


def test_a_vagrantfile_that_forgets_to_quote_is_caught(folder: Path) -> None:
    ran = vagrantfile(folder / "leak", 'Vagrant.configure("2") { |c| c.vm.box = "#{`touch canary`}" }')
    assert ran.canary == "canary"


@pytest.mark.parametrize("text", ["$(>canary)", "touch canary", "no-such-program -x"])
def test_the_sandbox_sees_a_canary(text: str, folder: Path) -> None:
    assert (
        "canary" in Sandbox.made(folder / "sandbox").run(text).canary
        or "no-such" in Sandbox.made(folder / "sandbox").run(text).canary
    )
