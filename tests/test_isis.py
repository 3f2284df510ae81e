"""Which routes IS-IS must have brought, in labs of the tests' own: levels, LANs, both IP versions, secrets, redistribution.

Of the figures here FRR has the same: tests/public/levels-and-lans.yml and square-and-ring.yml hold it to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from srv6lab.plan.actions import after
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.nodes import Plan
from srv6lab.render.day0 import day0_scripts
from srv6lab.topology.actions.link import LinkAction
from tests.small import planned

ROUTER = (
    '  {n}: {{role: router, router_id: {i}.{i}.{i}.{i}, loopback: ["fc00:{i}::1/128", 10.0.0.{i}/32], '
    "isis: {{instance: core, net: 49.000{a}.0000.0000.000{i}.00{more}}}{own}}}\n"
)


def lab(nodes: Iterable[tuple[str, int, str]], links: Iterable[str], own: str = "") -> str:
    """Routers as (name, area, more of `isis`), numbered from 1 on; links as what stands in their braces."""
    text = "name: core\nnodes:\n"
    text += "".join(
        ROUTER.format(n=n, i=i, a=a, more=more, own=own) for i, (n, a, more) in enumerate(nodes, 1)
    )
    return text + "links:\n" + "".join(f"  - {{{link}}}\n" for link in links)


def link(number: int, ends: str, more: str = "", both: bool = False) -> str:
    v4 = f", 10.1.{number}.0/24" if both else ""
    quoted = ", ".join(f'"{end}"' for end in ends.split())
    return f'prefix: ["2001:{number}::/64"{v4}], isis: {{{more}}}, endpoints: [{quoted}]'


def nics(plan: Plan, node: str, prefix: str) -> list[str]:
    return [one.nic for one in expected_routes(plan)[node].routes if str(one.prefix) == prefix]


# one – two – four and one – three – four
SQUARE = [("one", 1, ""), ("two", 1, ""), ("three", 1, ""), ("four", 1, "")]
SIDES = ("one:eth1 two:eth1", "one:eth2 three:eth1", "two:eth2 four:eth1", "three:eth2 four:eth2")


def square(first: str = "", two: str = "", both: bool = False) -> Plan:
    nodes = [(name, area, two if name == "two" else more) for name, area, more in SQUARE]
    links = [link(i, ends, first if i == 1 else "", both) for i, ends in enumerate(SIDES, 1)]
    return planned(lab(nodes, links))


def test_a_metric_is_that_of_the_end_that_it_leaves_by() -> None:
    plan = square("metric: [10, 30]")
    assert nics(plan, "one", "fc00:4::1/128") == ["eth1", "eth2"]
    assert nics(plan, "four", "fc00:1::1/128") == ["eth2"]


def test_nothing_goes_through_a_router_that_is_overloaded_but_to_it() -> None:
    plan = square(two=", overload: true")
    assert nics(plan, "one", "fc00:4::1/128") == ["eth2"]
    assert nics(plan, "one", "fc00:2::1/128") == ["eth1"]
    assert nics(plan, "two", "fc00:4::1/128") == ["eth2"]
    assert nics(plan, "one", "2001:3::/64") == ["eth1"]  # its own links it tells of


def test_ipv4_is_brought_where_links_have_it() -> None:
    assert nics(square(both=True), "one", "10.0.0.4/32") == ["eth1", "eth2"]
    assert nics(square(), "one", "10.0.0.4/32") == []


def test_a_passive_link_is_told_of_and_nobody_is_met_there() -> None:
    links = [link(1, "one:eth1 two:eth1", "passive: true"), link(2, "two:eth2 three:eth1")]
    plan = planned(lab(SQUARE[:3], links))
    assert nics(plan, "three", "2001:1::/64") == ["eth1"]
    assert nics(plan, "three", "fc00:1::1/128") == [] == nics(plan, "two", "fc00:1::1/128")


def test_what_is_handed_on_costs_nothing_and_counts_as_much_as_what_is_told() -> None:
    links = [link(i, ends) for i, ends in enumerate(SIDES, 1)]
    links += [link(5, "two:eth3 four:eth3", "passive: true, metric: 20")]
    nodes = [*SQUARE[:3], ("four", 1, ", redistribute: [connected]")]
    assert nics(planned(lab(nodes, links)), "one", "2001:5::/64") == ["eth1", "eth2"]
    links[4] = link(5, "two:eth3 four:eth3", "passive: true, metric: 5")
    assert nics(planned(lab(nodes, links)), "one", "2001:5::/64") == ["eth1"]


# inner is of area 1, far of area 2; both borders are on its LAN, near meets level 2 and lone doesn't.
AREAS = [
    ("inner", 1, ", level: 1"),
    ("near", 1, ", level: 1-2"),
    ("lone", 1, ", level: 1-2"),
    ("far", 2, ""),
]
OF_AREAS = [link(1, "inner:eth1 near:eth1 lone:eth1", "level: 1"), link(2, "near:eth2 far:eth1")]


def test_level_1_has_a_default_route_to_the_border_that_meets_level_2() -> None:
    plan = planned(lab(AREAS, OF_AREAS))
    (default,) = (one for one in expected_routes(plan)["inner"].routes if str(one.prefix) == "::/0")
    assert (str(default.via), default.nic) == ("2001:1::2", "eth1")
    assert nics(plan, "lone", "::/0") == ["eth1"]  # it meets none either
    assert nics(plan, "near", "::/0") == [] == nics(plan, "far", "::/0")


def test_frr_hands_nothing_on_from_level_1_but_tells_of_a_borders_own_links() -> None:
    plan = planned(lab(AREAS, OF_AREAS))
    assert nics(plan, "far", "2001:1::/64") == ["eth1"]
    assert nics(plan, "far", "fc00:1::1/128") == [] == nics(plan, "inner", "fc00:4::1/128")


def test_level_1_goes_before_level_2_however_long_it_is() -> None:
    both = [("west", 1, ", level: 1-2"), ("east", 1, ", level: 1-2")]
    links = [
        link(1, "west:eth1 east:eth1", "level: 2"),
        link(2, "west:eth2 east:eth2", "level: 1, metric: 90"),
    ]
    assert nics(planned(lab(both, links)), "west", "fc00:2::1/128") == ["eth2"]


def test_on_a_lan_each_two_meet_and_who_leaves_it_is_missed() -> None:
    plan = planned(
        lab(SQUARE[:3], [link(1, "one:eth1 two:eth1 three:eth1"), link(2, "one:eth2 two:eth2", "metric: 50")])
    )
    (nic, _) = plan.node("one").routing.isis.nics  # type: ignore[union-attr]
    assert [one.node for one in nic.neighbors] == ["two", "three"] and nic.network == "broadcast"
    assert nics(plan, "one", "fc00:2::1/128") == ["eth1"]
    action = LinkAction.model_validate({"link": {"at": "two:eth1", "state": "down"}})
    left = after(plan, [action]).plan
    assert nics(left, "one", "fc00:2::1/128") == ["eth2"]
    assert nics(left, "one", "fc00:3::1/128") == ["eth1"]
    assert [one.node for one in left.node("one").routing.isis.nics[0].neighbors] == ["three"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("of_node", "of_link", "lines"),
    [
        (", level: 1-2", "", (" is-type level-1-2", " isis circuit-type level-1-2")),
        (", level: 1-2", "level: 1", (" is-type level-1-2", " isis circuit-type level-1")),
        (", overload: true", "network: broadcast", (" set-overload-bit", " isis csnp-interval 1")),
        ("", "passive: true", (" isis passive",)),
        (
            ", authentication: {domain: {secret: a.b}, area: {secret: c, type: clear}}",
            "authentication: {secret: d}",
            (
                " domain-password md5 a.b authenticate snp validate",
                " area-password clear c authenticate snp validate",
                " isis password md5 d",
            ),
        ),
        (
            ", redistribute: [connected, static]",
            "",
            (
                " redistribute ipv6 connected level-2",
                " redistribute ipv4 static level-2",
            ),
        ),
    ],
)
def test_frr_is_told_so(of_node: str, of_link: str, lines: tuple[str, ...]) -> None:
    told, plain = (
        Counter(
            day0_scripts(
                planned(
                    lab([("west", 1, node), ("east", 1, node)], [link(1, "west:eth1 east:eth1", isis, True)])
                )
            )["day0/west.sh"].splitlines()
        )
        for node, isis in ((of_node, of_link), ("", ""))
    )
    assert not Counter(lines) - (told - plain)


def test_nodes_of_one_kernel_hash_by_a_seed_each() -> None:
    scripts = (
        day0_scripts(square("metric: 20")),
        day0_scripts(planned(lab(SQUARE, [link(1, "one:eth1 two:eth1 three:eth1 four:eth1")]))),
    )
    seeds = ["fib_multipath_hash_seed" in script for made in scripts for script in made.values()]
    assert not any(seeds)  # two NICs at most: what comes in by one leaves by the other
    plan = square()
    wide = planned(
        lab(SQUARE, [*(link(i, ends) for i, ends in enumerate(SIDES, 1)), link(5, "one:eth3 four:eth3")])
    )
    assert plan.node("one").hash_seed == 0 and wide.node("two").hash_seed == 0
    assert wide.node("one").hash_seed != wide.node("four").hash_seed != 0
    assert f"echo {wide.node('one').hash_seed} >$seed" in "\n".join(
        day0_scripts(wide)["day0/one.sh"].split("\n  ")
    )
