"""What a node says of itself, read from what a real one said, and what is missing of it."""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest

from srv6lab.live.lacking import STEPS, Wanted, first_step, missing
from srv6lab.live.node_state import NodeState, Session, read, script
from srv6lab.live.wait_for_routes import sentence
from srv6lab.plan.converged import expected_routes
from tests.small import planned

FOLDER = Path(__file__).parent / "recorded"
RECORDED = (FOLDER / "edge.txt").read_text("utf-8")
PLAN = planned((FOLDER / "edge.yml").read_text("utf-8"))
EDGE = PLAN.node("edge")


def lacking(said: str) -> list[str]:
    wanted = Wanted(expected_routes(PLAN)[EDGE.name])
    return [one.what for one in missing(EDGE, wanted, read(EDGE, said))]


def test_all_that_a_node_says_is_read() -> None:
    known = read(EDGE, RECORDED)
    assert [(one.nic, one.neighbor, one.state) for one in known.adjacencies] == [("eth2", "core", "Up")]
    assert {(one.vrf, one.address, one.state) for one in known.sessions} == {
        ("", IPv6Address("3333::3333"), "Established"),
        ("vpn1", IPv4Address("192.168.1.1"), "Established"),
    }
    assert [(str(one.prefix), one.block, one.node, one.function) for one in known.locators] == [
        ("3001:1:1:1::/64", 40, 24, 32)
    ]
    assert known.owners[IPv6Address("3001:1:1:1::")] == ("isis", "End")
    assert [one.segments for one in known.vpns["vpn1"] if one.segments] == [
        (IPv6Address("3006:1:1:1:0:100::"),)
    ]
    assert {one.action for one in known.routes if one.action} == {"End", "End.X"}
    assert (known.mechanism, known.drift) == ("netns", ())


def test_a_node_that_knows_all_lacks_nothing() -> None:
    assert lacking(RECORDED) == []


