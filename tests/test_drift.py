"""Which differences from Day0 a packet meets, and which of them are named for a failure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.observations import Observations
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.probes import Sent
from srv6lab.evidence.verdict import Absent, DiffersFromDay0, Item, Status, Verdict
from srv6lab.judge.diagnose.drift import met, suspects_of_drift
from srv6lab.judge.diagnose.passing import passings
from srv6lab.judge.grade import judge_run
from srv6lab.plan.nodes import PlannedProxy
from srv6lab.predict import predict
from srv6lab.report.json import verdicts_json
from srv6lab.report.junit import verdicts_junit
from srv6lab.report.text import verdicts_text
from tests.small import planned
from tests.test_observations import SILENT, TOKEN, capture_all

PLAN = planned(SILENT)
PREDICTED = {one.probe: one for one in predict(PLAN, "across")}
WAYS = [*passings(PLAN, PREDICTED)]

ETH2 = "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu"
FORWARD = "table inet zz chain c (forward): "
DX4 = "seg6local action End.DX4 nh4 10.0.1.1"
WEST_MAC = PLAN.node("west").nics[0].mac
POLICY = "10.0.2.0/24 encap seg6 mode encap segs 2 [ fc00:b::e fc00:b::d4 ] dev eth2 scope link"


def one(section: str, *lines: str, node: str = "gate", netns: str = "") -> Difference:
    """A difference whose lines are marked as `diff` marks them."""
    gone, new = (tuple(line[2:] for line in lines if line.startswith(mark)) for mark in "-+")
    return Difference(node, netns, section, gone, new)


def touched(*differences: Difference) -> list[str]:
    return [line for found in met(PLAN, differences, WAYS) for line in found.lines()]


MET = [
    ("link", f"+ eth2: {ETH2} 1280"),
    ("link", "- lo: <LOOPBACK,UP,LOWER_UP> mtu 65536"),
    ("address", "- eth2 inet6 2001:ab::1/64 scope global"),
    ("address", "+ eth9 inet6 fc00:b::e/128 scope global"),
    ("neighbor", "+ 2001:ab::2 dev eth2 lladdr 02:00:00:00:00:99 PERMANENT"),
    ("route", "- fc00:b::/64 via 2001:ab::2 dev eth2 metric 1024"),
    ("route", "+ fc00:b::e via 2001:ab::9 dev eth2 metric 1024"),
    ("route", "+ fc00:b::/64 via 2001:ab::9 dev eth2 metric 512"),
    ("route", "+ blackhole fc00:b::/96 dev lo metric 1024 error -22"),
    ("route", "+ local fc00:b::e dev lo table local metric 1024"),
    ("route", f"- {POLICY}"),
    ("route", "+ 10.0.2.1 via 10.0.1.1 dev eth1"),
    ("rule", "+ 100: from all to fc00:b::/64 blackhole"),
    ("rule", "+ 100: from all iif eth1 unreachable"),
    ("tunnel source", "+ tunsrc addr fc00:a::99"),
    ("firewall", f"+ {FORWARD}drop"),
    ("firewall", f"+ {FORWARD}ip6 daddr fc00:b::/64 drop"),
    ("firewall", "+ table ip6 zz chain c (output): policy drop"),
    ("firewall", "+ iptables filter: -A FORWARD -d 10.0.2.1/32 -j DROP"),
    ("firewall", '+ table netdev zz chain e (egress device "eth2"): ip6 dscp set ef'),
    ("tc", "+ qdisc netem 8001: dev eth2 root limit 1000 loss 10%"),
    ("tc", "+ dev eth1 filter protocol ip pref 1 flower chain 0"),
    ("sysctl", "+ net.ipv4.ip_forward = 0"),
    ("sysctl", "+ net.ipv6.conf.all.forwarding = 0"),
    ("sysctl", "+ net.ipv4.conf.eth1.rp_filter = 1"),
    ("sysctl", "+ net.ipv6.neigh.eth2.mcast_solicit = 0"),
    ("ipsec", "+ src 2001:ab::1/128 dst fc00:b::e/128 dir fwd action block priority 0 ptype main"),
    ("rule", "- 32766: from all lookup main"),
    ("firewall", "+ table ip6 zz chain c (forward): ip6 hoplimit 63 drop"),
    ("firewall", "+ table arp zz chain c (output): arp saddr ether set 02:00:00:00:00:99"),
    ("frr", "- router isis area: net 49.0000.0000.0000.0001.00"),
    ("frr", "- route-map used permit 10"),
    ("neighbor", "+ fe80::2 dev eth2 lladdr 02:00:00:00:00:99 PERMANENT"),
    ("neighbor", "- 10.0.1.1 dev eth1 lladdr 02:00:00:00:00:99 PERMANENT"),
    ("firewall", '+ table ip zz chain c (prerouting): iifname "eth1" drop'),
    ("firewall", "+ table ip6 zz chain c (postrouting): ip6 daddr fc00:b::e drop"),
    ("sysctl", "+ net.ipv4.conf.eth1.forwarding = 0"),
    ("firewall", f"+ {FORWARD}meta mark 0x00000000 drop"),
    ("firewall", f"+ {FORWARD}meta mark != 0x00000009 drop"),
    ("firewall", f"+ {FORWARD}ether saddr {WEST_MAC} drop"),
    ("firewall", f"+ {FORWARD}ether saddr != 02:00:00:00:00:99 drop"),
    ("firewall", f"+ iptables filter: -A FORWARD -m mac --mac-source {WEST_MAC} -j DROP"),
    ("firewall", "+ iptables filter: -A FORWARD -m mac ! --mac-source 02:00:00:00:00:99 -j DROP"),
    ("firewall", "+ table inet zz chain dead: drop"),
    ("address", "+ lo inet6 fc00:b::9/64 scope global"),
    ("address", "- lo inet6 2001:99::1/64 scope global"),
]  # fmt: skip

LEFT_OVER = [
    ("link", f"+ eth9: {ETH2} 1280"),
    ("address", "+ eth9 inet6 2001:99::1/64 scope global"),
    ("address", "+ eth9 inet 10.9.9.9/24 scope global eth9"),
    ("neighbor", "+ 2001:99::2 dev eth9 lladdr 02:00:00:00:00:99 PERMANENT"),
    ("neighbor", "+ 10.9.9.9 dev eth9 proxy"),
    ("route", "+ fc00:9::/64 via 2001:ab::9 dev eth2 metric 1024"),
    ("route", "+ fc00::/16 via 2001:ab::9 dev eth2 metric 1024"),
    ("route", "+ fc00:b::/64 via 2001:ab::9 dev eth2 metric 2048"),
    ("route", "+ 10.0.0.0/8 via 10.0.1.1 dev eth1"),
    ("route", "+ 10.0.2.0/24 via 10.0.1.1 dev eth1 metric 100"),
    ("route", "+ default via 2001:ab::9 dev eth2 metric 1024"),
    ("route", "+ fc00:b::e via 2001:ab::9 dev eth2 table 77 metric 1024"),
    ("route", "- broadcast 10.0.1.255 dev eth1 table local proto kernel"),
    ("route", "- anycast 2001:ab:: dev eth2 table local proto kernel metric 0"),
    ("route", "+ no route at all"),
    ("rule", "+ 100: from all to fc00:9::/64 blackhole"),
    ("rule", "+ 100: from all to fc00:b::/64 lookup 77"),
    ("rule", "+ 100: from all iif eth9 unreachable"),
    ("firewall", f"+ {FORWARD}tcp dport 22 drop"),
    ("firewall", f"+ {FORWARD}ip6 daddr fc00:9::/64 drop"),
    ("firewall", f'+ {FORWARD}iifname "eth9" drop'),
    ("firewall", '+ table netdev zz chain e (egress device "eth9"): drop'),
    ("firewall", "+ iptables filter: -A FORWARD -p tcp -m tcp --dport 22 -j DROP"),
    ("tc", "+ qdisc netem 8001: dev eth9 root limit 1000 loss 10%"),
    ("tc", "+ dev eth9 filter protocol ip pref 1 flower chain 0"),
    ("sysctl", "+ net.ipv4.conf.eth9.rp_filter = 1"),
    ("sysctl", "+ net.ipv4.conf.default.rp_filter = 1"),
    ("sysctl", "+ net.ipv4.tcp_syncookies = 0"),
    ("sysctl", "+ net.ipv4.neigh.default.gc_thresh1 = 1"),
    ("sysctl", "+ net.ipv6.icmp.echo_ignore_all = 1"),
    ("ipsec", "+ src 2001:ab::9/128 dst fc00:b::e/128 dir fwd action block priority 0 ptype main"),
    ("route", "+ 10.0.2.0/24 tos 0x10 via 10.0.1.77 dev eth1"),
    ("rule", "+ 100: from all lookup main suppress_prefixlength 64"),
    ("firewall", f"+ {FORWARD}ip6 nexthdr 43 accept"),
    ("firewall", f"+ {FORWARD}meta priority set 1:1"),
    ("firewall", f"+ {FORWARD}meta mark set 0x00000007"),
    ("firewall", "+ table ip6 zz chain c (forward): ip6 hoplimit < 5 drop"),
    ("proxy", "+ fc00:a::a1: Next hop 10.0.0.9"),
    ("frr", "+ route-map idle permit 10"),
    ("frr", "+ ip prefix-list idle seq 5 permit 10.0.0.0/8"),
    ("frr", "+ interface eth1: description the way up"),
    ("of another version", "+ eth9: what this one doesn't know"),
    ("neighbor", "+ 2001:ab::99 dev eth2 lladdr 02:00:00:00:00:98 PERMANENT"),
    ("firewall", '+ table ip zz chain c (prerouting): iifname "eth2" drop'),
    ("firewall", "+ table ip6 zz chain c (input): ip6 daddr fc00:b::e drop"),
    ("sysctl", "+ net.ipv6.conf.eth2.forwarding = 0"),
    ("firewall", f"+ {FORWARD}meta mark 0x00000009 drop"),
    ("firewall", "+ ip6tables filter: -A FORWARD -m mark --mark 0x9 -j DROP"),
    ("firewall", f"+ {FORWARD}ether saddr 02:00:00:00:00:99 drop"),
    ("firewall", f"+ {FORWARD}ether daddr != {WEST_MAC} ether saddr 02:00:00:00:00:99 drop"),
    ("firewall", "+ ip6tables filter: -A FORWARD -m mac --mac-source 02:00:00:00:00:99 -j DROP"),
    ("address", "+ lo inet6 2001:99::1/64 scope global"),
    ("address", "+ lo inet 10.9.9.9/32 scope global lo"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "line"), MET)
def test_a_packet_meets(section: str, line: str) -> None:
    assert touched(one(section, line)) == [line]


@pytest.mark.parametrize(("section", "line"), LEFT_OVER)
def test_a_leftover_that_touches_nothing_is_met_by_nobody(section: str, line: str) -> None:
    assert touched(one(section, line)) == []


@pytest.mark.parametrize(("section", "line"), [one for one in MET if one[0] != "frr"])
def test_nobody_meets_what_differs_where_no_packet_comes(section: str, line: str) -> None:
    assert touched(one(section, line, netns="aside")) == []


def test_who_answers_meets_what_answers_are_told_by() -> None:
    line = "+ net.ipv4.icmp_echo_ignore_all = 1"
    assert touched(one("sysctl", line, node="east")) == [line]


def test_who_sends_ipv4_meets_no_switch_of_ipv6() -> None:
    assert touched(one("sysctl", "+ net.ipv6.conf.eth1.hop_limit = 9", node="west")) == []


@pytest.mark.parametrize(
    ("section", "was", "now"),
    [
        ("link", f"eth2: {ETH2} 2000", f"eth2: {ETH2.replace('MULTICAST', 'MULTICAST,PROMISC')} 2000 alias uplink"),
        ("link", f"eth2: {ETH2} 2000", f"eth2: {ETH2} 1300"),
        ("route", POLICY, f"{POLICY} realm 7 advmss 1000 initcwnd 4 mtu 1400"),
        ("route", f"fc00:a::d4 encap {DX4} dev eth1", f"fc00:a::d4 encap {DX4} dev eth2"),
        ("route", "2001:ab::/64 dev eth2 proto kernel", "2001:ab::/112 dev eth2 proto kernel"),
        ("address", "eth2 inet6 2001:ab::1/64 scope global", "eth2 inet6 2001:ab::1/112 scope global"),
        ("sysctl", "net.ipv6.conf.eth2.mtu = 2000", "net.ipv6.conf.eth2.mtu = 1300"),
    ],
)  # fmt: skip
def test_words_that_no_packet_meets_are_left_out(section: str, was: str, now: str) -> None:
    assert touched(one(section, f"- {was}", f"+ {now}")) == []
    assert touched(one(section, f"- {was}", f"+ {now} mtu 99")) == [f"- {was}", f"+ {now} mtu 99"]


@pytest.mark.parametrize(
    ("section", "was", "now"),
    [
        ("link", f"eth2: {ETH2} 2000", f"eth2: {ETH2} 1200"),
        ("route", POLICY, f"{POLICY} mtu lock 1400"),
        ("route", f"fc00:a::d4 encap {DX4} dev eth1", f"fc00:a::d4 encap {DX4} dev lo"),
        ("route", "10.0.1.0/24 dev eth1 proto kernel", "10.0.0.0/8 dev eth1 proto kernel"),
        ("route", "2001:ab::/64 dev eth2 proto kernel", "2001:ab::/127 dev eth2 proto kernel"),
        ("address", "eth2 inet6 2001:ab::1/64 scope global", "eth2 inet6 2001:ab::1/128 scope global"),
        ("address", "eth2 inet6 2001:ab::1/64 scope global", "eth2 inet6 2001:ab::3/64 scope global"),
        ("sysctl", "net.ipv6.conf.eth2.mtu = 2000", "net.ipv6.conf.eth2.mtu = 1200"),
        ("rule", "32765: from all iif eth1 lookup 78", "32767: from all iif eth1 lookup 78"),
    ],
)  # fmt: skip
def test_a_change_that_parts_a_packet_from_somebody_is_met(section: str, was: str, now: str) -> None:
    assert f"- {was}" in touched(one(section, f"- {was}", f"+ {now}"))


@pytest.mark.parametrize(("hop", "met_there"), [("2001:ab::2", False), ("2001:ab::3", True)])
def test_an_end_is_an_end_x_to_where_its_route_leads(hop: str, met_there: bool) -> None:
    there = [way for way in WAYS if way.node.name == "gate" and way.out and way.out.point.nic == "eth2"]
    was, now = "action End dev eth1 metric 1024", f"action End.X nh6 {hop} dev eth2 metric 1024"
    differs = one("route", f"- fc00:b::e encap seg6local {was}", f"+ fc00:b::e encap seg6local {now}")
    assert bool(met(PLAN, [differs], there)) is met_there


def test_a_rule_that_was_typed_again_is_not_met() -> None:
    rule = "from all iif eth1 lookup 78"
    assert touched(one("rule", f"- 32765: {rule}", f"+ 32763: {rule}")) == []


def test_rules_that_changed_places_are_met() -> None:
    first, second = (f"from all iif eth1 lookup {table}" for table in (78, 79))
    swapped = one("rule", f"- 9: {first}", f"- 8: {second}", f"+ 8: {first}", f"+ 9: {second}")
    assert {line for line in swapped.lines() if line.startswith("-")} <= {*touched(swapped)}


def test_a_chain_is_met_by_a_jump_that_takes_the_packet() -> None:
    drop, table = "+ table inet zz chain dead: drop", "+ table inet zz chain c (forward): "
    idle = one("firewall", drop, f"{table}ip6 saddr fc00:9::/64 jump dead")
    assert touched(idle) == []
    taken = one("firewall", drop, f"{table}ip6 daddr fc00:b::/64 goto dead")
    assert touched(taken) == [*taken.lines()]
    legacy = one(
        "firewall",
        *(f"+ ip6tables filter: -A {rule}" for rule in ("dead -j DROP", "FORWARD -s fc00:9::/64 -j dead")),
    )
    assert touched(legacy) == []


def test_a_mark_is_met_by_the_firewall_that_asks_for_it() -> None:
    drop, mark = f"+ {FORWARD}meta mark 0x00000009 drop", f"+ {FORWARD}meta mark set 0x00000009"
    assert drop in touched(one("firewall", mark, drop))


def test_of_a_proxy_the_sids_are_met_that_packets_come_for() -> None:
    sid = PLAN.node("exit").local_sids[0]
    proxy = PlannedProxy(sid.sid, sid.behavior, "any", sid.sid, to="p1", back="p2")
    plan = replace(PLAN, nodes=tuple(replace(node, proxies=(proxy,)) for node in PLAN.nodes))
    ways = [*passings(plan, PREDICTED)]
    lines = ["+ fc00:b::e: Behavior end", "+ fc00:b::77: IIF p2"]
    (found,) = met(plan, [one("proxy", *lines, "+ fc00:b::77: Behavior end", node="exit")], ways)
    assert [*found.lines()] == lines


def test_a_new_next_hop_is_looked_up_in_the_neighbor_table() -> None:
    neighbor = one("neighbor", "+ 2001:ab::99 dev eth2 lladdr 02:00:00:00:00:98 PERMANENT")
    route = one("route", "+ fc00:b::e via 2001:ab::99 dev eth2 metric 1024")
    assert touched(neighbor) == []
    assert touched(neighbor, route) == [*neighbor.lines(), *route.lines()]


@pytest.mark.parametrize("switch", ["forwarding", "rp_filter"])
def test_what_is_asked_of_arrivals_is_not_asked_where_a_packet_leaves(switch: str) -> None:
    there = [way for way in WAYS if way.came and way.came.point.nic == "eth1"]
    lines = [f"+ net.ipv4.conf.{nic}.{switch} = 0" for nic in ("eth1", "eth2")]
    (found,) = met(PLAN, [one("sysctl", *lines)], there)
    assert list(found.lines()) == lines[:1]


def test_a_mark_is_met_by_the_rule_that_asks_for_it() -> None:
    mark = one("firewall", "+ ip6tables mangle: -A PREROUTING -j MARK --set-xmark 0x7/0xffffffff")
    rule = one("rule", "+ 100: from all fwmark 0x7 blackhole")
    assert touched(mark) == [] and touched(mark, rule) == [*mark.lines(), *rule.lines()]


def test_a_sids_next_hop_is_looked_up() -> None:
    text = SILENT.replace("behavior: End}", 'behavior: End.X, nh6: "2001:ab::1"}')
    plan = planned(text)
    ways = [*passings(plan, {one.probe: one for one in predict(plan, "across")})]
    rule = one("rule", "+ 100: from all to 2001:ab::1 blackhole", node="exit")
    assert met(plan, [rule], ways) == (rule,)
    assert met(plan, [rule], WAYS) == ()


def test_a_tunnels_source_is_met_by_what_begins_one() -> None:
    """West's packets are in no tunnel."""
    assert touched(one("tunnel source", "+ tunsrc addr fc00:a::99", node="west")) == []


