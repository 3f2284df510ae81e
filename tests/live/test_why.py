"""Why something is missing, from what real routers said: two of one AS with a VPN, and one of another AS beside them, each time
with one thing broken. `recorded/why.json` has what they say when nothing is, and for each break what is different then."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from srv6lab.live.why import reasons
from srv6lab.live.why.answers import SCRIPT, Answers, read
from srv6lab.plan.converged import expected_routes
from tests.conftest import REPOSITORY
from tests.small import planned

_FOLDER = REPOSITORY / "tests" / "recorded"
PLAN = planned((_FOLDER / "why.yml").read_text("utf-8"))
WANTED = expected_routes(PLAN)
RECORDED: dict[str, dict[str, dict[str, str]]] = json.loads((_FOLDER / "why.json").read_text("utf-8"))
QUESTIONS = list(RECORDED["healthy"]["x1"])
Change = tuple[str, str, str, str]
STEPS = ("IS-IS adjacencies", "BGP sessions", "SIDs", "routes", "VPN routes", "customers' routes")


def answers(broken: str, changes: Iterable[Change] = ()) -> dict[str, Answers]:
    """What the three say; a change is a node, a question, a text in its answer, and what stands there instead."""
    found = {}
    for node, texts in RECORDED["healthy"].items():
        said = {**texts, **RECORDED.get(broken, {}).get(node, {})}
        for _, question, old, new in (one for one in changes if one[0] == node):
            assert old in said[question]
            said[question] = said[question].replace(old, new)
        found[node] = read("".join(f"{said[name]}\n\n--end of answer--\n" for name in QUESTIONS))
    return found


def why(step: str, broken: str = "healthy", changes: Iterable[Change] = ()) -> list[tuple[str, bool]]:
    found = reasons(PLAN, step, ["x1", "x2", "x3"], WANTED, answers(broken, changes))
    return [(one.what, one.final) for one in found]


def test_as_many_answers_are_recorded_as_are_asked_for() -> None:
    assert SCRIPT.count("--end of answer--") == len(QUESTIONS)


@pytest.mark.parametrize("step", STEPS)
def test_where_nothing_is_wrong_no_reason_is_made_up(step: str) -> None:
    assert why(step) == []


@pytest.mark.parametrize(
    ("broken", "step", "what"),
    [
        (
            "mtu",
            "IS-IS adjacencies",
            "x1:eth1 has an MTU of 2000 and x2:eth1 of 1500: IS-IS fills its hellos up to the MTU, and the smaller end takes"
            " none that long",
        ),
        ("passive", "IS-IS adjacencies", "IS-IS is passive on x2:eth1"),
        (
            "network",
            "IS-IS adjacencies",
            "the link is point-to-point for IS-IS at x1:eth1, and a LAN at x2:eth1",
        ),
        ("level", "IS-IS adjacencies", "IS-IS has level 2 at x1:eth1 and level 1 at x2:eth1"),
        (
            "isis-password",
            "IS-IS adjacencies",
            "IS-IS hellos have a password between x1:eth1 and x2:eth1, and x1:eth1 has none",
        ),
        ("as", "BGP sessions", "x3 takes 2001:13::1 (x1) for AS 65009, and x1 is in AS 65001"),
        ("no-neighbor", "BGP sessions", "x3 has no BGP neighbor 2001:13::1 (x1)"),
        (
            "bgp-password",
            "BGP sessions",
            "the BGP passwords of x1 and x3 aren't the same, or one of them has none",
        ),
        ("families", "BGP sessions", "x1 has activated no address family of BGP with x3"),
        ("no-locator", "SIDs", "FRR of x2 has no locator fc00:2::/64"),
        ("targets", "VPN routes", "x1 imports the route targets 1:1 into red, and x2 exports 1:2"),
    ],
)
def test_what_two_ends_say_differently_is_final(broken: str, step: str, what: str) -> None:
    assert why(step, broken) == [(what, True)]


def test_a_session_that_is_shut_down_is_said_once_and_no_more() -> None:
    assert why("BGP sessions", "shutdown") == [("the BGP session with x3 is shut down at x1", True)]


def test_what_may_still_come_is_waited_for() -> None:
    assert why("VPN routes", "not-announced") == [("x2 announces no route to 10.2.0.0/24", False)]


@pytest.mark.parametrize(
    ("step", "changes", "what"),
    [
        (
            "IS-IS adjacencies",
            [("x2", "links", '"operstate": "UP"', '"operstate": "DOWN"')],
            "x2:eth1 is down",
        ),
        (
            "IS-IS adjacencies",
            [("x2", "configuration", "router isis core", "! isis core")],
            "x2 runs no IS-IS",
        ),
        (
            "IS-IS adjacencies",
            [("x2", "configuration", "interface eth1\n ipv6 router isis core", "interface eth1")],
            "IS-IS doesn't run on x2:eth1",
        ),
        (
            "IS-IS adjacencies",
            [("x2", "configuration", "0000.0000.0002.00", "0000.0000.0001.00")],
            "x1 and x2 have the same IS-IS system id 0000.0000.0001",
        ),
        (
            "BGP sessions",
            [("x1", "sessions", "Established", "Active"), ("x1", "v6", "fc00:2:", "fc00:9:")],
            "x1 has no route to fc00:2::1 of x2",
        ),
        (
            "BGP sessions",
            [
                ("x1", "sessions", "Established", "Active"),
                ("x2", "configuration", "router-id 10.0.0.2", "router-id 10.0.0.1"),
            ],
            "x1 and x2 have the same router id 10.0.0.1",
        ),
        (
            "VPN routes",
            [("x1", "vpnv4", "fc00:2::1", "fc00:9::1")],
            "x1 has a path to 10.2.0.0/24 that isn't valid: its next hop is fc00:9::1, to which x1 has no route",
        ),
    ],
)
def test_and_what_else_may_be_amiss(step: str, changes: list[Change], what: str) -> None:
    assert what in [one for one, _ in why(step, changes=changes)]


def test_two_areas_of_level_1_are_told() -> None:
    both = [
        ("x1", "configuration", "is-type level-2-only", "is-type level-1"),
        ("x2", "configuration", "is-type level-2-only\n net 49.0001", "is-type level-1\n net 49.0002"),
    ]
    known = answers("healthy", both)
    for name in ("x1", "x2"):  # the circuits, too
        blocks = dict(known[name].blocks)
        blocks["interface eth1"] = tuple(
            line for line in blocks["interface eth1"] if "circuit-type" not in line.words
        )
        known[name] = Answers(blocks=blocks, mtus=known[name].mtus)
    (found,) = reasons(PLAN, "IS-IS adjacencies", ["x1"], WANTED, known)
    assert (
        found.what
        == "x1 is in the IS-IS area 49.0001 and x2 in 49.0002: neighbors of level 1 are in one area"
    )


def test_a_sid_that_frr_refused_is_told_in_its_words() -> None:
    refused = "2026/01/01 10:00:00 ZEBRA: [ABCDE-FGHIJ][EC 1] get_srv6_sid: SRv6 SID fc00:2::1 already in use"
    known = answers("healthy")
    known["x2"] = read(
        "".join(
            f"{refused if name == 'refused' else RECORDED['healthy']['x2'][name]}\n\n--end of answer--\n"
            for name in QUESTIONS
        )
    )
    (found,) = reasons(PLAN, "SIDs", ["x2"], WANTED, known)
    assert found.what == "FRR of x2 wrote: ZEBRA: get_srv6_sid: SRv6 SID fc00:2::1 already in use"


def test_a_neighbor_that_is_called_by_a_nic_is_passed_over() -> None:
    peers = {"eth1": {"bgpState": "Active"}, "fc00::1": {"bgpState": "Active"}}
    said = ["", "[]", "[]", "[]", json.dumps({"default": peers}), "{}", "{}", ""]
    known = read("\n--end of answer--\n".join(said))
    assert [str(address) for _, address in known.sessions] == ["fc00::1"]
