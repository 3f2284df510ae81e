"""`invoke walk`: one packet now, as it was captured, beside the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srv6lab.cli.tasks import walk
from srv6lab.errors import UsageError
from srv6lab.evidence.verdict import PacketsSeen, Status
from tests.conftest import LABS, Up, silent

NAME = LABS[0]


def test_the_way_of_one_packet_and_where_it_ends(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    probe = lab.plan.exercises[0].probes[0]
    verdict = walk(lab.running, lab.plan, "", "", silent)
    assert verdict.status is Status.PASS, verdict
    seen = [item for item in verdict.items if isinstance(item, PacketsSeen)]
    assert (seen[0].point and seen[0].point.node, seen[0].captured and seen[0].captured[:3]) == (
        probe.source,
        "1: ",
    )
    back = walk(lab.running, lab.plan, probe.to, probe.source, silent)
    assert back.status is Status.PASS and back.exercise == f"walk-{probe.to}-{probe.source}"

    sid = next(node for node in lab.plan.nodes if node.local_sids)
    lab.sh(sid.name, f"ip -6 route del {sid.local_sids[0].prefix}")
    broken = walk(lab.running, lab.plan, "", "", silent)
    assert broken.status is Status.FAIL
    assert [(one.cause, one.node) for one in broken.suspects] == [("sid-not-installed", sid.name)]


@pytest.mark.parametrize(
    ("source", "to", "said"),
    [
        ("nobody", "", "has no node 'nobody'"),
        ("", "nobody", "has no node 'nobody'"),
        ("{source}", "{source}", "can't send to itself"),
    ],
)
def test_what_can_not_be_walked_is_refused(
    bring_up: Callable[[str], Up], source: str, to: str, said: str
) -> None:
    lab = bring_up(NAME)
    names = {"source": lab.plan.exercises[0].probes[0].source}
    with pytest.raises(UsageError, match=said):
        walk(lab.running, lab.plan, source.format(**names), to.format(**names), silent)