def test_a_rule_is_met_by_the_table_that_it_leads_to() -> None:
    rule = one("rule", "+ 100: from all to fc00:b::/64 lookup 77")
    route = one("route", "+ fc00:b::/64 via 2001:ab::9 dev eth2 table 77 metric 1024")
    assert touched(rule, route) == [*rule.lines(), *route.lines()]
    assert touched(rule, replace(route, node="exit")) == []


def test_a_list_is_met_by_what_uses_it() -> None:
    used = one("frr", "+ route-map narrow permit 10", "+ router bgp 1: neighbor fc00::1 route-map narrow in")
    assert touched(used) == [*used.lines()]


def test_of_a_difference_only_the_lines_that_are_met_are_left() -> None:
    both = one("firewall", f"+ {FORWARD}tcp dport 22 drop", f"+ {FORWARD}ip6 daddr fc00:b::e drop")
    assert touched(both) == [f"+ {FORWARD}ip6 daddr fc00:b::e drop"]


# --- what is named


def failed(point: str, direction: Direction) -> list[Item]:
    node, nic = point.split(":")
    return [Absent(status=Status.FAIL, probe="echo", point=Point(node, nic), direction=direction)]


def forwarding_off(*nodes: str) -> list[Difference]:
    gone, new = "net.ipv4.ip_forward = 1", "net.ipv4.ip_forward = 0"
    return [Difference(node, "", "sysctl", (gone,), (new,)) for node in nodes]


