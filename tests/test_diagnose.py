"""What no fault of a lab in the course shows: the set of causes on captures alone, a witness that stands alone, an
SRH that ends at an address, and how answers are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import MachineError
from srv6lab.evidence.observations import read_observations, write_observations
from srv6lab.evidence.packets import Place
from srv6lab.evidence.verdict import PoliciesDiffer, RouterFinding, RoutingLacks, Status, Verdict
from srv6lab.judge.diagnose import CAUSES, confirm, diagnose
from srv6lab.judge.diagnose.causes import proves, suspect
from srv6lab.judge.grade import grade
from srv6lab.plan.nodes import Plan
from srv6lab.topology.expectations import PacketExpectation
from tests.conftest import REPOSITORY, Up, silent, some_labs
from tests.everyday_answers import ADDRESS, EVERYDAY, FORWARDED, chain
from tests.small import planned
from tests.vrf_answers import VRF_ANSWERS

MORE = Path(__file__).parent / "labs" / "more"
EDGE = planned((Path(__file__).parent / "recorded" / "edge.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def opened(bring_up: Any) -> Up:
    lab: Up = bring_up(str(MORE / "address-end.yml"))
    return lab


def test_a_lab_whose_srh_ends_at_an_address_passes(opened: Up) -> None:
    (verdict,) = check(opened.running, opened.plan, ["opened"], silent)
    assert verdict.status is Status.PASS, verdict.items
    assert any("address-taken-for-a-segment" in item.quirks for item in verdict.items)


@pytest.mark.parametrize("where", ["all", "eth2"])
def test_seg6_disabled_is_named(opened: Up, where: str) -> None:
    path = f"/proc/sys/net/ipv6/conf/{where}/seg6_enabled"
    opened.sh("leaving", f"echo 0 >{path}")
    try:
        (verdict,) = check(opened.running, opened.plan, ["opened"], silent)
    finally:
        opened.sh("leaving", f"echo 1 >{path}")
    assert [(one.cause, one.node, one.proven) for one in verdict.suspects] == [
        ("seg6-disabled", "leaving", True)
    ]


def test_captures_alone_give_the_causes_that_they_cannot_tell_apart(opened: Up, tmp_path: Path) -> None:
    """Two faults leave the same captures; the set holds both, nothing is proven, and nothing that was seen to
    be well is in it. Where somebody looked what differs from Day0, no firewall is suspected."""
    sets = []
    for broken, mended in (
        (
            "echo 0 >/proc/sys/net/ipv6/conf/all/seg6_enabled",
            "echo 1 >/proc/sys/net/ipv6/conf/all/seg6_enabled",
        ),
        ("echo 0 >/proc/sys/net/ipv4/ip_forward", "echo 1 >/proc/sys/net/ipv4/ip_forward"),
    ):
        opened.sh("leaving", broken)
        try:
            check(opened.running, opened.plan, ["opened"], silent)
        finally:
            opened.sh("leaving", mended)
        folder = opened.running.home.run("opened")
        looked = {one.cause for one in grade(opened.plan, "opened", folder, silent).suspects}
        assert looked >= {"seg6-disabled", "differs"} and "firewall" not in looked
        observed, _ = read_observations(folder)
        write_observations(folder, replace(observed, compared=False, differences=()))
        verdict = grade(opened.plan, "opened", folder, silent)
        assert {one.proven for one in verdict.suspects} == {None}
        sets.append({(one.cause, one.node) for one in verdict.suspects})
    assert {("seg6-disabled", "leaving"), ("forwarding-off", "leaving"), ("firewall", "leaving")} <= sets[0]
    assert ("forwarding-off", "leaving") in sets[1]
    assert not any(node in ("entry", "west") for _, node in sets[0])


# --- one wrong expectation in each lab stands alone


def wrong(plan: Plan, name: str) -> Plan:
    """The plan with a hop limit that no packet has, in the first expectation that names one."""
    index, exercise = plan.exercise(name)
    packets: list[PacketExpectation] = list(exercise.expect.packets)
    at = next(n for n, one in enumerate(packets) if one.hop_limit is not None)
    packets[at] = packets[at].model_copy(update={"hop_limit": 7})
    expect = exercise.expect.model_copy(update={"packets": tuple(packets)})
    exercises = list(plan.exercises)
    exercises[index] = exercise.model_copy(update={"expect": expect})
    return replace(plan, exercises=tuple(exercises))


@pytest.mark.parametrize("name", some_labs())
def test_a_wrong_expectation_stands_alone_in_every_lab(labs_up: Callable[[str], Up], name: str) -> None:
    lab = labs_up(name)
    exercise = lab.plan.exercises[0].name
    check(lab.running, lab.plan, [exercise], silent)
    verdict = grade(wrong(lab.plan, exercise), exercise, lab.running.home.run(exercise), silent)
    failed = [item for item in verdict.items if item.status is Status.FAIL]
    assert [(item.field, item.expected, item.alone) for item in failed] == [("hop_limit", "7", "expected")]
    assert [one.cause for one in verdict.suspects] == ["expectation"]


# --- answers of nodes

TENTATIVE = (
    "2: eth1    inet6 2001:12::2/64 scope global tentative \\       valid_lft forever preferred_lft forever\n"
)
UP = "3: eth2@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 2000 qdisc noqueue state UP mode DEFAULT\n"
END = "fc00:2::a  encap seg6local action End dev eth1 metric 1024 pref medium\n"
PSP = "fc00:2::a  encap seg6local action End flavors psp dev eth1 metric 1024 pref medium\n"
B6 = "fc00:2::b  encap seg6local action End.B6.Encaps segs 2 [ fc00:3::e fc00:4::6 ] dev eth2 metric 1024\n"
POLICY = "10.0.1.0/24  encap seg6 mode encap segs 2 [ fc00:2::a fc00:3::a ] dev eth2 \n"
LONGER = "10.0.1.1  encap seg6 mode encap segs 1 [ fc00:3::a ] dev eth2 \n"
STEERED = {
    "destination": "10.0.1.1",
    "version": "-4",
    "prefix": "10.0.1.0/24",
    "segments": "fc00:2::a fc00:3::a",
    "mode": "encap",
}
BOUND = {"sid": "fc00:2::a", "prefix": "fc00:2::a/128", "behavior": "End", "bound": "action End"}
PROXY = {"sid": "fc00:a::a1", "nic": "veth1", "behavior": "End.AD4"}
SHOWN = "SRv6 - MY LOCALSID TABLE:\nSID     :        fc00:a::a1\nBehavior:        end.ad4\nIIF     :        veth1\n"
WAY = {"destination": "fc00:3::a", "version": "-6", "nic": "eth2", "table": "100", "sid": "fc00:2::7"}
WAY |= {"via": "", "hops": ""}
OVER = WAY | {"hops": "2001:23::2 10.0.3.2"}
OVER_IT = "fc00:3::a from :: via 2001:23::2 dev eth2 src 2001:23::1 metric 1024\n"


def hop(via: str, nic: str, weight: int) -> list[str]:
    return f"nexthop encap seg6 mode encap segs {via},fc00:4::a dev {nic} weight {weight}".split()


TOLD = json.dumps(
    {
        "routes": [
            {
                "route": ["10.0.2.0/24", "table", "901"],
                "behind": [*hop("fc00:2::a", "eth1", 3), *hop("fc00:3::a", "eth2", 1)],
            }
        ]
    }
)
HOPS = """10.0.2.0/24
\tnexthop  encap seg6 mode encap segs 2 [ fc00:2::a fc00:4::a ] dev eth1 weight 3
\tnexthop  encap seg6 mode encap segs 2 [ fc00:3::a fc00:4::a ] dev eth2 weight 1
"""
OF_CLASS: dict[str, str] = {"version": "-4", "table": "901", "prefix": "10.0.2.0/24"}
RULES = "1001: from all fwmark 0x101 lookup 901\n32766: from all lookup main\n"
MARKS = "table inet srv6lab_classes {\n udp dport 5001 meta mark set 0x00000101 accept\n}\n"
STATIC = {
    "sid": "fc00:a::4",
    "behavior": "End.AS4",
    "next_hop": "192.168.1.2",
    "mac": "02:00:00:00:00:0b",
    "ports": "veth0 veth1",
    "source": "fc00:a::1",
    "segments": "fc00:2::d4",
}
STATIC_SHOWN = """\t SID     :        fc00:a::4 
\t Behavior:        end.as4 
\t Next hop:        192.168.1.2 
\t OIF     :        veth0 
\t IIF     :        veth1 
\t Source  :        fc00:a::1 
\t Segments:        fc00:2::d4 
\t Left    :        0 
"""
FRAMES = {
    "version": "-4",
    "nic": "eth2",
    "table": "2002",
    "prefix": "default",
    "segments": "fc00:2::a fc00:3::d2",
    "mode": "l2encap",
}
BY_NIC = "0:\tfrom all lookup local\n500:\tfrom all iif eth2 lookup 2002\n"
OF_FRAMES = "default  encap seg6 mode l2encap segs 2 [ fc00:2::a fc00:3::d2 ] dev eth1 scope link\n"
TAKES_ALL = "table netdev srv6lab-frames-eth2 {\n\tchain in {\n\t\tmeta pkttype set host\n\t}\n}\n"
FIXED = {"neighbor": "10.0.0.2", "nic": "eth1", "mac": "02:00:00:00:00:0b"}
TOLD_OF = "10.0.0.2 lladdr 02:00:00:00:00:0b PERMANENT\n"
ANSWERS: list[tuple[str, Mapping[str, str], tuple[str, int], tuple[str, int]]] = [
    # cause, about, an answer that proves it, one that doesn't
    ("sid-not-installed", BOUND, ("", 0), (END, 0)),
    ("agent-not-running", {}, ("", 0), ("", 1)),
    ("policy-route-differs", OF_CLASS, (TOLD + HOPS.replace("weight 3", "weight 1"), 0), (TOLD + HOPS, 0)),
    ("policy-route-differs", OF_CLASS, (TOLD + HOPS.replace("2::a", "9::a"), 0), (TOLD + HOPS, 0)),
    ("policy-route-differs", OF_CLASS, (TOLD, 2), (TOLD + HOPS, 0)),
    ("policy-route-differs", OF_CLASS | {"table": "main"}, (TOLD + HOPS, 0), ("no agent was here", 1)),
    ("flows-not-classified", OF_CLASS | {"mark": "257"}, (MARKS, 0), (RULES + MARKS, 0)),
    ("flows-not-classified", OF_CLASS | {"mark": "257"}, (RULES, 0), (RULES + MARKS, 0)),
    (
        "flows-not-classified",
        OF_CLASS | {"mark": "257", "flows": "udp dport 5001"},
        (RULES + MARKS.replace("5001", "50011"), 0),
        (RULES + MARKS, 0),
    ),
    ("sid-differs", BOUND, (PSP, 0), (END, 0)),
    ("sid-differs", BOUND | {"bound": "action End; flavors psp"}, (END, 0), (PSP, 0)),
    (
        "sid-differs",
        BOUND | {"bound": "action End.B6.Encaps; segs fc00:4::6"},
        (B6, 0),
        (B6.replace("2 [ fc00:3::e ", "1 [ "), 0),
    ),
    ("sid-differs", BOUND, (END.replace("End ", "End.X "), 0), ("", 0)),
    ("proxy-sid-not-installed", PROXY, ("SREXT answers: no localsid\n", 0), (SHOWN, 0)),
    ("sid-of-another-node", BOUND, (END, 0), ("", 0)),
    ("policy-missing", STEERED, ("10.0.0.0/8 via 10.0.0.1 dev eth1\n", 0), (POLICY, 0)),
    ("policy-shadowed", STEERED, (POLICY + LONGER, 0), (POLICY, 0)),
    ("policy-shadowed", STEERED, (POLICY + LONGER, 0), (POLICY + POLICY.replace("1.0/24", "1.1"), 0)),
    ("policy-shadowed", STEERED, (POLICY + LONGER, 0), (POLICY + LONGER.replace("1.1 ", "1.1 tos 0x10 "), 0)),
    ("policy-differs", STEERED, (POLICY.replace("fc00:2::a ", ""), 0), (POLICY, 0)),
    ("frames-not-steered", FRAMES, (OF_FRAMES, 0), (BY_NIC + OF_FRAMES, 0)),
    ("frames-not-steered", FRAMES, (BY_NIC, 0), (BY_NIC + OF_FRAMES, 0)),
    ("frames-not-steered", FRAMES, (BY_NIC.replace("eth2", "eth22") + OF_FRAMES, 0), (BY_NIC + OF_FRAMES, 0)),
    ("frames-steered-otherwise", FRAMES, (BY_NIC + OF_FRAMES.replace("mode l2", "mode "), 0), (OF_FRAMES, 0)),
    ("frames-steered-otherwise", FRAMES, (BY_NIC + OF_FRAMES.replace("2::a", "9::a"), 0), (OF_FRAMES, 0)),
    ("proxy-differs", STATIC, (STATIC_SHOWN.replace("2::d4", "2::d5"), 0), (STATIC_SHOWN, 0)),
    ("proxy-differs", STATIC, (STATIC_SHOWN.replace("a::1 ", "a::9 "), 0), (STATIC_SHOWN, 0)),
    ("frames-not-taken", {"nic": "eth2"}, ("Error: No such file or directory", 1), (TAKES_ALL, 0)),
    ("neighbor-not-fixed", FIXED, ("10.0.0.2 dev eth1 FAILED\n", 0), (TOLD_OF, 0)),
    ("neighbor-not-fixed", FIXED, (TOLD_OF.replace("0b", "0c"), 0), (TOLD_OF, 0)),
    ("neighbor-not-fixed", FIXED, (TOLD_OF.replace("PERMANENT", "STALE"), 0), (TOLD_OF, 0)),
    ("policy-differs", STEERED, (POLICY.replace("mode encap ", "mode encap.red "), 0), (POLICY, 0)),
    (
        "segment-of-another-node",
        STEERED | {"owner": "ninth", "sid": "fc00:9::a"},
        (LONGER + POLICY.replace("2::", "9::"), 0),
        (POLICY, 0),
    ),
    (
        "route-missing",
        WAY,
        ("RTNETLINK answers: Network is unreachable\n", 2),
        ("fc00:3::a via x dev eth2 src y\n", 0),
    ),
    ("route-missing", WAY, ("fc00:3::a via x dev eth22 src y\n", 0), ("fc00:3::a via x dev eth2 src y\n", 0)),
    ("route-missing", OVER, (OVER_IT.replace("23::2", "23::9"), 0), (OVER_IT, 0)),
    ("route-missing", OVER, (OVER_IT.replace("via 2001:23::2 ", ""), 0), (OVER_IT, 0)),
    (
        "route-missing",
        OVER,
        (OVER_IT.replace("23::2", "23::9"), 0),
        (OVER_IT.replace("2001:23::2", "fe80::9"), 0),
    ),
    ("route-missing", OVER | {"destination": "10.0.3.2"}, ("", 2), ("10.0.3.2 dev eth2 src 10.0.3.1\n", 0)),
    ("table-route-missing", WAY, ("", 0), ("fc00:3::/64 via 2001:: dev eth2 metric 1\n", 0)),
    (
        "table-route-missing",
        WAY,
        ("default via 2001:: dev eth2 metric 1\nfc00:3::/64 via 2001:12::1 dev eth1 metric 1\n", 0),
        ("default via 2001:: dev eth1 metric 1\nfc00:3::/64 metric 1\n\tnexthop via 2001:: dev eth2\n", 0),
    ),
    ("route-unplanned", WAY, ("fc00:3::/64 via 2001:: dev eth2 metric 1\n", 0), ("", 0)),
    ("vpn-sid-not-installed", {"sid": "fc00:2::d4", "vrf": "red"}, ("", 0), (END, 0)),
    ("vrf-strict-mode", {"behavior": "End.DT4"}, ("0\n", 0), ("1\n", 0)),
    ("vrf-strict-mode", {"behavior": "End.DT4"}, ("0\n", 0), ("cat: no such file\n", 1)),
    ("forwarding-off", {"family": "IPv4", "sysctl": "/x"}, ("0\n", 0), ("1\n", 0)),
    ("rp-filter", {"nic": "eth1"}, ("0\n2\n", 0), ("0\n0\n", 0)),
    (
        "mtu",
        {"nic": "eth2", "bytes": "100", "version": "6"},
        (UP.replace("mtu 2000", "mtu 1279"), 0),
        (UP, 0),
    ),
    (
        "mtu",
        {"nic": "eth2", "bytes": "2001", "version": "6"},
        (UP, 0),
        (UP.replace("mtu 2000", "mtu 2001"), 0),
    ),
    ("dad-not-over", {"nic": "eth1"}, (TENTATIVE, 0), ("", 0)),
    ("nic-down", {"nic": "eth2"}, (UP.replace("UP,LOWER_UP", "NO-CARRIER"), 0), (UP, 0)),
    ("nic-down", {"nic": "eth2"}, (UP.replace("UP,", "NO-CARRIER,UP,"), 0), (UP, 0)),
    ("nic-down", {"nic": "eth2"}, ('Device "eth2" does not exist.\n', 1), (UP, 0)),
    ("copied", {}, (chain("forward", "ip daddr 10.0.1.1 dup to eth1"), 0), ("", 0)),
    *EVERYDAY,
    *VRF_ANSWERS,
    ("proxy-cache-empty", PROXY, ("no_cache: [3 packets]\n", 0), ("no_cache: [0 packets]\n", 0)),
    ("service-not-running", {"service": "watch"}, ("", 1), ("", 0)),
    ("seg6-disabled", {"destination": "fc00:2::2", "nic": "eth2"}, ("1\n0\n", 0), ("1\n1\n", 0)),
]


@pytest.mark.parametrize(("cause", "about", "proof", "none"), ANSWERS)
def test_an_answer_proves_a_cause_or_does_not(
    cause: str, about: Mapping[str, str], proof: tuple[str, int], none: tuple[str, int]
) -> None:
    one = suspect(cause, "leaving", **about)
    assert proves(one, proof)
    assert not proves(one, none)


def test_every_cause_that_asks_a_node_has_answers_here() -> None:
    assert {cause for cause, *_ in ANSWERS} == {name for name, one in CAUSES.items() if one.reads}


def test_the_first_proven_cause_stands_alone_and_nobody_else_is_asked() -> None:
    asked = []

    def ask(node: str, argv: tuple[str, ...]) -> tuple[str, int]:
        asked.append((node, argv))
        return (TENTATIVE, 0) if "tentative" in argv else (UP, 0)

    suspects = (
        suspect("nic-down", "entry", nic="eth2"),
        suspect("dad-not-over", "leaving", nic="eth1"),
        suspect("firewall", "third"),
    )
    (proven,) = confirm(suspects, ask)
    assert (proven.cause, proven.node, proven.proven) == ("dad-not-over", "leaving", True)
    assert [node for node, _ in asked] == ["entry", "leaving"]


LENGTHENED = ADDRESS.replace("10.0.0.2/24", "10.0.0.2/16")


@pytest.mark.parametrize(
    ("cause", "about", "may_be", "sure"),
    [
        ("firewall", FORWARDED, chain("forward", "ether saddr 02:00:00:00:00:99 drop"), chain("forward", "ip6 daddr fc00:3::a drop")),
        ("firewall", FORWARDED, chain("forward", "numgen inc mod 3 1 drop"), chain("forward", "numgen inc mod 3 1 counter packets 1 bytes 9 drop")),
        ("address-missing", {"nic": "eth1", "address": "10.0.0.2/24"}, LENGTHENED, ADDRESS.replace("0.2/", "0.9/")),
        ("rp-filter", {"nic": "eth1"}, "1\n1\n", ""),
        ("nic-down", {"nic": "eth2"}, UP.replace("UP,", "NO-CARRIER,UP,"), UP.replace("UP,LOWER_UP", "NO-CARRIER")),
        ("firewall", FORWARDED, chain("forward", "numgen inc mod 3 1 reject with icmpv6 admin-prohibited"), chain("forward", "ip6 daddr fc00:3::a reject with icmpv6 admin-prohibited")),
        ("proxy-cache-empty", PROXY, "no_cache: [3 packets]\n", ""),
        ("sid-differs", BOUND, END.replace("End ", "End.X nh6 2001:12::1 "), END.replace("End ", "End.DT6 table 254 ")),
    ],
)  # fmt: skip
def test_what_may_be_innocent_is_proven_by_nothing_and_others_are_asked(
    cause: str, about: Mapping[str, str], may_be: str, sure: str
) -> None:
    one, other = suspect(cause, "leaving", **about), suspect("nic-down", "entry", nic="eth2")
    down = ("", 1)
    assert confirm([one, other], lambda node, _: (may_be, 0) if node == "leaving" else down) == (
        replace(other, proven=True),
    )
    assert confirm([one, other], lambda node, _: (may_be, 0) if node == "leaving" else (UP, 0)) == (one,)
    if sure:
        (found,) = confirm([one, other], lambda node, _: (sure, 0) if node == "leaving" else down)
        assert (found.cause, found.proven) == (cause, True)


def test_what_nobody_could_prove_is_left_only_if_nobody_could_be_asked() -> None:
    suspects = (suspect("nic-down", "entry", nic="eth2"), suspect("unknown", "entry", what="it"))
    assert [one.cause for one in confirm(suspects, lambda node, argv: (UP, 0))] == ["unknown"]


def test_who_does_not_answer_proves_nothing_and_the_next_is_asked() -> None:
    def ask(node: str, argv: tuple[str, ...]) -> tuple[str, int]:
        if node == "entry":
            raise MachineError("no answer in 8 s")
        return TENTATIVE, 0

    suspects = (suspect("agent-not-running", "entry"), suspect("dad-not-over", "leaving", nic="eth1"))
    assert [(one.cause, one.proven) for one in confirm(suspects, ask)] == [("dad-not-over", True)]
    assert [(one.cause, one.proven) for one in confirm(suspects[:1], ask)] == [("agent-not-running", None)]


def test_of_routing_and_policies_only_their_own_processes_are_asked_about() -> None:
    def asked(kind: type[RouterFinding]) -> list[tuple[str, str, str]]:
        items = (kind(status=Status.FAIL, field="edge", note="it lacks something"),)
        found = diagnose(EDGE, Verdict("any", items), {}, {}, {}, {})
        return [(one.cause, one.node, one.argv[-1]) for one in found]

    daemons = [("frozen", "edge", f"/run/frr/{one}.pid") for one in ("zebra", "staticd", "isisd", "bgpd")]
    assert [one for one in asked(RoutingLacks) if one[0] == "frozen"] == daemons
    assert asked(PoliciesDiffer)[0] == ("frozen", "edge", "/var/lib/srv6lab/policies/pid")
    assert len(asked(PoliciesDiffer)) == 2


def test_a_service_in_a_namespace_is_asked_there() -> None:
    one = suspect("firewall", Place("machine", "inside"))
    assert (one.node, one.argv[:4]) == ("machine", ("ip", "netns", "exec", "inside"))


def test_a_pass_has_no_suspects(opened: Up) -> None:
    (verdict,) = check(opened.running, opened.plan, ["opened"], silent)
    assert isinstance(verdict, Verdict) and verdict.suspects == ()


# --- the documents


def test_the_table_of_causes_is_that_of_the_record() -> None:
    text = (REPOSITORY / "docs" / "predict.md").read_text("utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    told = {row[0].strip("|` "): row[2].rstrip(" |").strip("`") for row in rows}
    assert told == {name: " ".join(cause.argv) or "the captures alone" for name, cause in CAUSES.items()}
