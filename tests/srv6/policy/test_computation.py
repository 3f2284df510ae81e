"""Dynamic paths: what the headend computes, against every path and every segment list of small networks."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srv6lab.srv6.policy.computation import NoSolution, Solution, allows, solve
from srv6lab.srv6.policy.paths import Dynamic, Metric
from srv6lab.srv6.policy.sr_db import KnownSid, Link, Node, SrDb
from tests.srv6.policy.rulebook import ENDPOINT, NAMES, network

RED, BLUE = frozenset({"red"}), frozenset({"blue"})


def solved(
    path: Dynamic, changed: dict[str, dict[str, Any]], down: list[str] | None = None
) -> tuple[str, int] | str:
    found = solve(path, network(changed, down or []), "h", IPv6Address(ENDPOINT))
    if isinstance(found, NoSolution):
        return found.why
    return " ".join(NAMES[sid] for sid in found.sids), found.cost


NONE = f"no path over allowed links leads to {ENDPOINT}"


@pytest.mark.parametrize(
    ("path", "changed", "expected"),
    [
        # Both ways are shortest, so both may be taken, and one SID does.
        (Dynamic(), {}, ("E", 20)),
        (Dynamic(), {"h-m": {"igp_metric": 5}}, ("E", 15)),
        # The IGP goes both ways, the metric one: over the last link, since the way to its node is the IGP's only one.
        (Dynamic(Metric.TE), {"h-m": {"te_metric": 5}}, ("ME", 15)),
        (Dynamic(Metric.DELAY), {"n-e": {"delay": 1}}, ("NE", 11)),
        # The IGP's way is the other one.
        (
            Dynamic(Metric.TE),
            {"h-m": {"te_metric": 5}, "h-n": {"igp_metric": 1}, "n-e": {"igp_metric": 1}},
            ("ME", 15),
        ),
        (
            Dynamic(Metric.TE),
            {"h-m": {"te_metric": 5, "igp_metric": 90}, "h-n": {"igp_metric": 1}, "n-e": {"igp_metric": 1}},
            ("HM E", 15),
        ),
        # Round about: no SID of a node brings a packet over m-n, but behind it the IGP's way is the best.
        (
            Dynamic(Metric.TE),
            {"h-n": {"te_metric": 99}, "m-e": {"te_metric": 99}, "m-n": {"te_metric": 1}},
            ("MN E", 21),
        ),
        # The link that is cheap by the metric may be no shortest path of the IGP's at all.
        (
            Dynamic(Metric.TE),
            {"h-m": {"te_metric": 1, "igp_metric": 500}, "m-e": {"te_metric": 1}},
            ("HM E", 2),
        ),
        (
            Dynamic(include_any=RED),
            {"h-m": {"affinities": RED}, "m-e": {"affinities": RED | BLUE}},
            ("ME", 20),
        ),
        (
            Dynamic(include_any=RED | BLUE),
            {"h-m": {"affinities": RED}, "m-e": {"affinities": BLUE}},
            ("ME", 20),
        ),
        (
            Dynamic(include_all=RED | BLUE),
            {"h-m": {"affinities": RED}, "m-e": {"affinities": RED | BLUE}},
            NONE,
        ),
        (Dynamic(exclude_any=RED), {"h-m": {"affinities": RED}}, ("NE", 20)),
        (
            Dynamic(exclude_any=RED | BLUE),
            {"h-m": {"affinities": RED}, "n-e": {"affinities": BLUE}},
            ("NM E", 120),
        ),
        (Dynamic(exclude_any=RED | BLUE), {"h-m": {"affinities": RED}, "h-n": {"affinities": BLUE}}, NONE),
        (
            Dynamic(exclude_srlgs=frozenset({7, 8})),
            {"m-e": {"srlgs": [7]}, "h-m": {"srlgs": [9]}},
            ("NE", 20),
        ),
        (
            Dynamic(exclude_srlgs=frozenset({7})),
            {"m-e": {"srlgs": [7]}, "h-n": {"srlgs": [7, 9]}},
            ("MN E", 120),
        ),
        # Constraints together.
        (
            Dynamic(Metric.DELAY, include_any=RED, exclude_srlgs=frozenset({7})),
            {
                "h-m": {"affinities": RED, "srlgs": [7]},
                "h-n": {"affinities": RED},
                "n-e": {"affinities": RED, "delay": 77},
            },
            ("NE", 87),
        ),
    ],
)
def test_the_solution(
    path: Dynamic, changed: dict[str, dict[str, Any]], expected: tuple[str, int] | str
) -> None:
    assert solved(path, changed) == expected


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("2001:db8::1", "the endpoint 2001:db8::1 is no node's"),
        ("::", "the endpoint :: is no node's"),
        ("fc00:1::1", "the endpoint fc00:1::1 is the headend's own"),
        ("fc00:5::1", "no path over allowed links leads to fc00:5::1"),
    ],
)
def test_no_solution(endpoint: str, why: str) -> None:
    assert solve(Dynamic(), network({}, []), "h", IPv6Address(endpoint)) == NoSolution(why)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [({"ME"}, "M E"), ({"M", "E", "HM"}, "ME"), ({"ME", "M"}, "HM E"), ({"ME", "E"}, None)],
)
def test_another_list_where_a_sid_is_missing(missing: set[str], expected: str | None) -> None:
    db = network({"h-m": {"te_metric": 5}}, [])
    fewer = SrDb(db.nodes, db.links, tuple(known for known in db.sids if NAMES[known.sid] not in missing))
    found = solve(Dynamic(Metric.TE), fewer, "h", IPv6Address(ENDPOINT))
    if isinstance(found, Solution):
        assert " ".join(NAMES[sid] for sid in found.sids) == expected
    else:
        assert expected is None
        assert found.why == f"no segment list keeps packets on the best path to {ENDPOINT}: a SID is missing"


def test_a_sid_of_another_algorithm_is_no_help() -> None:
    db = network({}, [])
    flexible = tuple(KnownSid(one.sid, one.node, one.behavior, 128, one.link) for one in db.sids)
    assert isinstance(
        solve(Dynamic(), SrDb(db.nodes, db.links, flexible), "h", IPv6Address(ENDPOINT)), NoSolution
    )


# Small networks against every path and every list.

STRETCH = st.sampled_from((1, 2, 9))
COLORS = st.sampled_from([frozenset(one.split()) for one in ("red", "red", "red blue", "")])
GROUPS = st.sampled_from([frozenset[int]()] * 4 + [frozenset({7}), frozenset({7, 8})])
CABLES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 1), (0, 3)]


@st.composite
def networks(draw: st.DrawFn) -> SrDb:
    """Four nodes, each direction of a cable with attributes of its own; some SIDs are missing."""
    links, sids = [], []
    for number, (a, b) in enumerate(CABLES[: draw(st.integers(3, 6))]):
        for near, far in ((a, b), (b, a)):
            link = Link(
                str(near),
                str(far),
                IPv6Address((number << 8) + near + 1),
                IPv6Address((number << 8) + far + 1),
                igp_metric=draw(STRETCH),
                te_metric=draw(STRETCH),
                delay=draw(STRETCH),
                affinities=draw(COLORS),
                srlgs=draw(GROUPS),
            )
            links.append(link)
            if draw(st.integers(0, 8)):
                sids.append(
                    KnownSid(IPv6Address(f"fc00:{near}::{number + 1:x}{far}"), str(near), "End.X", link=link)
                )
    nodes = tuple(Node(str(n), (IPv6Network(f"fc00:{n}::/64"),)) for n in range(4))
    sids += [KnownSid(IPv6Address(f"fc00:{n}::"), str(n)) for n in range(4) if draw(st.integers(0, 8))]
    return SrDb(nodes, tuple(links), tuple(sids))


METRICS = st.sampled_from(Metric)
PATHS = st.builds(Dynamic, METRICS) | st.builds(
    Dynamic,
    METRICS,
    st.sampled_from([frozenset[str](), RED, RED | BLUE]),
    st.sampled_from([frozenset[str](), RED]),
    st.sampled_from([frozenset[str](), BLUE]),
    GROUPS,
)
Way = tuple[Link, ...]


def cost(link: Link, metric: Metric) -> int:
    return int(getattr(link, metric.value))


def ways(
    links: tuple[Link, ...], node: str, target: str, seen: frozenset[str] = frozenset()
) -> Iterator[Way]:
    """Every way without a loop."""
    if node == target:
        yield ()
        return
    for link in links:
        if link.node == node and link.neighbor not in seen | {node}:
            for rest in ways(links, link.neighbor, target, seen | {node}):
                yield (link, *rest)


def best(links: tuple[Link, ...], source: str, target: str, metric: Metric) -> list[Way]:
    found = list(ways(links, source, target))
    costs = [sum(cost(link, metric) for link in way) for way in found]
    return [way for way, far in zip(found, costs, strict=True) if far == min(costs)]


def walks(db: SrDb, node: str, sids: tuple[KnownSid, ...]) -> list[tuple[Way, str]] | None:
    """Every way that packets take over a segment list, with where it ends; None if one of its SIDs can't be reached."""
    found: list[tuple[Way, str]] = [((), node)]
    for known in sids:
        more = []
        for way, at in found:
            legs = best(db.links, at, known.node, Metric.IGP)
            if not legs:
                return None
            for leg in legs:
                last = (known.link,) if known.link else ()
                more.append(((*way, *leg, *last), known.link.neighbor if known.link else known.node))
        found = more
    return found