def test_the_nearest_to_the_break_is_named_first() -> None:
    """What fails at east came over exit, gate and west; what differs elsewhere comes last."""
    broken = failed("east:eth1", Direction.IN)
    found = [*suspects_of_drift(broken, PREDICTED, forwarding_off("gate", "exit", "west"))]
    assert [(one.cause, one.node) for one in found] == [
        ("differs", "exit"), ("differs", "gate"), ("differs", "west"),
    ]  # fmt: skip
    broken = failed("gate:eth2", Direction.OUT)
    assert [one.node for one in suspects_of_drift(broken, PREDICTED, forwarding_off("exit", "gate"))] == [
        "gate",
        "exit",
    ]


def test_it_says_what_changed_and_how_to_take_it_back() -> None:
    (found,) = suspects_of_drift(failed("gate:eth2", Direction.OUT), PREDICTED, forwarding_off("gate"))
    assert found.what == "gate isn't as Day0 left it: sysctl: net.ipv4.ip_forward = 1 → 0"
    assert "take that back" in found.mend and found.argv == ()


def test_many_lines_are_counted() -> None:
    many = Difference("gate", "", "sysctl", new=tuple(f"net.ipv6.a{number} = 1" for number in range(5)))
    (found,) = suspects_of_drift([], PREDICTED, [many])
    assert found.what.endswith("sysctl: + net.ipv6.a2 = 1, and 2 more")


