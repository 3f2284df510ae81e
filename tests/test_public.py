"""Labs of other people, written in our YAML: each comes up and shows what it shows there, by three witnesses.

`tests/public/<lab>.yml` says in its description whose it is. Labs with FRR wait for each other's convergence together.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from tests.conftest import SITE, Up, bring, need_root, silent
from tests.small import not_passed

FOLDER = Path(__file__).with_name("public")
LABS = sorted(FOLDER.glob("*.yml"))


def has_frr(path: Path) -> bool:
    return any(node.routing for node in SITE.load(SITE.refer(str(path)))[0].nodes)


WITH_FRR = [path for path in LABS if has_frr(path)]
PLAIN = [path for path in LABS if path not in WITH_FRR]


def begin(path: Path, begun: list[Home]) -> Up:
    reference = SITE.refer(str(path))
    plan, _ = SITE.load(reference)
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    begun.append(home)
    return bring(home, plan, reference)


@pytest.fixture(scope="module")
def with_frr() -> Iterator[Callable[[Path], Up]]:
    """All labs with FRR, up at once: what they take is waiting."""
    need_root()
    begun: list[Home] = []
    with ThreadPoolExecutor(3) as pool:
        coming = {path: pool.submit(begin, path, begun) for path in WITH_FRR}
        yield lambda path: coming[path].result()
    for home in begun:
        destroy(home, purge=True)


def proves(lab: Up) -> None:
    for verdict in check(lab.running, lab.plan, [one.name for one in lab.plan.exercises], silent):
        assert verdict.status is Status.PASS, (verdict.exercise, not_passed(verdict), verdict.suspects)


@pytest.fixture(scope="module", params=PLAIN, ids=lambda path: path.stem)
def plain(request: Any) -> Iterator[Up]:
    need_root()
    begun: list[Home] = []
    yield begin(request.param, begun)
    for home in begun:
        destroy(home, purge=True)


class TestPlain:
    def test_every_exercise_passes(self, plain: Up) -> None:
        proves(plain)

    def test_a_sid_that_is_gone_is_seen(self, plain: Up) -> None:
        """The one that the first policy of the file leads to, which its first ping needs."""
        node, sid = _first_sid(plain.plan)
        if sid is None:
            return
        plain.sh(node, f"ip -6 route del {sid}")
        pings = (one.name for one in plain.plan.exercises if any(probe.icmp for probe in one.every_probe()))
        (verdict,) = check(plain.running, plain.plan, [next(pings)], silent)
        assert verdict.status is Status.FAIL
        assert node in {one.node for one in verdict.suspects}, verdict.suspects


def _first_sid(plan: Plan) -> tuple[str, str | None]:
    """The first segment of a policy that is a local SID, with its node; none where segments are addresses, or of others."""
    segments = [
        segment
        for node in plan.nodes
        for policy in (*node.steering, *node.frames)
        for segment in policy.segments
    ]
    for segment in segments:
        for node in plan.nodes:
            for sid in node.local_sids:
                if segment in sid.prefix:
                    return node.name, str(sid.prefix)
    return "", None


@pytest.mark.parametrize("path", WITH_FRR, ids=lambda path: path.stem)
def test_every_exercise_passes(path: Path, with_frr: Callable[[Path], Up]) -> None:
    proves(with_frr(path))
