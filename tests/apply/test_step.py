"""What has to be done to a lab for an edit of its file: plans alone, no machine."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from srv6lab.plan.nodes import Plan, PlannedNode, PlannedProxy
from srv6lab.plan.own import Own
from srv6lab.render.day0 import render
from srv6lab.render.laid import Laid, laid, laid_node
from srv6lab.render.step import Step, step
from tests.small import SMALL, planned

PLAN = planned()
GATE = PLAN.node("gate")


def to(after: Plan, anew: Collection[str] = (), before: Plan = PLAN) -> Step:
    was, now = render(before), render(after)
    rewritten = {path.removeprefix("day0/").removesuffix(".sh") for path in now if was.get(path) != now[path]}
    return step(laid(before, was), laid(after, now), rewritten, dict.fromkeys(anew, "nobody knows it"))


def with_gate(change: Callable[[PlannedNode], PlannedNode]) -> Plan:
    return replace(PLAN, nodes=tuple(change(one) if one.name == "gate" else one for one in PLAN.nodes))


def edited(was: str, now: str) -> Step:
    assert was in SMALL
    return to(planned(SMALL.replace(was, now)))


def test_nothing_changes_for_the_same_plan() -> None:
    found = to(planned())
    assert (found.touched, found.takes, [*found.lines()]) == ((), {}, [])


def test_a_route_that_is_gone_is_taken_away_in_its_node_alone() -> None:
    found = to(with_gate(lambda node: replace(node, routes=(), steering=())))
    assert found.run == ("gate",) and not found.made and not found.cut
    assert found.takes == {
        "gate": ("ip -6 route del fc00:b::/64 metric 1024", "ip -4 route del 10.0.2.0/24"),
    }
    assert [*found.lines()] == [
        "gate route: - fc00:b::/64 via 2001:ab::2 dev eth2",
        "gate steering: - 10.0.2.0/24 encap fc00:b::e fc00:b::d4 dev eth2",
    ]


def test_a_route_that_is_another_is_laid_over_the_old_one() -> None:
    found = edited('prefix: "fc00:b::/64", via: "2001:ab::2"', 'prefix: "fc00:b::/64", via: "2001:ab::7"')
    assert found.takes == {} and found.run == ("gate",)
    assert [*found.lines()] == ["gate route: fc00:b::/64 via 2001:ab::2 → 2001:ab::7"]


def test_of_addresses_all_go_that_stand_behind_the_one_that_goes() -> None:
    """The first one is what a node sends from, so their order has to be as it would be."""
    before = with_gate(
        lambda node: replace(node, loopbacks=tuple(map(ip_interface, ("fc00:a::1/64", "fc00:a::2/64"))))
    )
    after = with_gate(lambda node: replace(node, loopbacks=(ip_interface("fc00:a::2/64"),)))
    taken = ("ip address del fc00:a::1/64 dev lo", "ip address del fc00:a::2/64 dev lo")
    assert to(after, before=before).takes == {"gate": taken}
    assert to(before, before=after).takes == {"gate": taken[1:]}
    more = with_gate(lambda node: replace(node, loopbacks=(*node.loopbacks, ip_interface("fc00:a::2/64"))))
    assert to(more).takes == {}


def test_a_role_is_no_small_step_and_the_node_is_made_anew_with_its_wires() -> None:
    found = edited("east: {role: host,", "east: {role: router,")
    assert found.made == {"east": "its role changed"} and found.run == ("exit", "east")
    assert [str(point) for point in found.cut] == ["exit:eth1", "east:eth1"] and found.cut == found.wired
    assert [*found.lines()] == ["east: made anew, since its role changed", "exit:eth1: laid anew"]


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (Own(commands=("true",)), "its commands changed"),
        (Own(), ""),
    ],
)
def test_nobody_knows_what_own_commands_have_left(own: Own, why: str) -> None:
    assert to(with_gate(lambda node: replace(node, own=own))).made == ({"gate": why} if why else {})


def test_a_node_gets_its_first_proxy_when_it_is_made_and_loses_its_last_one_so() -> None:
    """Whether it may load programs into the kernel is settled by then."""
    sid = ip_address("fc00:a::ad")
    proxy = PlannedProxy(sid, GATE.local_sids[0].behavior, "any", sid, to="eth1", back="eth2")
    some, none = (
        Laid({"gate": laid_node(replace(GATE, proxies=proxies), "")}, {}) for proxies in ((proxy,), ())
    )
    for before, after in ((some, none), (none, some)):
        assert step(before, after, {"gate"}).made == {"gate": "its SR proxy changed"}
    assert not step(some, some, {"gate"}).made


def test_a_node_more_and_a_node_less() -> None:
    more = SMALL.replace("nodes:\n", "nodes:\n  new: {role: host}\n").replace(
        "links:\n", 'links:\n  - {name: cable-n, prefix: 10.0.9.0/24, endpoints: ["new:eth1", "gate:eth9"]}\n'
    )
    found = to(planned(more))
    assert found.made == {"new": ""} and found.run == ("new", "gate") and not found.takes
    assert {str(point) for point in found.wired} == {"new:eth1", "gate:eth9"} and not found.cut
    assert [*found.lines()][:2] == ["new: new", "gate:eth9: new"]
    back = to(PLAN, before=planned(more))
    assert back.gone == ("new",) and back.run == ("gate",) and not back.made
    assert [*back.lines()][:2] == ["new: taken away", "gate:eth9: taken away"]


def test_what_is_half_done_is_made_anew_and_what_came_of_it_goes() -> None:
    found = to(planned(), anew=("exit", "newcomer"))
    assert found.made == {"exit": "nobody knows it"}
    assert found.gone == ("newcomer",), "the file had it then, and has it no longer"


def test_a_capture_with_another_name_is_no_other_wire() -> None:
    found = edited("trace: middle", "trace: core")
    assert [str(point) for point in found.renamed] == ["gate:eth2"] and not found.wired and not found.run


def test_an_mtu_is_day0s_to_set() -> None:
    found = edited("mtu: 2000", "mtu: 1900")
    assert found.run == ("gate", "exit") and not found.takes and not found.wired
    assert [*found.lines()] == ["gate link: eth2: mtu 2000 → 1900", "exit link: eth2: mtu 2000 → 1900"]


def test_frr_adds_lines_and_takes_none_away_so_the_node_is_made_anew() -> None:
    def told(*lines: str) -> dict[str, str]:
        text = "\n".join(["", "cat >/etc/frr/frr.conf <<EOF", "router isis core", *lines, "EOF", ""])
        return {path: script + text for path, script in render(PLAN).items() if path == "day0/gate.sh"} | {
            path: script for path, script in render(PLAN).items() if path != "day0/gate.sh"
        }

    much, little = (laid(PLAN, told(*lines)) for lines in ((" net 49", " is-type level-1"), (" net 49",)))
    less = step(much, little, {"gate"})
    assert less.made == {"gate": "its line of FRR goes"}
    assert [*less.lines()][-1] == "gate FRR: - router isis core: is-type level-1"
    more = step(little, much, {"gate"})
    assert not more.made and not more.takes