def test_where_nothing_is_met_nothing_is_named() -> None:
    assert [*suspects_of_drift(failed("east:eth1", Direction.IN), PREDICTED, [])] == []


# --- in a verdict


def judged(differences: tuple[Difference, ...], *, compared: bool = True, behind: str = "") -> Verdict:
    """A run of three packets, of which all get lost behind a point."""
    received = 0 if behind else 3
    observed = Observations(
        "small",
        "across",
        probes=(Sent("echo", 3, received, TOKEN),),
        compared=compared,
        differences=differences,
    )
    captures = capture_all(PLAN, lose=3, behind=behind)
    return judge_run(PLAN, "across", observed, captures)


def causes(verdict: Verdict) -> list[tuple[str, str]]:
    return [(one.cause, one.node) for one in verdict.suspects]


def test_a_difference_that_a_packet_meets_stands_instead_of_unknown() -> None:
    unheard = one("sysctl", "- net.ipv6.nobody_knows = 0", "+ net.ipv6.nobody_knows = 1")
    verdict = judged((unheard,), behind="gate:eth2")
    assert ("differs", "gate") in causes(verdict) and "unknown" not in dict(causes(verdict))
    assert "to mend it: take that back" in verdicts_text([verdict])
    leftover = judged((one("sysctl", "+ net.ipv4.tcp_syncookies = 0"),), behind="gate:eth2")
    assert "differs" not in dict(causes(leftover)) and "unknown" in dict(causes(leftover))