def meets(path: Dynamic, link: Link) -> bool:
    wanted = [bool(path.include_any & link.affinities)] if path.include_any else []
    wanted += [one in link.affinities for one in path.include_all]
    wanted += [one not in link.affinities for one in path.exclude_any]
    wanted += [one not in link.srlgs for one in path.exclude_srlgs]
    return all(wanted)


@settings(max_examples=150)
@given(networks(), PATHS)
def test_the_solution_is_the_shortest_list_that_keeps_packets_on_best_allowed_paths(
    db: SrDb, path: Dynamic
) -> None:
    good = best(tuple(link for link in db.links if meets(path, link)), "0", "3", path.metric)
    found = solve(path, db, "0", IPv6Address("fc00:3::9"))

    def keeps(sids: tuple[KnownSid, ...]) -> bool:
        took = walks(db, "0", sids)
        return took is not None and all(at == "3" and way in good for way, at in took)

    if isinstance(found, Solution):
        assert keeps(tuple(db.by_sid[sid] for sid in found.sids))
        assert found.cost == sum(cost(link, path.metric) for link in good[0])
        assert found.links == {link for way in good for link in way}
        shorter: Any = range(1, len(found.sids))
    else:
        shorter = range(1, 4)  # no way has more links than three
    assert not any(keeps(sids) for length in shorter for sids in product(db.sids, repeat=length))


@given(networks(), PATHS)
def test_the_same_network_in_another_order_has_the_same_solution(db: SrDb, path: Dynamic) -> None:
    found = solve(path, db, "0", IPv6Address("fc00:3::9"))
    other = SrDb(db.nodes[::-1], db.links[::-1], db.sids[::-1])
    assert solve(path, other, "0", IPv6Address("fc00:3::9")) == found


@given(networks(), PATHS)
def test_a_link_is_allowed_by_all_constraints_alone(db: SrDb, path: Dynamic) -> None:
    assert [allows(path, link) for link in db.links] == [meets(path, link) for link in db.links]
