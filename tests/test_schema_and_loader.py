"""The JSON Schema is as strict as the loader: both are fed the same files, good ones and bad ones.

A file is a base with one value changed. No file is refused by the schema and taken by the loader; what only the loader
sees stands in ONLY_THE_LOADER, with why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from srv6lab.errors import TopologyError
from srv6lab.srv6.behaviors import BEHAVIORS, REGISTRY
from srv6lab.topology import scalars
from srv6lab.topology.json_schema import json_schema
from srv6lab.topology.large import spread
from srv6lab.topology.like import filled
from srv6lab.topology.load import loads
from srv6lab.topology.model import Topology
from srv6lab.topology.notation import LINE
from srv6lab.topology.yaml.source import parse
from tests.small import SMALL
from tests.test_injection import BASE

ROOT = Path(__file__).parents[1]
ERRORS = ROOT / "tests" / "errors"
LABS = sorted(ROOT.glob("labs/*/topology.yml"))
VALIDATOR = Draft202012Validator(json_schema(), validate_formats=True)

LEAVE_OUT = object()

ROUTED = re.sub(r"(edge|site)([12])", r"\1-\2", (ERRORS / "routing-router-id-twice.yml").read_text("utf-8"))
WALKED = parse(SMALL, "small.yml").data
WALKED["exercises"][0]["expect"] = {
    "walk": {
        "echo": {
            "there": [
                {"west > gate": "10.0.1.1 → 10.0.2.1 hl 64 icmp"},
                {"gate > exit": "→ fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] | same"},
                {"exit:eth1 > east:eth1": "same hl 63"},
            ]
        }
    }
}
DOCUMENT = (ROOT / "docs" / "topology.md").read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
SHORT = """\
name: short
vars: {count: 3, core_mtu: 2000, kind: router}
x-core: &core {mtu: "{core_mtu}"}
pools: {links: "2001:db8::/32"}
groups:
  all: {members: ["k[1-{count}]"], role: "{kind}", locator: "fc00:{n}::/64"}
nodes:
  k[1-{count}]:
  edge: {role: router, locator: "fc00:e::/64", routes: [{prefix: "fc00:[1-2]::/64", via: "2001:db8:0:3::9"}]}
links:
  - {<<: *core, endpoints: ["k[1-2]", "k[2-3]:eth9"]}
  - k3 - edge
  - {name: "spare-{kind}", prefix: "fd00::/64", endpoints: [{at: edge}, "k1"]}
local_sids:
  - {node: "k[1-3]", sid: "fc00:{n}::e", behavior: End}