def test_a_cause_is_dropped_where_its_node_does_not_differ_in_that() -> None:
    known = {"firewall", "route-missing", "nic-down", "forwarding-off"}
    assert known & {*dict(causes(judged((), compared=False, behind="gate:eth1")))}
    assert not known & {*dict(causes(judged((), behind="gate:eth1")))}
    rule = one("firewall", f"+ {FORWARD}drop")
    assert known & {*dict(causes(judged((rule,), behind="gate:eth1")))} == {"firewall"}


def test_a_difference_is_a_note_in_every_form() -> None:
    verdict = judged(tuple(forwarding_off("gate")))
    notes = [item for item in verdict.items if isinstance(item, DiffersFromDay0)]
    assert [item.status for item in notes] == [Status.PASS] and verdict.suspects == ()
    words = "gate isn't as Day0 left it, sysctl: net.ipv4.ip_forward = 1 → 0"
    assert [item.note for item in notes] == [words]
    (line,) = [line for line in verdicts_text([verdict]).splitlines() if words in line]
    assert line.startswith("  note ")
    (told,) = json.loads(verdicts_json([verdict]))
    assert ("drift", "pass", words) in {
        (item["kind"], item["status"], item["note"]) for item in told["items"]
    }
    assert "<failure" not in verdicts_junit([verdict])
