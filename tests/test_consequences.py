"""What differs from Day0: what only follows from something else, and what more of it concerns packets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Place
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Missing, Status, Verdict
from srv6lab.judge.diagnose import _better_told, _learned, confirm, diagnose
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.drift import met, without_learned
from srv6lab.judge.diagnose.everyday import born, packet_about
from srv6lab.judge.diagnose.firewalls import Rule, concerns
from srv6lab.judge.diagnose.passing import Passing
from srv6lab.judge.diagnose.suspects import _of_probe
from srv6lab.live.snapshot import compare, read
from srv6lab.predict import predict
from tests.conftest import REPOSITORY
from tests.fork import fork
from tests.small import planned

PLAN = planned((Path(__file__).parent / "recorded" / "edge.yml").read_text("utf-8"))
LEARNED = Difference("shop", "", "route", ("192.168.2.0/24 via 192.168.1.2 dev eth1 proto bgp metric 20",))
TOLD = Difference("edge", "", "frr", ("router bgp 100 vrf vpn1: rt vpn both 1:1",))


def test_routes_that_another_router_no_longer_tells_follow_from_its_configuration() -> None:
    assert without_learned([LEARNED, TOLD]) == (TOLD,)
    by_hand = Difference("core", "", "route", new=("3001:1:1:1::/64 via 2002::3 dev eth2 metric 1",))
    assert without_learned([by_hand, TOLD]) == (by_hand, TOLD)


def test_routes_are_no_consequence_where_all_routers_tell_what_they_told() -> None:
    assert without_learned([LEARNED]) == (LEARNED,)


@pytest.mark.parametrize(
    ("node", "told", "follows"), [("shop", {"edge"}, True), ("edge", {"edge"}, True), ("shop", set(), False)]
)
def test_a_route_that_a_router_was_not_told_is_a_consequence(
    node: str, told: set[str], follows: bool
) -> None:
    one = suspect("route-missing", node, destination="192.168.2.1", via="", nic="eth1", version="-4")
    assert _learned(PLAN, one, told) is follows


@pytest.mark.parametrize(
    ("line", "touches"),
    [
        ("router bgp 100: neighbor 3333::3333 maximum-prefix 1", True),
        ("router bgp 100: neighbor 2003::99 remote-as 300", False),
        ("router bgp 100: neighbor 3333::3333 soft-reconfiguration inbound", False),
        ("router bgp 100: neighbor 3333::3333 timers 3 10", False),
        ("interface eth2: isis circuit-type level-1", True),
        ("interface eth2: isis hello-multiplier 5", False),
        ("ipv6 route 2001:db8:77::/48 blackhole", False),
        ("log syslog informational", False),
    ],
)
def test_a_line_of_frr_that_changes_no_packet_is_met_by_none(line: str, touches: bool) -> None:
    found = met(PLAN, [Difference("edge", "", "frr", new=(line,))], [])
    assert bool(found) is touches


def test_a_filter_is_told_with_its_nic_and_met_at_a_port_that_nobody_traces() -> None:
    labs = (planned(one.read_text("utf-8")) for one in sorted(REPOSITORY.glob("labs/*/topology.yml")))
    plan, node = next((plan, node) for plan in labs for node in plan.nodes if node.proxies)
    port, way = node.proxies[0].back, Passing(node, Place(node.name), None, None)
    said = f"-- tc \nqdisc clsact ffff: dev {port} parent ffff:fff1\n"
    bpf = f"filters of {port}:\nfilter protocol all pref 8986 bpf chain 0\n"
    (differs,) = compare(node.name, read(said + bpf), read(said))
    assert met(plan, [differs], [way]) == (differs,)
    other = Difference(node.name, "", "tc", ("dev nobodys filter protocol all pref 8986 bpf chain 0",))
    assert met(plan, [other], [way]) == ()


def test_a_tracer_that_may_be_late_tells_less_than_what_differs() -> None:
    late = suspect("tracer", "here", what="it began too late", late="it")
    differs = suspect("differs", "here", lines="route: - default")
    assert _better_told(late, [differs])
    assert not _better_told(late, [])
    assert not _better_told(suspect("tracer", "here", what="it counts drops"), [differs])


def test_a_sender_without_its_address_is_asked_for_it_before_it_is_for_its_source() -> None:
    plan = fork()
    first = next(iter(predict(plan, "shared"))).linux[0].hops[0]
    assert [one.cause for one in born(plan, first)] == ["address-missing", "source-address"]


def test_a_rule_that_eats_the_probes_of_a_headend_concerns_its_policy() -> None:
    plan = fork()
    headend = plan.node("gate").headend
    assert headend is not None
    trace = next(iter(predict(plan, "shared"))).linux[0]
    came, out = next(
        (one, two)
        for one, two in zip(trace.hops, trace.hops[1:], strict=False)
        if one.point.node == two.point.node != "gate" and len(one.packet.headers) > 1
    )
    about, rule = packet_about(came, out), Rule("ip6", "prerouting", "", f"ip6 saddr {headend.address} drop")
    assert not concerns(rule, about)
    assert concerns(rule, _of_probe(headend, about))


@pytest.mark.parametrize(("status", "first"), [(Status.FAIL, "differs"), (Status.INCONCLUSIVE, "tracer")])
def test_a_tracer_that_missed_packets_is_no_cause_of_what_others_saw_fail(status: Status, first: str) -> None:
    node = PLAN.node("edge")
    missed = Missing(
        status=Status.INCONCLUSIVE, point=node.nics[-1].point, note="the tracer dropped 101 packets"
    )
    verdict = Verdict("any", (missed, Missing(status=status)))
    assert diagnose(PLAN, verdict, {}, {}, {}, {}, [TOLD])[0].cause == first


def test_what_mends_a_cause_names_the_lab() -> None:
    differs = Difference(
        "gate", "", "sysctl", ("net.ipv6.conf.all.forwarding = 1",), ("net.ipv6.conf.all.forwarding = 0",)
    )
    plan = fork()
    predicted = {one.probe: one for one in predict(plan, "shared")}
    hop = predicted["flows"].linux[0].hops[2]
    lost = Missing(status=Status.FAIL, point=hop.point, direction=hop.direction, field="count", probe="flows")
    found = {"flows": Found(Sent("flows", 1200, 0, "ab" * 16), ())}
    suspects = diagnose(plan, Verdict("shared", (lost,)), predicted, found, {}, {}, [differs])
    told = [one.mend for one in suspects if one.cause == "differs"]
    assert told == ["take that back, or invoke destroy and up lab=fork"]
    elsewhere = replace(plan, instance="second")
    suspects = diagnose(elsewhere, Verdict("shared", (lost,)), predicted, found, {}, {}, [differs])
    told = [one.mend for one in suspects if one.cause == "differs"]
    assert told == ["take that back, or invoke destroy and up lab=fork --instance second"]


def test_a_suspicion_that_tells_all_that_differs_comes_before_it() -> None:
    """A rule that copies, proven by no counter: it alone differs, or an IPsec policy does, too, or another node."""
    copied = suspect("copied", "gate")

    def first(node: str, sections: str) -> str:
        differs = suspect("differs", node, lines="some", sections=sections)
        answer = "table ip t {\nchain c {\ntype filter hook forward priority 0;\ndup to 10.0.0.1\n}\n}", 0
        return confirm([copied, differs], lambda *_: answer)[0].cause

    assert first("gate", "firewall") == "copied"
    assert first("gate", "firewall,ipsec") == first("north", "firewall") == "differs"
