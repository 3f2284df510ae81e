"""BGP's simulation against FRR: every speaker's selected routes, and what of them is in the kernel, in one lab of three ASes
with a reflector, a session over two links, redistribution into and out of IS-IS, both IP versions and SIDs; and in
topologies made by chance."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from srv6lab.host.waiting import wait_until
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.converged import converged
from tests.bgp_labs import WORDS, expected_in_kernel, in_kernel, routers, said_by_frr, simulated, speakers
from tests.conftest import SITE, Up, bring, need_root, silent
from tests.small import not_passed

PATIENCE = 10.0
THREE = Path(__file__).with_name("recorded") / "three-as.yml"


def begin(path: Path, name: str) -> Up:
    need_root()
    reference = SITE.refer(str(path))
    plan, _ = SITE.load(reference)
    home = SITE.home(reference, f"test-{name}-{uuid.uuid4().hex[:8]}")
    try:
        return bring(home, plan, reference)
    except BaseException:
        destroy(home, purge=True)
        raise


def said(lab: Up, node: str, command: str) -> str:
    return lab.sh(node, command)


def differences(lab: Up) -> list[str]:
    """What FRR and the kernel of each node have otherwise than the simulation."""
    whole, found = converged(lab.plan), []
    for node in speakers(lab.plan):
        for family in WORDS:
            real = said_by_frr(lambda words, name=node.name: said(lab, name, f"vtysh -c '{words}'"), family)
            model = simulated(whole, node.name, family, real)
            found += [
                f"{node.name} {family} {prefix}: FRR {real.get(prefix)}, simulated {model.get(prefix)}"
                for prefix in sorted({*real, *model})
                if real.get(prefix) != model.get(prefix)
            ]
        for version in (4, 6):
            kernel = in_kernel(
                lambda number, name=node.name: said(lab, name, f"ip -{number} -json route"), version
            )
            model_too = expected_in_kernel(whole, node.name, version)
            found += [f"{node.name}: the kernel alone has {one}" for one in sorted(kernel - model_too)]
            found += [f"{node.name}: the kernel lacks {one}" for one in sorted(model_too - kernel)]
    return found


@pytest.fixture(scope="module")
def three() -> Iterator[Up]:
    lab = begin(THREE, "three")
    yield lab
    destroy(lab.running.home, purge=True)


def test_every_speaker_selects_what_frr_selects(three: Up) -> None:
    assert differences(three) == []
    whole = converged(three.plan)
    kinds = {route.protocol for rib in whole.ribs.values() for route in rib}
    assert {"bgp", "ibgp", "isis", "static", "connected"} <= kinds


def test_what_is_behind_a_sid_goes_there(three: Up) -> None:
    for verdict in check(three.running, three.plan, [one.name for one in three.plan.exercises], silent):
        assert verdict.status is Status.PASS, (verdict.exercise, not_passed(verdict))


def test_another_choice_of_frr_is_seen(three: Up) -> None:
    """With another local preference b1 takes the other border, and the comparison says so; given back, it doesn't."""
    change = "vtysh -c 'configure terminal' -c 'router bgp 65002' -c '{}address-family ipv6 unicast' -c '{}neighbor 2001:db8:b::2 route-map BACK out'"
    three.sh("b2", "vtysh -c 'configure terminal' -c 'route-map BACK permit 10' -c 'set local-preference 50'")
    three.sh("b2", change.format("", ""))
    try:
        assert wait_until(lambda: any(one.startswith("b1 ipv6") for one in differences(three)), PATIENCE, 0.2)
    finally:
        three.sh("b2", change.format("", "no "))
        three.sh("b2", "vtysh -c 'configure terminal' -c 'no route-map BACK'")


def by_chance(seed: int) -> str:
    """Seven routers in two or three ASes, with links, sessions and announcements as they come. Inside an AS there is
    IS-IS, and a full mesh or a reflector."""
    dice = random.Random(seed)
    names = "abcdefg"
    of = {name: dice.choice((1, 2, 3)) for name in names}
    tree = [f"{dice.choice(names[:index])} {name}" for index, name in enumerate(names) if index]
    spare = [
        f"{one} {other}" for one in names for other in names if one < other and f"{one} {other}" not in tree
    ]
    links = [*tree, *dice.sample(spare, 4)]
    inside = [link for link in links if len({of[name] for name in link.split()}) == 1]
    nodes: dict[str, Any] = {}
    for name in names:
        number = names.index(name) + 1
        black = [
            {"prefix": f"10.{20 + number}.0.0/16", "type": "blackhole"},
            {"prefix": "10.7.0.0/16", "type": "blackhole"},
            {"prefix": f"fd{20 + number}::/16", "type": "blackhole"},
        ]
        shared = dice.sample([f"10.{20 + number}.0.0/16", "10.7.0.0/16", f"fd{20 + number}::/16"], 2)
        nodes[name] = {
            "as_": of[name],
            "networks": shared,
            "redistribute": dice.choice(([], ["connected"], ["static"])),
            "node": {"routes": black},
            "neighbors": {},
        }
    for link in links:
        one, other = link.split()
        if of[one] != of[other]:
            nodes[one]["neighbors"][other] = {}
            nodes[other]["neighbors"][one] = {}
    for group in _islands(inside):
        _inside(nodes, group, dice)
    return routers(links, nodes, isis=inside)


def _islands(links: list[str]) -> list[list[str]]:
    """Who is connected with whom: routers of one AS that aren't don't have sessions, either."""
    groups: list[set[str]] = []
    for link in links:
        ends = set(link.split())
        near = [one for one in groups if one & ends]
        groups = [one for one in groups if one not in near] + [ends.union(*near)]
    return [sorted(one) for one in groups]


def _inside(nodes: dict[str, Any], group: list[str], dice: random.Random) -> None:
    reflector = dice.choice([None, group[0]])
    for one in group:
        for other in group:
            if one != other and (reflector is None or reflector in (one, other)):
                keys: dict[str, Any] = {"next_hop_self": True}
                nodes[one]["neighbors"][other] = keys | (
                    {"reflector_client": True} if one == reflector else {}
                )


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_topology_the_simulation_is_frrs(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "chance"
    folder.mkdir()
    (folder / "topology.yml").write_text(by_chance(seed), "utf-8")
    lab = begin(folder / "topology.yml", f"chance{seed}")
    try:
        wait_until(lambda: not differences(lab), PATIENCE, 0.2)
        assert differences(lab) == []
    finally:
        destroy(lab.running.home, purge=True)