@pytest.mark.parametrize(
    ("said", "instead", "lacks"),
    [
        ("2  Up", "2  Initializing", "edge has no IS-IS adjacency with core on eth2"),
        (
            '"state":"Established"',
            '"state":"Active","lastResetDueTo":"No route to host"',
            "edge: the BGP session with border at 3333::3333 is Active (No route to host)",
        ),
        ('"action":"End"}', '"action":"End.T"}', "edge: IS-IS has bound 0 of 1 End SIDs"),
        ('"dst":"3001:1:1:1:0:100::"', '"dst":"3001:1:1:1:0:101::"', "edge: the SID 3001:1:1:1:0:100:: of vpn1 isn't in the kernel"),
        ('"dst":"3006:1:1:1::/64"', '"dst":"3007:1:1:1::/64"', "edge has no route to 3006:1:1:1::/64 by eth2"),
        ('"segs":["3006:1:1:1:0:100::"]', '"segs":["3006:1:1:1:0:200::"]', "edge has no route to 192.168.2.0/24 over 3006:1:1:1:0:100:: in vpn1"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named(said: str, instead: str, lacks: str) -> None:
    assert said in RECORDED
    assert lacks in lacking(RECORDED.replace(said, instead))


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ('"encap":{"encap_type":"seg6local","action":"End"}', '"encap":"seg6local","action":"End"'),
        (
            '"encap":{"encap_type":"seg6","mode":"encap.red","segs":["3006:1:1:1:0:100::"]}',
            '"encap":"seg6","mode":"encap.red","segs":["3006:1:1:1:0:100::"]',
        ),
    ],
)
def test_both_spellings_of_iproute2_are_read(new: str, old: str) -> None:
    assert new in RECORDED
    assert read(EDGE, RECORDED.replace(new, old)) == read(EDGE, RECORDED)


def test_what_must_be_gone_is_named() -> None:
    all_ = expected_routes(PLAN)[EDGE.name]
    target = next(iter(all_.vpns["vpn1"])).sid
    owner = next(one.name for one in PLAN.nodes if one.locator and target in one.locator)
    left = expected_routes(PLAN, {owner})[EDGE.name]
    gone = tuple(set(all_.routes) - set(left.routes))
    words = [one.what for one in missing(EDGE, Wanted(left, gone), read(EDGE, RECORDED))]
    assert words == [f"edge still has a route to {gone[0].prefix}", f"edge still sends to {target} in vpn1"]


def test_a_daemon_that_does_not_run_lacks_all_of_its_own() -> None:
    texts = RECORDED.split("\n--end of answer--\n")
    questions = script(EDGE).split("echo --end of answer--")
    at = next(number for number, question in enumerate(questions) if "ask bgpd" in question)
    texts[at] = "bgpd is not running"
    known = read(EDGE, "\n--end of answer--\n".join(texts))
    assert known.sessions == ()
    assert "edge: the BGP session with border at 3333::3333 isn't there" in lacking(
        "\n--end of answer--\n".join(texts)
    )


def test_a_neighbor_that_is_called_by_a_nic_is_passed_over() -> None:
    """As FRR's own lines may have it: `neighbor eth1 interface remote-as external`."""
    texts = RECORDED.split("\n--end of answer--\n")
    questions = script(EDGE).split("echo --end of answer--")
    at = next(number for number, question in enumerate(questions) if "ask bgpd" in question)
    peers = {"eth1": {"state": "Established"}, "3333::3333": {"state": "Active"}}
    texts[at] = json.dumps({"default": {"ipv6Unicast": {"peers": peers}}})
    known = read(EDGE, "\n--end of answer--\n".join(texts))
    assert known.sessions == (Session("", IPv6Address("3333::3333"), "Active"),)


def with_daemons(said: str) -> str:
    """What EDGE says of its daemons stands last."""
    return f"{RECORDED}{said}\n--end of answer--\n"


ALL_RUN = "mgmtd S\nzebra S\nstaticd R\nisisd S\nbgpd D\n"


@pytest.mark.parametrize(
    ("line", "instead", "lacks"),
    [
        ("bgpd D", "bgpd T", "edge: bgpd doesn't answer: it is stopped"),
        ("isisd S", "isisd gone", "edge: isisd isn't running"),
        ("zebra S", "zebra Z", "edge: zebra isn't running"),
    ],
)
def test_a_daemon_that_is_stopped_or_gone_is_named_and_nothing_that_it_would_have_said(
    line: str, instead: str, lacks: str
) -> None:
    texts = with_daemons(ALL_RUN.replace(line, instead)).split("\n--end of answer--\n")
    texts[2] = ""
    assert lacking("\n--end of answer--\n".join(texts)) == [lacks]
    assert lacking(with_daemons(ALL_RUN)) == []


def test_a_daemon_that_says_nothing_in_time_is_named_once() -> None:
    texts = RECORDED.split("\n--end of answer--\n")
    texts[3] = texts[4] = "no answer of zebra\n"
    assert lacking("\n--end of answer--\n".join(texts)) == ["edge: zebra doesn't answer"]


def test_no_daemon_is_asked_that_is_stopped_or_gone(tmp_path: Path) -> None:
    """The script as bash runs it, over a /proc and an FRR of its own."""
    states = {
        "mgmtd": "T (stopped)",  # which only takes configuration: nobody asks for it
        "zebra": "S (sleeping)",
        "staticd": "S (sleeping)",
        "bgpd": "T (stopped)",
    }
    for number, (name, state) in enumerate(states.items()):
        (tmp_path / f"{name}.pid").write_text(f"{number}\n")
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "status").write_text(f"Name:\t{name}\nState:\t{state}\n")
    vtysh = 'vtysh() { echo "asked $*"; }; timeout() { shift; "$@"; }\n'
    own = vtysh + script(EDGE).replace("/run/frr", str(tmp_path)).replace("/proc", str(tmp_path))
    said = subprocess.run(["bash", "-c", own], capture_output=True, text=True, check=True).stdout
    texts = said.split("\n--end of answer--\n")
    assert [line for line in said.splitlines() if "asked" in line] == [
        f"asked -d zebra -c show segment-routing srv6 {what} json" for what in ("locator", "sid")
    ]
    assert texts[-2].split("\n")[:4] == ["zebra S", "staticd S", "isisd gone", "bgpd T"]
    assert read(EDGE, said).dead == ("isisd isn't running", "bgpd doesn't answer: it is stopped")


def test_drift_is_told_with_its_block() -> None:
    diff = (
        "--- a\n+++ b\n@@ -40 +39,0 @@ router bgp 100\n-  neighbor 1111::1111 next-hop-self\n"
        "@@ -3,0 +3 @@\n+ip router-id 9.9.9.9\n"
    )
    known = read(EDGE, diff + RECORDED)
    assert known.drift == (
        "`neighbor 1111::1111 next-hop-self` of `router bgp 100` is gone",
        "`ip router-id 9.9.9.9` is new",
    )


def test_only_the_first_step_is_waited_for() -> None:
    wanted = Wanted(expected_routes(PLAN)[EDGE.name])
    found = list(
        missing(EDGE, wanted, NodeState(sessions=(Session("", IPv6Address("3333::3333"), "Active"),)))
    )
    assert {STEPS[one.step] for one in first_step(found)} == {"IS-IS adjacencies"}
    assert sentence(found) == "waiting for IS-IS adjacencies: edge has no IS-IS adjacency with core on eth2"
    assert sentence([]) == "converged"


def test_routes_follow_the_metrics_and_the_targets() -> None:
    """By hand: two ways from a to c, the shorter one in nodes is the longer one in cost."""
    text = (FOLDER / "triangle.yml").read_text("utf-8")
    found = expected_routes(planned(text))
    ways = {str(one.prefix): one.nic for one in found["a"].routes}
    assert ways["2001:db8::c/128"] == "eth1", "over b, at 20, and not straight, at 50"
    assert ways["fc00:0:c::/48"] == "eth1"
    assert [str(one.prefix) for one in found["a"].vpns["red"]] == ["10.3.0.0/24"]
    assert found["c"].vpns["red"] == (), "c imports a target that nobody exports"
    assert ip_network("10.3.0.0/24") not in {one.prefix for one in found["a"].routes}
