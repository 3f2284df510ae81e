"""The parts of an agent: its configuration, its probes' ways and verdicts, netlink's messages, its routes."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from dataclasses import fields
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from srv6lab.agent.config import Config, load
from srv6lab.agent.flows import Flow, rules, ruleset
from srv6lab.agent.links import _link, _messages
from srv6lab.agent.probes import Liveness, srh
from srv6lab.agent.report import report
from srv6lab.agent.routes import UNKNOWN, Routes, commands, wanted
from srv6lab.srv6.packet import Srh
from srv6lab.srv6.policy.probing import way
from srv6lab.srv6.policy.routes import needed_classes
from srv6lab.srv6.policy.state import compute
from srv6lab.srv6.policy.view import View
from tests.agent.given import BSID, OVER_LINK, E, M, N, candidate, config, policy, steer
from tests.conftest import REPOSITORY, need_root
from tests.srv6.policy.rulebook import ENDPOINT, network, sids


def loaded(folder: Path, given: dict[str, Any]) -> Config:
    path = folder / "config.json"
    path.write_text(json.dumps(given))
    return load(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"interval": -1}, "`interval` is above 0 seconds, and `misses` is at least 1"),
        ({"misses": 0}, "`misses` is at least 1"),
        ({"address": "10.0.0.1"}, "10.0.0.1"),
        ({"policies": [policy(0, candidate(1, ([M], 1)))]}, "a color is from 1 to 4294967295, and this is 0"),
        ({"policies": [{"color": 1}]}, "lacks 'endpoint'"),
        ({"steering": [{"prefix": "10.0.0.1/24", "endpoint": "::1", "colors": []}]}, "has host bits set"),
        (
            {"steering": [{"prefix": "10.0.0.0/24", "endpoint": "::1", "colors": [{"hue": 1}]}]},
            "lacks 'color'",
        ),
        ({"nics": ["e1"]}, "config.json"),
        ({"flows": [{"class": 8}]}, "a forwarding class is from 0 to 7, and this is 8"),
        ({"flows": [{"class": 1, "dscp": 64}]}, "a DSCP is from 0 to 63, and this is 64"),
        ({"flows": [{"class": 1, "port": 5}]}, "a port needs its protocol"),
        ({"flows": [{"class": 1, "protocol": "udp", "port": 65536}]}, "a port is from 0 to 65535"),
        (
            {"flows": [{"class": 1, "protocol": "udp; reboot"}]},
            "a protocol is tcp or udp, and this is 'udp; reboot'",
        ),
        ({"flows": [{"class": 1, "mark": -1}]}, "a mark is from 0 to 4294967295"),
        ({"flows": [{"class": 1, "source": "10.0.0.0/8", "destination": "fc00::/8"}]}, "are of two families"),
        (
            {"arrays": [{"prefix": "10.0.0.0/8", "endpoint": "::1", "classes": {"9": 1}}]},
            "from 0 to 7, and this is 9",
        ),
    ],
)
def test_a_configuration_that_is_wrong(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        loaded(tmp_path, config(policy(10, candidate(1, ([M], 1)))) | change)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        load(tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("given", "endpoint", "expected"),
    [
        ("M E", ENDPOINT, "M E"),
        ("M", ENDPOINT, "M E"),
        ("M ME", ENDPOINT, "M ME"),
        ("M MN", ENDPOINT, "M MN E"),
        ("M X", ENDPOINT, "M X E"),
        ("M", "::", "M"),
        ("M", "2001:db8:9::1", "M"),
        ("HM E", ENDPOINT, None),
    ],
)
def test_the_way_of_a_probe(given: str, endpoint: str, expected: str | None) -> None:
    found = way(sids(given), ip_address(endpoint), network({}, []), "h")
    assert found == (None if expected is None else sids(expected))


def test_where_a_list_leaves_srv6_its_probe_goes_to_the_node(tmp_path: Path) -> None:
    db = loaded(tmp_path, config(policy(10, candidate(1, ([M], 1))))).db
    found = way((IPv6Address(M), IPv6Address("fc00:4::d4")), IPv6Address("fc00:4::1"), db, "h")
    assert found == (IPv6Address(M), IPv6Address(E))


def test_the_header_of_a_probe_is_the_models() -> None:
    """But for the segment with index 0, which the kernel fills in."""
    through = sids("M E")
    whole = Srh.of([*through, IPv6Address(0)])
    assert srh(through)[1:] == whole.to_bytes()[1:]


def lived(misses: int, events: str) -> str:
    """What a list is after each event: a probe sent (s) or answered (a)."""
    liveness, said = Liveness(misses), ""
    for event in events:
        liveness.sent() if event == "s" else liveness.answered()
        said += {None: "?", True: "+", False: "-"}[liveness.alive]
    return said


@pytest.mark.parametrize(
    ("misses", "events", "expected"),
    [
        (3, "sasa", "?+++"),
        (3, "ssss", "???-"),
        (3, "sassss", "?++++-"),
        (3, "sasssasss", "?++++++++"),
        (3, "ssssasasa", "???-----+"),
        (3, "ssssasssssa", "???--------"),
        (1, "ss", "?-"),
        (1, "ssa", "?-+"),
    ],
)
def test_a_list_is_dead_after_so_many_misses(misses: int, events: str, expected: str) -> None:
    assert lived(misses, events) == expected


def test_a_netlink_message_is_read() -> None:
    name = struct.pack("=HH", 4 + 5, 3) + b"eth1\0" + bytes(3)
    other = struct.pack("=HH", 6, 99) + bytes(4)

    def said(flags: int) -> tuple[int, str, bool]:
        return _link(struct.pack("=BxHiII", 0, 1, 7, flags, 0) + other + name)

    assert said(0x10001) == (7, "eth1", True)
    assert said(0x1) == (7, "eth1", False)
    assert said(0x10000) == (7, "eth1", False)
    body = struct.pack("=IHHII", 18, 16, 0, 0, 0) + b"ab" + bytes(2)
    assert list(_messages(body + body)) == [(16, b"ab"), (16, b"ab")]
    assert list(_messages(struct.pack("=IHHII", 0, 16, 0, 0, 0))) == [(16, b"")]


def routes(folder: Path, given: dict[str, Any]) -> Routes:
    made = loaded(folder, given)
    view = View(made.node, made.db)
    return wanted(made, compute(made.policies, view, made.space), view)


def test_the_routes_of_policies(tmp_path: Path) -> None:
    two = policy(10, candidate(200, ([M], 3), ([OVER_LINK, E], 1), binding_sid=BSID))
    gone = policy(20, candidate(1, (["fc00:9::a"], 1)), drop_upon_invalid=True)
    none = policy(30, candidate(1, (["fc00:9::a"], 1), binding_sid="fc00:1::c"))
    steering = [
        steer(10),
        steer(10, prefix="2001:db8::/64", mode="encap.red", table=100),
        steer(20, prefix="10.0.3.0/24"),
        steer(30, prefix="10.0.4.0/24", otherwise=["via", "10.0.1.9"]),
        steer(30, prefix="10.0.5.0/24"),
    ]
    found = {
        " ".join(route): " ".join(behind)
        for route, behind in routes(tmp_path, config(two, gone, none, steering=steering)).items()
    }
    assert found == {
        "10.0.2.0/24": f"nexthop encap seg6 mode encap segs {M},fc00:4::d4 dev e1 weight 3 "
        f"nexthop encap seg6 mode encap segs {OVER_LINK},{E},fc00:4::d4 dev e1 weight 1",
        "2001:db8::/64 table 100": f"nexthop encap seg6 mode encap.red segs {M},fc00:4::d4 via 2001:12::2 dev e1 weight 3 "
        f"nexthop encap seg6 mode encap.red segs {OVER_LINK},{E},fc00:4::d4 via 2001:12::2 dev e1 weight 1",
        "10.0.3.0/24": "blackhole",
        "10.0.4.0/24": "via 10.0.1.9",
        "10.0.5.0/24": "",
        f"{BSID}/128": f"nexthop encap seg6local action End.B6.Encaps srh segs {M} via 2001:12::2 dev e1 weight 3 "
        f"nexthop encap seg6local action End.B6.Encaps srh segs {OVER_LINK},{E} via 2001:12::2 dev e1 weight 1",
    }


def test_only_what_changes_is_done() -> None:
    a, b, c, d, e = (("a",), ("b",), ("c",), ("d", "table", "7"), ("e",))
    before = {a: ("via", "x"), b: ("via", "x"), c: ("via", "x"), d: UNKNOWN, e: ()}
    after = {a: ("via", "x"), b: ("blackhole",), c: (), e: ("via", "y")}
    assert [" ".join(command) for _, command in commands(before, after)] == [
        "ip route replace blackhole b",
        "ip route replace e via y",
        "ip route del c",
        "ip route del d table 7",
    ]


def test_the_report_says_the_rule_and_the_error_of_the_weights(tmp_path: Path) -> None:
    made = loaded(
        tmp_path, config(policy(10, candidate(2, ([M], 1000), ([N], 1)), candidate(1, ([E], 1), ([], 1))))
    )
    view = View(made.node, made.db)
    (found,) = report(compute(made.policies, view, made.space), {})["policies"]
    assert (found["chosen_by"], found["weight_error"], found["action"]) == (
        "the highest preference",
        "744/257257",
        "steer",
    )
    assert [(one["share"], one["weight"]) for one in found["flows"]] == [("1000/1001", 256), ("1/1001", 1)]
    assert [one["state"] for one in found["candidate_paths"]] == [
        "active: the highest preference",
        "valid, but not the highest preference",
    ]
    assert found["candidate_paths"][1]["segment_lists"][1]["faults"] == ["the list is empty"]
    json.dumps(found)


def test_flows_in_the_words_of_nftables() -> None:
    """First come, first served; a line a family, one where an address says which."""
    flows = [
        Flow(1, dscp=46),
        Flow(2, source=ip_network("10.0.0.0/8"), protocol="udp", port=53),
        Flow(3, destination=ip_network("fc00::/7"), protocol="tcp"),
        Flow(0, mark=7),
    ]
    lines = [line.strip() for line in ruleset(flows).splitlines() if "mark set" in line]
    assert lines == [
        "meta nfproto ipv4 ip dscp 46 meta mark set 0x101 accept",
        "meta nfproto ipv6 ip6 dscp 46 meta mark set 0x101 accept",
        "meta nfproto ipv4 ip saddr 10.0.0.0/8 udp dport 53 meta mark set 0x102 accept",
        "meta nfproto ipv6 ip6 daddr fc00::/7 meta l4proto tcp meta mark set 0x103 accept",
        "meta nfproto ipv4 meta mark 0x7 meta mark set 0x100 accept",
        "meta nfproto ipv6 meta mark 0x7 meta mark set 0x100 accept",
    ]
    need_root()
    subprocess.run(["unshare", "--net", "nft", "-f", "-"], input=ruleset(flows), text=True, check=True)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ({"1": 10, "2": 20}, {1, 2}),
        ({"0": 10, "1": 10}, set()),
        ({"1": 20}, set()),
        ({"0": 10, "1": 20}, set()),
    ],
)
def test_the_classes_that_need_their_tables(
    classes: dict[str, int], expected: set[int], tmp_path: Path
) -> None:
    both = policy(10, candidate(1, ([M], 1))), policy(20, candidate(1, (["fc00:9::a"], 1)))
    array = {"prefix": "10.0.2.0/24", "endpoint": "fc00:4::1", "classes": classes}
    made = loaded(tmp_path, config(*both, steering=[], arrays=[array]))
    view = View(made.node, made.db)
    assert needed_classes(made.steering, compute(made.policies, view, made.space)) == expected
    tables = {int(number): 900 + int(number) if int(number) else None for number in classes}
    assert {entry.table for one in made.steering for entry in one.entries()} == set(tables.values())


def test_a_class_has_a_rule_in_both_families_or_none() -> None:
    found = [" ".join(rule) for rule in rules(frozenset({2}))]
    assert found[2:4] == [
        f"ip {family} rule add fwmark 0x102 lookup 902 pref 1002" for family in ("-4", "-6")
    ]
    assert len(found) == 14 and sum(" del " in rule for rule in found) == 12


def test_the_configuration_in_the_documents_is_one(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "policies.md").read_text("utf-8")
    given = json.loads(text.split("```json")[1].split("```")[0])
    made = loaded(tmp_path, given)
    view = View(made.node, made.db)
    states = compute(made.policies, view, made.space)
    assert all(state.valid for state in states.values())
    assert all(wanted(made, states, view).values())
    assert set(given) == {one.name for one in fields(Config)} - {"space"} | {"arrays", "binding_sids"}
