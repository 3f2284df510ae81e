"""Where a picture puts things: nothing on top of anything else, as people draw it, the same everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.plan.nodes import Plan
from srv6lab.report.picture import drawing
from srv6lab.report.picture.layout import Layout, PlacedEnd, PlacedNode, layout
from srv6lab.topology.load import load
from tests.conftest import LABS, REPOSITORY, SITE
from tests.small import SMALL, planned
from tests.walks import ROW

PUBLIC = sorted((REPOSITORY / "tests" / "public").glob("*.yml"))
POOLS = "pools: {links: 'fd00::/48', loopbacks: 'fd01::/64', locators: 'fd02::/48'}\n"


def lab(nodes: str, *links: str) -> Plan:
    lines = "".join(f"  - {link}\n" for link in links)
    return planned(f"name: drawn\nnodes:\n{nodes}{POOLS}links:\n{lines}")


def routers(count: int, *links: str) -> Plan:
    return lab(f"  n[1-{count}]: {{role: router}}\n", *links)


def known(name: str) -> Plan:
    return SITE.load(SITE.refer(name))[0]


def at(found: Layout) -> dict[str, PlacedNode]:
    return {one.name: one for one in found.nodes}


def meet(one: PlacedNode, other: PlacedNode, room: float = 8) -> bool:
    """Whether two cards have less room between them."""
    wide = abs(one.x - other.x) < (one.width + other.width) / 2 + room
    return wide and abs(one.y - other.y) < (one.height + other.height) / 2 + room


def points(path: str) -> list[tuple[float, float]]:
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def wrong(plan: Plan, found: Layout) -> list[str]:
    """What makes a layout no picture of the plan."""
    nodes = at(found)
    said = [f"{a.name} meets {b.name}" for a, b in combinations(found.nodes, 2) if meet(a, b)]
    for node in found.nodes:
        inside = node.width / 2 <= node.x <= found.width - node.width / 2
        if not inside or not node.height / 2 <= node.y <= found.height - node.height / 2:
            said.append(f"{node.name} is outside")
    if set(nodes) != {one.name for one in plan.nodes}:
        said.append("other nodes")
    if sorted(end.point for one in found.links for end in one.ends) != sorted(
        nic.point for nic in plan.nics()
    ):
        said.append("other NICs")
    for link in found.links:
        for end in link.ends:
            card = nodes.get(end.point.node)
            said += _wrong_end(end, card, (link.x, link.y)) if card else []
    return said


def _wrong_end(end: PlacedEnd, card: PlacedNode, middle: tuple[float, float]) -> list[str]:
    aside = abs(abs(end.x - card.x) - card.width / 2) < 8 and abs(end.y - card.y) <= card.height / 2 + 8
    level = abs(abs(end.y - card.y) - card.height / 2) < 8 and abs(end.x - card.x) <= card.width / 2 + 8
    first, *_, last = points(end.path)
    said = [] if aside or level else [f"{end.point} isn't at its card"]
    if max(abs(first[0] - end.x), abs(first[1] - end.y)) > 0.11:
        said.append(f"the path of {end.point} begins elsewhere")
    if max(abs(last[0] - middle[0]), abs(last[1] - middle[1])) > 0.11:
        said.append(f"the path of {end.point} doesn't end in the middle of its link")
    return said


@pytest.mark.parametrize("name", LABS)
def test_a_lab_of_the_course_is_drawn(name: str) -> None:
    plan = known(name)
    found = layout(plan)
    assert wrong(plan, found) == []
    assert not found.small


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.prove] if turn % 4 else []) for turn, path in enumerate(PUBLIC)],
    ids=lambda path: path.stem,
)
def test_a_lab_of_somebody_else_is_drawn(path: Path) -> None:
    from srv6lab.plan.planner import plan

    read = load(path, path.name)
    drawn = plan(read.topology, read.source.locate, read.files)
    assert wrong(drawn, layout(drawn)) == []


def test_what_is_wrong_is_seen() -> None:
    plan = planned(SMALL)
    found = layout(plan)
    first, *others = found.nodes
    moved = Layout(found.width, found.height, False, (first, first, *others[1:]), found.links, ())
    assert {"other nodes", f"{first.name} meets {first.name}"} <= set(wrong(plan, moved))
    assert [one for one in wrong(plan, moved) if "at its card" in one] == []
    shrunk = Layout(10, 10, False, found.nodes, found.links, ())
    assert len([one for one in wrong(plan, shrunk) if one.endswith("is outside")]) == len(found.nodes)


def test_the_first_probe_goes_straight_from_left_to_right() -> None:
    found = at(layout(planned(ROW)))
    way = [found[name] for name in ("west", "gate", "mid", "exit", "east")]
    assert len({one.y for one in way}) == 1
    assert all(a.x + a.width / 2 < b.x - b.width / 2 for a, b in pairwise(way))


def test_links_of_a_straight_way_are_level() -> None:
    for link in layout(planned(ROW)).links:
        assert {y for end in link.ends for _, y in points(end.path)} == {link.y}


def test_two_ways_are_above_and_below_their_ends() -> None:
    text = (
        "name: square\nnodes:\n"
        + "".join(f"  {name}: {{role: {role}}}\n" for name, role in SQUARE.items())
        + POOLS
        + "links: [a - left, left - over, left - under, over - right, under - right, right - b]\n"
        + "exercises: [{name: across, probes: [{id: echo, from: a, to: b, icmp: 1}], "
        + 'expect: {packets: [{at: "b:eth1", direction: in, probe: echo}]}}]\n'
    )
    found = at(layout(planned(text)))
    assert found["over"].x == found["under"].x
    assert found["left"].y == found["right"].y == found["a"].y == found["b"].y
    assert found["over"].y + found["under"].y == pytest.approx(2 * found["left"].y, abs=13)


SQUARE = {"a": "host", "left": "router", "over": "router", "under": "router", "right": "router", "b": "host"}


def test_a_service_hangs_below_or_above_its_router() -> None:
    text = ROW.replace("  east: {role: host,", "  aside: {role: service}\n  east: {role: host,").replace(
        "local_sids:",
        '  - {name: spur, prefix: "2001:bd::/64", endpoints: ["mid:eth3", "aside:eth1"]}\nlocal_sids:',
    )
    found = at(layout(planned(text)))
    assert found["aside"].x == found["mid"].x
    assert found["mid"].y == found["gate"].y


def test_a_long_chain_is_folded() -> None:
    found = layout(routers(12, *(f"n{n} - n{n + 1}" for n in range(1, 12))))
    assert len({one.y for one in found.nodes}) == 2
    assert len({one.x for one in found.nodes}) == 6
    assert at(found)["n1"].x == at(found)["n12"].x


def test_links_between_the_same_nodes_are_apart_and_named() -> None:
    first, second = layout(routers(2, "n1 - n2", "n1 - n2")).links
    assert abs(first.y - second.y) > 20
    assert [first.words[0], second.words[0]] == [first.name, second.name]
    assert layout(routers(2, "n1 - n2")).links[0].words[0] != first.name


def test_a_bridge_has_a_hub() -> None:
    plan = routers(4, "{name: lan, endpoints: [n1, n2, n3, n4]}")
    found = layout(plan)
    (link,) = found.links
    assert link.bridge
    assert wrong(plan, found) == []


def test_a_lab_in_parts_is_drawn_below_each_other() -> None:
    plan = routers(4, "n1 - n2", "n3 - n4")
    found = layout(plan)
    assert wrong(plan, found) == []
    assert at(found)["n1"].y < at(found)["n3"].y


def test_a_node_without_links_and_no_links_at_all() -> None:
    assert len(layout(planned("name: one\nnodes: {r1: {role: router}}\nlinks: []\n")).nodes) == 1


FABRIC = (
    "  spine[1-4]: {role: router}\n  leaf[1-20]: {role: router}\n  h[1-40]: {role: host}\n",
    *(f"leaf[1-20] - spine{n}" for n in range(1, 5)),
    *(f"h{n} - leaf{(n + 1) // 2}" for n in range(1, 41)),
)
RING = [f"n{n} - n{n % 60 + 1}" for n in range(1, 61)]


def test_a_fabric_has_tiers_above_its_hosts() -> None:
    plan = lab(*FABRIC)
    found = layout(plan)
    assert found.small
    assert wrong(plan, found) == []
    heights = {
        name: {one.y for one in found.nodes if one.name.startswith(name)} for name in ("spine", "leaf", "h")
    }
    assert max(heights["spine"]) < min(heights["leaf"]) <= max(heights["leaf"]) < min(heights["h"])
    assert len(heights["spine"]) == len(heights["leaf"]) == 1
    leaves = [one for one in found.nodes if one.name.startswith("leaf")]
    assert [one.name for one in sorted(leaves, key=lambda one: one.x)] == [f"leaf{n}" for n in range(1, 21)]


def test_a_large_lab_without_hosts_is_laid_out_by_distances() -> None:
    plan = routers(60, *RING)
    found = layout(plan)
    assert wrong(plan, found) == []
    middle = found.width / 2, found.height / 2
    far = [((one.x - middle[0]) ** 2 + (one.y - middle[1]) ** 2) ** 0.5 for one in found.nodes]
    assert min(far) > 0.4 * max(far), "a ring is drawn as one"
    assert at(found)["n1"].x == min(one.x for one in found.nodes)
    assert layout(plan) == found


def test_a_large_lab_lies_on_its_longer_side() -> None:
    ladder = [f"n{n} - n{n + 2}" for n in range(1, 59)] + [f"n{n} - n{n + 1}" for n in range(1, 60, 2)]
    found = layout(routers(60, *ladder))
    assert found.width > 2 * found.height
    assert at(found)["n1"].x < at(found)["n60"].x


def test_a_large_lab_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "igraph", None)
    assert layout(planned(SMALL)).nodes, "a small one needs no igraph"
    with pytest.raises(MachineError) as caught:
        layout(routers(60, *RING))
    assert "igraph" in caught.value.what
    assert "pip install igraph" in caught.value.mend


def test_coordinates_are_of_few_digits() -> None:
    assert drawing.by_tiers(3, [(0, 1), (0, 2)], [0, 1, 1]) == [0.5, 0.0, 1.0]
    assert all(round(x, 3) == x for place in drawing.by_distances(3, [(0, 1), (1, 2)]) for x in place)


def test_a_layout_does_not_hang_on_the_order_of_hashes() -> None:
    script = (
        "import sys; from srv6lab.report.picture.layout import layout; from srv6lab.plan.planner import plan\n"
        "from srv6lab.topology.load import loads\n"
        "lab = loads(sys.stdin.read(), 'small.yml'); print(layout(plan(lab.topology, lab.source.locate)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        cwd=REPOSITORY,
        input=SMALL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"{layout(planned(SMALL))}\n"