"""
BASES: dict[str, Any] = {
    "document": parse(DOCUMENT, "topology.md").data,
    "small": parse(SMALL, "small.yml").data,
    "walked": WALKED,
    "routed": parse(ROUTED.replace("192.0.2.1", "192.0.2.2", 1), "routed.yml").data,
    "whole": BASE,
    "short": parse(SHORT, "short.yml").data,
}

# --- values that nothing of a kind can be

NO_TEXT = (7, True, None, ["x"], {"x": 1})
NO_NAME = ("", "1core", "-x", "x.y", "a" * 32, *NO_TEXT)
NO_NUMBER = ("1", "x", True, [1], {})
NO_FLAG = ("yes", "true", 1, 0, None, [])
NO_LIST = ("x", 1, {}, None)
NO_MAPPING = ("x", 1, [], None)
NO_V4 = ("", "10.0.1", "10.0.01.1", "10.0.1.256", "10.0.1.1.1", "10.0.1.1/24", "west", 10)
NO_V6 = ("", "fc00::b::e", "fc00:::e", "fc00:b::12345", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "fc00::g")
NO_V6 += ("1::2:3:4:5:6:7:8", "::10.0.0.256", "fc00::1%eth0", "fc00::1/64", "exit", 7)
NO_V6_PREFIX = ("10.0.0.0/8", "fc00:a::/129", "fc00:a::/", "fc00:a::/x", "fc00:a::/-1", "fc00::a::/64")
NO_V4_PREFIX = ("10.0.1.0/33", "10.0.1.0/", "10.0.1/24", "10.0.1.0/x", "10.0.1.0/24/24", "10.00.1.0/24")

GOOD: dict[str, dict[str, tuple[Any, ...]]] = {
    "small": {
        "name": ("x", "a" * 31, "a-1", "A_1"),
        "nodes/R_1": ({"role": "host"},),
        "links/0/name": ("Net_0",),
        "links/0/endpoints/1": ("gate:ge-0-0-1", "gate:eth1.10", "gate:eth100"),
        "description": ("", "x" * 200, "words: → and 漢字"),
        "order": (0, 10**9),
        "requires": ([], ["other"]),
        "nodes/west/memory": (128, 262144, None),
        "nodes/west/cpus": (1, 64),
        "nodes/west/box": ("bento/debian-12", "mine"),
        "nodes/west/box_version": ("202404.23.0", ">= 1.2, < 2"),
        "nodes/gate/locator": ("FC00:A::/64", "fc00:a:0:0:0:0:0:0/64", "fc00:a::/064", "fc00:a::0.0.0.0/64"),
        "nodes/gate/loopback": (
            "fc00:a::1",
            "fc00:a::1/128",
            ["fc00:a::1/64", "10.255.0.1/32"],
            "10.0.0.1/8",
            [],
            None,
        ),
        "nodes/gate/headend": ({}, {"probe_interval": 10}, {"misses": 100}),
        "nodes/west/routes/0/weight": (1, 256),
        "nodes/west/routes/0/table": (1, 252, None),
        "links/0/prefix": (
            "10.0.1.0/255.255.255.0",
            "10.0.1.0/0.0.0.255",
            "10.0.1.0/024",
            ["10.0.1.0/24"],
            ["10.0.1.0/24", "2001:1::/64"],
        ),
        "links/1/mtu": (1280, 9216),
        "links/0/igp_metric": (1, 2**24 - 1),
        "links/0/srlgs": ([], [0, 2**32 - 1]),
        "links/0/endpoints/0": (
            {"at": "west:eth1"},
            {"at": "west:eth1", "address": None, "trace": "A_1"},
            {"at": "west:eth1", "address": ["10.0.1.1", "10.0.1.7"], "mac": "02:00:00:00:00:01", "mtu": 1400},
        ),
        "local_sids/1/sid": ("FC00:B::E", "fc00:b:0:0:0:0:0:e", "fc00:b::0.0.0.14"),
        "local_sids/1/flavors": ([], ["PSP"]),
        "local_sids/1/nh6": (None,),
        "steering/0/mode": ("encap", "encap.red"),
        "exercises/0/since": ("up",),
        "exercises/0/probes/0/icmp": (1, 1000),
        "exercises/0/probes/0/udp": (None,),
        "exercises/0/probes/0/size": (56, 1472),
        "exercises/0/probes/0/oam": (False,),
        "exercises/0/probes/0/answered": ("all", "none", "at least 3", None),
        "exercises/0/probes/0/segments": ([],),
        "exercises/0/probes/0": (
            {"id": "echo", "from": "west", "to": "east", "traceroute": 32, "hops": ["*", "gate", "10.0.2.1"]},
            {"id": "echo", "from": "west", "to": "east", "udp": 3, "rate": 100000, "size": 1400},
        ),
        "exercises/0/probes/0/source": ("10.0.1.1", None),
        "exercises/0/probes/0/destination": ("10.0.2.1", None),
        "exercises/0/probes/0/family": (4, None),
        "exercises/0/probes/0/dscp": (0, 63),
        "exercises/0/probes/0/hop_limit": (1, 255, None),
        "exercises/0/steps": ([], [{"probes": [{"id": "more", "from": "west", "to": "east", "udp": 20000}]}]),
        "exercises/0/expect/elsewhere": ("any",),
        "exercises/0/expect/packets/0/hop_limit": (0, 255, None),
        "exercises/0/expect/packets/0/length": (20, 65575),
        "exercises/0/expect/packets/0/flow_label": (0xFFFFF,),
        "exercises/0/expect/packets/0/next_header": ("routing", None),
        "exercises/0/expect/packets/0/share": ("1/2", "3/3"),
        "exercises/0/expect/packets/2/absent": (False, LEAVE_OUT),
    },
    "walked": {
        "exercises/0/expect/walk/echo/there/0": (
            {"west > gate": "10.0.1.1 -> 10.0.2.1"},
            {"from west": "→ 10.0.2.1 count 3"},
            {"into gate:eth1": "* → *  hl 64\n icmp len 84"},
            {"west > gate": "@west → @east"},
        ),
        "exercises/0/expect/walk/echo/there/1": (
            {"gate > exit": "* → fc00:b::e[fc00:b::d4,*fc00:b::e]hl 63 tag 7 flow 0xab12|same icmp"},
            {"gate > exit": "→ exit.End [exit.End.DX4, *exit.End] | @west → @east"},
            {"gate > exit": "→ FC00:B::E [fc00:b::d4] SL 1 oam | 10.0.1.1 → 10.0.2.1 share 3/4"},
        ),
        "exercises/0/expect/walk/echo/there/2": ({"lost at exit": "nobody knows why: [|"},),
        "exercises/0/expect/walk/echo/back": ([], [{"from east": "10.0.2.1 → 10.0.1.1 hl 0"}]),
    },
    "routed": {
        "exercises/0/expect/control/0/fields": (
            {"isis.lsp.is_type": 3},
            {"isis.lsp.hostname": ["a", 3, True]},
            {"isis.lsp.overload": False, "isis.lsp.bits": []},
        ),
        "links/1/isis": (
            {"network": "broadcast"},
            {"metric": 2**24 - 2},
            {"metric": [10, 20]},
            {"authentication": [{"secret": "a.b"}, {"secret": "a.b", "type": "md5"}]},
        ),
        "nodes/edge-1/isis/net": ("49.0000.0000.0009.00", "49.0001.0002.0003.0000.0000.0009.00"),
        "nodes/edge-1/bgp/networks": (["fc00::/16", "::/0", "10.0.0.0/8"],),
        "nodes/edge-1/bgp/redistribute": (["connected", "static"], ["isis"]),
        "nodes/edge-1/vrfs/red/rd": ("0:4294967295", "4294967295:65535", "10.0.0.1:101", "65535:1"),
        "nodes/edge-1/vrfs/red/sid": ("auto", ["auto", "fc00:0:1:0:600::"], ["fc00:0:1:0:600::"]),
        "nodes/edge-1/vrfs/red/behavior": ("End.DT4", "End.DT46", None),
        "nodes/edge-1/vrfs/red/networks": ([], ["10.0.0.0/8", "2001:db8::/32"]),
        "nodes/edge-1/vrfs/red/redistribute": (["static"], ["connected", "static"]),
    },
    "whole": {
        "services/ids/engine": ("snort", "suricata"),
        "services/ids/ports/0/mtu": (1280, 9216),
        "services/tap/listen": ("eth2",),
        "policies/0/keep_installed": (True, False),
        "policies/0/candidate_paths/0/weight": (),
        "policies/0/candidate_paths/0/dynamic": (None,),
        "policies/0/candidate_paths/0/composite": ([],),
        "policies/0/candidate_paths/1/dynamic": ({}, {"metric": "te_metric", "exclude_srlgs": [7]}),
        "nodes/gate/headend/flows/0/dscp": (0, 63),
        "exercises/0/apply/1/firewall/verdict": ("accept",),
        "exercises/0/expect/alerts/0/count": (1, None),
        "exercises/0/expect/losses": ([{"probe": "echo", "most": 1}], [{"probe": "echo", "most": 9}], []),
    },
}

GOOD["short"] = {
    "vars/core_mtu": (1280, 9216),
    "vars/more": (True, "", "a text", -1),
    "x-what": (None, 7, {"any": ["thing", {"{n}": None}]}),
    "pools/locators": ("fd01::/32",),
    "pools/loopbacks": ("fd01::/64",),
    "groups/all/memory": (512, "{core_mtu}"),
    "groups/all/role": ("sr-proxy", "{kind}"),
    "nodes/k[1-{count}]": ({}, {"role": "router"}, {"role": "{kind}"}),
    "nodes/k2": ({}, None, {"locator": "fd02::/64"}),
    "nodes/x[7-9]": ({"role": "host"},),
    "links/0/mtu": (1280, "{core_mtu}", LEAVE_OUT),
    "links/0/endpoints/1": ("k[2-3]", {"at": "k[2-3]"}, {"at": "k[2-3]:eth[7-8]"}),
    "links/1": ("edge - k[1-{count}]", "k1:eth7 - edge:eth7"),
    "links/2/name": (LEAVE_OUT, "x[1-1]"),
    "local_sids/0/sid": ("fc00:[1-3]::f",),
    "local_sids/0/behavior": ("End",),
}
_PROBE, _PACKETS = "exercises/0/probes/0", "exercises/0/expect/packets"
_THERE = "exercises/0/expect/walk/echo/there"
BAD: dict[str, dict[str, tuple[Any, ...]]] = {
    "small": {
        "name": (*NO_NAME, LEAVE_OUT, "con", "lpt1"),
        "nmae": ("x",),
        "description": ("two\nlines", "x" * 201, 7),
        "order": (-1, *NO_NUMBER),
        "requires": (["1other"], *NO_LIST),
        "defaults": ({"memory": "1024"}, {"ram": 1024}, 7),
        "groups": ({"1core": {"members": ["gate"]}}, {"core": {"members": []}}, {"core": {}}),
        "nodes": ({}, LEAVE_OUT, *NO_MAPPING),
        "nodes/ga.te": ({"role": "host"},),
        "nodes/gate-": ({"role": "host"},),
        "nodes/localhost": ({"role": "host"},),
        "nodes/nul": ({"role": "host"},),
        "nodes/west/role": ("rooter", "Host", LEAVE_OUT, None, 7),
        "nodes/west/rolle": ("host",),
        "nodes/west/memory": (127, 262145, *NO_NUMBER),
        "nodes/west/cpus": (0, 65),
        "nodes/west/box": ("a b", "a/b/c", "x" * 101, "", 7),
        "nodes/west/box_version": ("new", "=> 1", ""),
        "nodes/west/routes/0/via": (*NO_V4, "2001:ab::2", LEAVE_OUT),
        "nodes/west/routes/0/prefix": (*NO_V4_PREFIX, "fc00:b::/64"),
        "nodes/west/routes/0/weight": (0, 257, *NO_NUMBER),
        "nodes/west/routes/0/table": (0, 253),
        "nodes/gate/locator": NO_V6_PREFIX,
        "nodes/gate/loopback": (*(one for one in NO_V6_PREFIX if one != "10.0.0.0/8"), ["fc00:a::1/129"]),
        "nodes/gate/router_id": (*NO_V4, "fc00::1"),
        "nodes/gate/headend": ({"misses": 0}, {"probe_interval": 9}, {"flows": [{}]}, None),
        "links/0": ("x", [], None),
        "links/0/prefix": (*NO_V4_PREFIX, LEAVE_OUT, [], ["10.0.1.0/33"], [["10.0.1.0/24"]]),
        "links/0/mtu": (1279, 9217, "1500"),
        "links/0/endpoints": ([], ["west:eth1"], *NO_LIST),
        "links/0/endpoints/0": (
            {"at": "west:eth1", "mac": "02:00:00:00:00"},
            "we.st",
            "west:",
            "west:e/1",
            "we.st:eth1",
            "west:abcdefghijklmnop",
            {"att": "x"},
            7,
        ),
        "links/0/igp_metric": (0, 2**24),
        "links/0/srlgs": ([-1], [2**32], 7),
        "links/0/affinities": (["red.1"],),
        "local_sids/0/node": (*NO_NAME, LEAVE_OUT),
        "local_sids/1/sid": (*NO_V6, "10.0.0.1", LEAVE_OUT),
        "local_sids/0/nh4": (*NO_V4, "fc00::1", LEAVE_OUT, None),
        "local_sids/0/nh6": ("2001:ab::2",),
        "local_sids/0/flavors": (["PSP"],),
        "local_sids/1/behavior": (
            "end",
            "End.X",
            "End.DX4",
            "",
            None,
            *(name for name in REGISTRY if name not in BEHAVIORS),
        ),
        "local_sids/1/nh4": ("10.0.2.1",),
        "local_sids/1/table": (254,),
        "local_sids/1/flavors": (["USP"], ["PSP", "PSP"], "PSP", None),
        "steering/0/to": ({}, {"segments": []}, {"segments": ["fc00:b::d4"] * 65}, {"endpoint": "fc00:b::1"}),
        "steering/0/to/segments/0": (*NO_V6, "10.0.0.1"),
        "steering/0/match": ({}, {"prefix": "10.0.2.0/33"}, {"prefixes": []}),
        "steering/0/mode": ("insert", "encap.Red"),
        "exercises": ({}, "x", None),
        "exercises/0/name": ("an exercise", "aux", LEAVE_OUT),
        "exercises/0/since": ("down",),
        "exercises/0/expect": (LEAVE_OUT, [], None),
        "exercises/0/apply": (
            [{}],
            [{"shell": "rm"}],
            [{"cut": {}}],
            [{"mtu": {"link": "core", "to": 1279}}],
        ),
        "exercises/0/steps": ([{}], [{"probes": []}]),
        "exercises/0/probes": ([], LEAVE_OUT),
        f"{_PROBE}/icmp": (0, 1001, LEAVE_OUT, None, *NO_NUMBER),
        f"{_PROBE}/udp": (5,),
        f"{_PROBE}/port": (5000,),
        f"{_PROBE}/size": (55, 8953),
        f"{_PROBE}/interval": (0, 1001),
        f"{_PROBE}/oam": (True, *NO_FLAG),
        "exercises/0/probes/0": (
            {"id": "echo", "from": "west", "to": "east", "tcp": 0},
            {"id": "echo", "from": "west", "to": "east", "tcp": 9, "answered": "at least 1"},
            {"id": "echo", "from": "west", "destination": "10.0.2.9", "tcp": 9},
            {"id": "echo", "from": "west", "to": "east", "tcp": 9, "size": 60},
            {"id": "echo", "from": "west", "icmp": 3},
            {"id": "echo", "from": "west", "to": "east", "traceroute": 33},
            {"id": "echo", "from": "west", "to": "east", "icmp": 3, "rate": 100},
            {"id": "echo", "from": "west", "to": "east", "udp": 3, "rate": 100, "interval": 1},
            {"id": "echo", "from": "west", "to": "east", "traceroute": 3, "hop_limit": 3},
            {"id": "echo", "from": "west", "to": "east", "traceroute": 3, "hops": ["a b"]},
            {"id": "echo", "from": "west", "to": "east", "icmp": 3, "hops": ["east"]},
        ),
        f"{_PROBE}/source": ("west", "fe80::1%eth1", 10),
        f"{_PROBE}/destination": ("east", "10.0.2.0/24"),
        f"{_PROBE}/family": (0, 5, "4"),
        f"{_PROBE}/dscp": (-1, 64, "ef"),
        f"{_PROBE}/hop_limit": (0, 256),
        f"{_PROBE}/segments": (["10.0.0.1"], ["fc00:b::e"] * 17),
        f"{_PACKETS}/0/at": ("gate", "gate:eth/2", "gate/:eth2", "gate:eth2:x", 7),
        f"{_PACKETS}/0/direction": ("up", "IN", LEAVE_OUT),
        f"{_PACKETS}/0/source": ("10.0.0.1", "x"),
        f"{_PACKETS}/0/hop_limit": (-1, 256, "64"),
        f"{_PACKETS}/0/next_header": ("route", "icmp", 43),
        f"{_PACKETS}/0/protocol": ("imcp", "ICMP", 1),
        f"{_PACKETS}/0/length": (19, 65576),
        f"{_PACKETS}/0/segment_list": (["10.0.0.1"], [], ["fc00:b::e"] * 65),
        f"{_PACKETS}/0/segments_left": (-1, 128, "1"),
        f"{_PACKETS}/0/flow_label": (2**20,),
        f"{_PACKETS}/0/tag": (65536,),
        f"{_PACKETS}/0/inner": ({"sauce": "10.0.1.1"}, {"source": "10.0.1.1", "destination": "fc00::1"}, []),
        f"{_PACKETS}/1/protocol": ("icmpv6",),
        f"{_PACKETS}/1/share": ("1/2", "half", "0/2", 1),
        f"{_PACKETS}/2/absent": NO_FLAG,
        f"{_PACKETS}/2/count": (0, 1),
        f"{_PACKETS}/2/share": ("1/2",),
        f"{_PACKETS}/2/segment_list": ([],),
        "exercises/0/expect/losses": (
            [{"probe": "echo"}],
            [{"most": 1}],
            [{"probe": "echo", "most": -1}],
            {},
        ),
        f"{_PROBE}/answered": ("some", "at least 0", "at least", "ALL", 3),
        "exercises/0/expect/counters": (
            [{"packets": 1}],
            [{"firewall": "a", "sid": "fc00::1", "packets": 1}],
        ),
    },
    "walked": {
        f"{_THERE}/0": (
            {"west > gate": ""},
            {"west > gate": "10.0.1.1"},
            {"west > gate": "10.0.1.1 10.0.2.1"},
            {"west > gate": "10.0.1.1→10.0.2.1"},
            {"west > gate": "10.0.1.1 →"},
            {"west > gate": "10.0.1.1 => 10.0.2.1"},
            {"west > gate": "west → east"},
            {"west > gate": "@ → @east"},
            {"west > gate": "exit.end → @east"},
            {"lost at west": ""},
            {"lost at west:eth1": "a NIC"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 ttl 64"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 hl"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 hl -1"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 imcp"},
            {"west > gate": "| 10.0.1.1 → 10.0.2.1"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 |"},
            {"west > gate": "10.0.1.1 → 10.0.2.1 [fc00::1"},
            {"west > gate": " | ".join(["10.0.1.1 → 10.0.2.1"] * 4)},
            {"west > gate": "10.0.1.1 → 10.0.2.1" + " " * 1000},
            {"west > gate": 7},
            {"west > gate": None},
            {"west>gate": "10.0.1.1 → 10.0.2.1"},
            {"we.st > gate": "10.0.1.1 → 10.0.2.1"},
            {"west": "10.0.1.1 → 10.0.2.1"},
            {"west > gate > exit": "10.0.1.1 → 10.0.2.1"},
            {"west > gate": "same hl 64", "gate > exit": "same"},
            {},
            "west > gate",
        ),
        f"{_THERE}/1": ({"gate > exit": "same | same ]"}, {"gate > exit": "samehl 63"}),
        "exercises/0/expect/walk/echo": ([], {"their": []}, {"unreviewed": "yes"}, {"there": {}}),
        "exercises/0/expect/walk": ({"ec.ho": {}}, [], None),
    },
    "routed": {
        "exercises/0/expect/control/0/fields": (
            {},
            {"hostname": "edge-1"},
            {"isis.lsp.hostname": None},
            {"isis.lsp.hostname": {"x": 1}},
            {"isis.lsp.hostname": [["x"]]},
            {"isis.lsp.hostname": "two\nlines"},
            {"isis." + "x" * 120: "edge-1"},
        ),
        "exercises/0/expect/control/0/protocol": ("ospf", "isis"),
        "exercises/0/expect/control": ([],),
        "links/1/isis": (
            {"metric": 0},
            {"metric": []},
            {"metric": [10, 0]},
            {"metric": 2**24 - 1},
            {"network": "ring"},
            {"level": "2-1"},
            {"passive": "yes"},
            {"authentication": {"secret": "a b"}},
            {"authentication": {"secret": "a", "type": "sha"}},
        ),
        "nodes/edge-1/isis/net": ("49.0001.00", "49.0000.0000.0001.01", "49.0000.0000.000g.00", 49),
        "nodes/edge-1/isis/instance": ("my core", "x" * 17),
        "nodes/edge-1/isis/redistribute": (["ospf"], "bgp"),
        "nodes/edge-1/bgp/as": (0, 2**32, "100", LEAVE_OUT),
        "nodes/edge-1/bgp/neighbors": ([], LEAVE_OUT),
        "nodes/edge-1/bgp/neighbors/0/families": ([], ["vpnv5"], "vpnv4"),
        "nodes/edge-1/bgp/neighbors/0/reflector_client": NO_FLAG,
        "nodes/edge-1/bgp/neighbors/0/multihop": (0, 1, 256, "2"),
        "nodes/edge-1/bgp/neighbors/0/via": ("tunnel", ["link"]),
        "nodes/edge-1/bgp/redistribute": (["bgp"], "connected"),
        "nodes/edge-1/bgp/sid": ("Auto", "10.0.0.1", ["auto", "auto", "auto"], 5),
        "nodes/edge-1/bgp/neighbors/0/next_hop_self": NO_FLAG,
        "nodes/edge-1/bgp/networks": (["10.0.0.0/33"], ["fc00::/129"]),
        "nodes/edge-1/vrfs/red/rd": (
            "100",
            "100:1:1",
            "a:1",
            100,
            "65536:65536",
            "10.0.0.1:65536",
            "10.0.0.256:1",
        ),
        "nodes/edge-1/vrfs/red/sid": ([], "fc00::x", "automatic", ["auto", "auto", "auto"], 1),
        "nodes/edge-1/vrfs/red/behavior": ("End.DX4", "DT4", ["End.DT4"]),
        "nodes/edge-1/vrfs/red/networks": ("10.0.0.0/8", ["10.0.0.0/33"]),
        "nodes/edge-1/vrfs/red/redistribute": (["isis"], "static"),
        "nodes/edge-1/vrfs/red/import_vrf": ([], "blue", ["a b"]),
        "nodes/edge-1/vrfs/red/import": ([], ["1"], "1:1"),
        "nodes/edge-1/vrfs/Red": ({},),
        "nodes/edge-1/sid_structure": (
            {"block": 129, "node": 16},
            {"block": 32},
            {"block": 32, "node": "16"},
        ),
    },
    "whole": {
        "groups/edge/members": ([], ["west", "west"], LEAVE_OUT),
        "services/ids/ports": ([], LEAVE_OUT),
        "services/ids/netns": (LEAVE_OUT, None, "b.ox"),
        "services/ids/engine": ("zeek",),
        "services/ids/rules": ("/etc/rules", "../rules", "a b", "", LEAVE_OUT),
        "services/ids/sr_aware": NO_FLAG,
        "services/ids/ports/0/outside": ("lo", "eth3", "a" * 16, "v/a"),
        "services/ids/ports/0/inside": ("all",),
        "services/tap/listen": (None, LEAVE_OUT, "eth2 "),
        "services/tap/sr_aware": (True,),
        "local_sids/3/service": (LEAVE_OUT, 7),
        "local_sids/4/table": (0, 2**32, LEAVE_OUT),
        "local_sids/6/policy": (LEAVE_OUT, {"segments": []}, {"endpoint": "fc00:b::1"}),
        "local_sids/6/flavors": (["PSP"],),
        "policies/0/color": (0, 2**32, LEAVE_OUT),
        "policies/0/endpoint": (*NO_V6[:3], "10.0.0.1"),
        "policies/0/priority": (-1, 256),
        "policies/0/name": ("café", "x" * 101),
        "policies/0/keep_installed": NO_FLAG,
        "policies/0/candidate_paths": ([], [{}]),
        "policies/0/candidate_paths/0/dynamic": ({},),
        "policies/0/candidate_paths/0/segment_lists": (LEAVE_OUT, [], [{"segments": []}], [{"weight": 1}]),
        "policies/0/candidate_paths/0/origin": ("static",),
        "policies/0/candidate_paths/0/checks": (["all"],),
        "policies/0/candidate_paths/1/dynamic": ({"metric": "hops"}, None),
        "steering/0/to": ({"endpoint": "fc00:b::1", "colors": [20]}, {"colors": [20]}),
        "steering/0/to/colors": ([], [0]),
        "steering/0/to/array": ([{"class": 1, "color": 10}],),
        "steering/1/to/array/0/class": (-1, 8),
        "nodes/gate/headend/flows/0/dscp": (64,),
        "nodes/gate/headend/flows/0/protocol": (LEAVE_OUT, "icmp"),
        "nodes/gate/headend/flows/0/source": ("fc00::/64",),
        "exercises/0/apply/0/steering/to": ({"endpoint": "fc00:b::1", "colors": [20], "sid": "fc00:b::d4"},),
        "exercises/0/apply/0/cut": ({"link": "core"},),
        "exercises/0/apply/1/firewall/name": ("a" * 21,),
        "exercises/0/apply/1/firewall/tool": ("pf", "nftables", "ip6tables"),
        "exercises/0/apply/1/firewall/inner": ({},),
        "exercises/0/apply/1/firewall/protocol": ("icmpv6", "sctp"),
        "exercises/0/apply/1/firewall/source": ("fc00::/64",),
        "exercises/0/steps/0/apply/0/firewall/inner": (LEAVE_OUT, {"source": "fc00::/64"}),
        "exercises/0/steps/0/apply/0/firewall/source": ("10.0.1.0/24",),
        "exercises/0/steps/0/across/answered": ("at least",),
        "exercises/0/steps/0/across": (
            {"id": "x", "from": "west", "to": "east", "udp": 3, "answered": "all"},
        ),
        "exercises/0/expect/alerts/0/signature": (0, "1000"),
        "exercises/0/expect/packets/0/middle": ({"segment_list": [], "segments_left": 0},),
    },
}

BAD["short"] = {
    "vars": ([], "x", {"x-y": 1}, {"x": [1]}, {"x": None}, {"x": "a\nb"}),
    "pools": (LEAVE_OUT, {}, {"link": "2001:db8::/32"}, {"links": "2001:db8::/129"}, {"links": 7}),
    "pools/locators": ("10.0.0.0/8",),
    "include": (["/etc/passwd"], ["../x.yml"], 7, [7], "a b.yml", ""),
    "groups/all/role": ("rooter",),
    "groups/all/loopbak": ("fc00:{n}::1",),
    "groups/all/members": (LEAVE_OUT, [], None),
    "nodes/k[1-": ({},),
    "nodes/k[1-2": ({"role": "host"},),
    "links/0/mtu": ("{core mtu}", "core_mtu", "{}"),
    "links/1": ("k3", "k3 -edge", "k3 - edge - k1", "k3, edge", ""),
    "links/0/endpoints": (["k1"], [], "k1 - k2"),
    "links/0/endpoints/0": ("k1:", "k[1-2", ":eth1"),
}

# Why no schema sees it: where, what.
ONLY_THE_LOADER: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "a name that no other part of the file has": (
        ("small", "links/0/endpoints/0", "waste:eth1"),
        ("small", "local_sids/0/node", "gatte"),
        ("small", "steering/0/headend", "gatte"),
        ("small", "exercises/0/probes/0/to", "eastt"),
        (
            "small",
            "exercises/0/probes/0",
            {"id": "echo", "from": "west", "to": "east", "traceroute": 3, "hops": ["x"]},
        ),
        ("small", "exercises/0/probes/0/family", 6),
        ("small", "exercises/0/probes/0", {"id": "echo", "from": "west", "to": "east", "tcp": 10**7}),
        ("small", "exercises/0/probes/0/segments", ["fc00:b::e"]),
        ("small", "exercises/0/expect/packets/0/at", "gate:eth3"),
        ("small", "exercises/0/expect/packets/0/probe", "ecko"),
        ("walked", f"{_THERE}/0", {"west > exit": "10.0.1.1 → 10.0.2.1"}),
        ("walked", f"{_THERE}/0", {"west > gate": "@west → @easter"}),
        ("walked", f"{_THERE}/1", {"gate > exit": "→ exit.End.AD4"}),
        ("walked", "exercises/0/expect/walk/ecko", {"there": [{"from west": "10.0.1.1 → 10.0.2.1"}]}),
        ("routed", "links/0/endpoints/1/vrf", "rad"),
        ("routed", "nodes/edge-1/bgp/neighbors/0/node", "edge-3"),
        ("whole", "local_sids/3/service", "idz"),
        ("whole", "exercises/0/expect/alerts/0/service", "idz"),
        ("whole", "exercises/0/steps/0/apply/1/cut/link", "cor"),
        ("whole", "services/tap/listen", "eth7"),
    ),
    "an address that no other part of the file has": (
        ("small", "steering/0/to/segments/0", "fc00:b::f"),
        ("small", "local_sids/0/nh4", "10.0.2.1"),
        ("small", "nodes/west/routes/0/via", "10.0.9.9"),
        ("small", "exercises/0/probes/0/source", "10.0.2.1"),
        ("small", "exercises/0/probes/0/destination", "10.0.1.2"),
        ("small", "links/0/endpoints/0", {"at": "west:eth1", "address": "10.0.9.9"}),
        ("whole", "policies/0/endpoint", "fc00:99::1"),
        ("whole", "exercises/0/expect/counters/1/sid", "fc00:b::f"),
    ),
    "two parts that may not be the same": (
        ("small", "links/2/name", "core"),
        ("small", "links/2/prefix", "10.0.1.0/24"),
        ("small", "links/2/endpoints/0", "west:eth1"),
        ("small", "local_sids/1/sid", "fc00:b::d4"),
        ("small", "nodes/exit/locator", "fc00:a::/64"),
        (
            "small",
            "steering/1",
            {"headend": "gate", "match": {"prefix": "10.0.2.0/24"}, "to": {"segments": ["fc00:a::d4"]}},
        ),
        ("small", "exercises/0/probes/0/to", "west"),
        ("whole", "policies/1/color", 10),
        ("routed", "nodes/edge-2/router_id", "192.0.2.2"),
    ),
    "what a name is to a machine": (
        ("small", "links/0/endpoints/0", "west:eth0"),
        ("small", "links/0/endpoints/0", "west:lo"),
        ("small", "links/2/name", "Core"),
        ("small", "nodes/Gate", {"role": "host"}),
        ("small", "nodes/gate_", {"role": "host"}),
    ),
    "what a range or a variable becomes": (
        ("short", "vars/core_mtu", "much"),
        ("short", "vars/kind", "rooter"),
        ("short", "vars/n", 7),
        ("short", "vars/count", 0),
        ("short", "vars/count", 10**9),
        ("short", "links/0/mtu", "{core_mut}"),
        ("short", "links/0/endpoints/1", "k[1-3]"),
        ("short", "links/1", "k3 - k4"),
        ("short", "nodes/edge/locator", "fc00:{n}::/64"),
        ("short", "local_sids/0/node", "k[1-4]"),
        ("short", "groups", LEAVE_OUT),
        ("short", "groups/all/members", ["k[1-4]"]),
        ("short", "include", ["no.yml"]),
        ("short", "pools/links", "2001:db8::/65"),
    ),
    "two numbers that are compared": (
        ("small", "exercises/0/expect/packets/0/segments_left", 3),
        ("small", "exercises/0/expect/packets/0/share", "5/4"),
        ("small", "exercises/0/probes/0/size", 1473),
        ("small", "exercises/0/probes/0/answered", "at least 4"),
        ("routed", "nodes/edge-1/sid_structure/block", 31),
    ),
    "what the bits of an address are": (
        ("small", "links/0/prefix", "10.0.1.1/24"),
        ("small", "links/0/prefix", "10.0.1.0/255.0.255.0"),
        ("small", "nodes/gate/locator", "fc00:a::1/64"),
        ("small", "steering/0/match/prefix", "10.0.2.1/24"),
    ),
    "what an address is for": (
        ("small", "links/0/prefix", "127.0.0.0/8"),
        ("small", "links/0/prefix", "10.0.1.0/32"),
        ("small", "local_sids/1/sid", "fe80::e"),
        ("small", "local_sids/1/sid", "::"),
        ("whole", "services/ids/ports/0/prefix", "224.0.0.0/24"),
    ),
    "what the role of a node allows": (
        ("small", "nodes/exit/role", "host"),
        ("whole", "nodes/exit/role", "router"),
        ("routed", "nodes/edge-1/role", "service"),
    ),
    "what the words of a walk say together": (
        ("walked", f"{_THERE}/0", {"west > gate": "same"}),
        ("walked", f"{_THERE}/0", {"west > gate": "10.0.1 → 10.0.2.1"}),
        ("walked", f"{_THERE}/0", {"west > gate": "10.0.1.1 → 10.0.2.1 hl 256"}),
        ("walked", f"{_THERE}/0", {"west > gate": "10.0.1.1 → fc00::1"}),
        ("walked", f"{_THERE}/0", {"west > gate": "10.0.1.1 → 10.0.2.1 icmpv6"}),
        ("walked", f"{_THERE}/0", {"west > gate": "10.0.1.1 → 10.0.2.1 [fc00::1]"}),
        ("walked", f"{_THERE}/1", {"gate > exit": "→ fc00:b::e [*fc00:b::d4, *fc00:b::e] | same"}),
        ("walked", f"{_THERE}/1", {"gate > exit": "→ fc00:b::e [*fc00:b::d4] SL 1 | same"}),
        ("walked", f"{_THERE}/1", {"gate > exit": "→ fc00:b::e | same oam"}),
        ("walked", f"{_THERE}/1", {"gate > exit": "→ fc00:b::e icmp | same"}),
    ),
    "a file's name in any case of its letters": (
        ("small", "links/0/endpoints/0", {"at": "west:eth1", "trace": "COM1"}),
        ("small", "links/0/endpoints/0", {"at": "west:eth1", "trace": "Middle"}),
    ),
}


class File(NamedTuple):
    """A base with one value changed, whether the schema takes it, and whether the loader does."""

    base: str
    path: str
    value: Any
    taken: tuple[bool, bool]

    def text(self) -> str:
        data = deepcopy(BASES[self.base])
        *before, last = (int(key) if key.isdigit() else key for key in self.path.split("/"))
        part = data
        for key in before:
            part = part[key]
        if self.value is LEAVE_OUT:
            del part[last]
        else:
            part[last] = self.value
        return json.dumps(data, ensure_ascii=False)

    def __str__(self) -> str:
        shown = "left-out" if self.value is LEAVE_OUT else json.dumps(self.value)[:50]
        return f"{self.base}/{self.path}={shown}"


def _files() -> Iterator[File]:
    for table, taken in ((GOOD, (True, True)), (BAD, (False, False))):
        for base, paths in table.items():
            yield from (File(base, path, value, taken) for path in paths for value in paths[path])
    for base, path, value in chain(*ONLY_THE_LOADER.values()):
        yield File(base, path, value, (True, False))


FILES = [*_files()]


def takes(text: str | bytes) -> tuple[bool, bool]:
    """Whether the schema takes a file, and whether the loader does."""
    try:
        loads(text, "a.yml")
        loaded = True
    except TopologyError:
        loaded = False
    return VALIDATOR.is_valid(parse(text, "a.yml").data), loaded


@pytest.mark.parametrize("file", FILES, ids=str)
def test_both_say_the_same(file: File) -> None:
    assert takes(file.text()) == file.taken


def test_there_are_enough_files() -> None:
    counts = [
        sum(file.taken == taken for file in FILES) for taken in ((True, True), (False, False), (True, False))
    ]
    assert sum(counts) >= 300 and min(counts) >= 50


@pytest.mark.parametrize("base", BASES)
def test_the_bases_are_good(base: str) -> None:
    assert takes(json.dumps(BASES[base])) == (True, True)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a single value stands that a variable may stand for."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        if path or key not in ("vars", "include"):
            yield from places(value, (*path, key))
    if isinstance(data, (str, int)) and "{" not in str(data) and len(str(data)) <= 200:
        yield path


def with_variables(data: Any, which: list[tuple[Any, ...]]) -> Any:
    """The file with variables in these places."""
    data = deepcopy(data)
    values = {}
    for number, (*before, last) in enumerate(which):
        part = data
        for key in before:
            part = part[key]
        values[f"v{number}"], part[last] = part[last], f"{{v{number}}}"
    return data | {"vars": data.get("vars", {}) | values}


@pytest.mark.parametrize("base", BASES)
def test_every_value_may_be_a_variable(base: str) -> None:
    every = [*places(BASES[base])]
    assert len(every) > 10
    assert takes(json.dumps(with_variables(BASES[base], every))) == (True, True)
    refused = [path for path in every if not VALIDATOR.is_valid(with_variables(BASES[base], [path]))]
    assert refused == []


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.parent.name)
def test_the_labs_are_good(path: Path) -> None:
    text = path.read_text("utf-8")
    assert [error.message for error in VALIDATOR.iter_errors(parse(text, path.name).data)] == []
    assert takes(text) == (True, True)
    for key in ("nodes", "name"):
        data = parse(text, path.name).data
        del data[key]
        assert takes(json.dumps(data)) == (False, False)


# What the bits of an address are: see ONLY_THE_LOADER.
BITS = {"address-host-bits", "address-host-bits-ipv6", "address-mask-text", "steering-host-bits-and-unowned"}


@pytest.mark.parametrize("path", sorted(ERRORS.glob("*.yml")), ids=lambda path: path.stem)
def test_what_the_model_refuses_the_schema_refuses(path: Path) -> None:
    """And of all that the loader takes, the schema refuses nothing."""
    text = path.read_bytes()
    try:
        schema, loader = takes(text)
    except TopologyError:
        return  # no YAML
    assert schema or not loader
    if schema and not loader:
        source = parse(text, path.name)
        try:
            long, problems = spread(filled(source)[0], path.parent, ())
        except TopologyError:
            return
        if problems or long.data != source.data:
            return  # what a short file becomes, no schema sees
        try:
            Topology.model_validate(source.data)
        except ValidationError:
            assert path.stem in BITS


# --- addresses, character by character

_PIECES = (
    "::",
    ":",
    ".",
    "/",
    "0",
    "1",
    "00",
    "ab",
    "FFFF",
    "12345",
    "g",
    "255",
    "256",
    "10.0.0.1",
    "/64",
    "/032",
    "%x",
)
_KINDS = {
    scalars.V4_ADDRESS: scalars.V4Address,
    scalars.V6_ADDRESS: scalars.V6Address,
    scalars.V6_NETWORK: scalars.V6Interface,
}


@cache
def _adapter(pattern: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[pattern])


def _reads(pattern: str, text: str) -> bool:
    try:
        _adapter(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


_GROUPS = st.lists(st.sampled_from(["0", "1", "ab", "FFFF", "", "10.0.0.1"]), min_size=1, max_size=9)


@settings(max_examples=1500, deadline=None, database=None)
@given(st.one_of(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join), _GROUPS.map(":".join)))
def test_a_pattern_takes_the_addresses_that_the_loader_reads(text: str) -> None:
    for pattern in _KINDS:
        assert (re.search(pattern, text) is not None) == _reads(pattern, text), pattern


@pytest.mark.parametrize(
    "text", ["→ " + "f" * 900 + " [", "same" + " " * 990 + "x", "same " + "[a]" * 300 + "x"]
)
def test_a_long_line_is_answered_at_once(text: str) -> None:
    """An editor asks with every key that is pressed."""
    assert re.search(LINE, text) is None
