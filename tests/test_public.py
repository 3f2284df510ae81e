"""Labs of other people, written in our YAML: each comes up and shows what it shows there, by three witnesses.

`tests/public/<lab>.yml` says in its description whose it is. Labs with FRR come up a few at a time, since that is
waiting, and each is broken at last as `tests/public.faults.yml` says: what `run` does in `node` has come about when
`until` succeeds there or in a node of its own, and then the `exercise` fails, and `cause` is named of `node`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

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
FAULTS = yaml.safe_load(FOLDER.with_name("public.faults.yml").read_text())
AT_ONCE = 3


def begin(path: Path, begun: list[Home]) -> Up:
    reference = SITE.refer(str(path))
    plan, _ = SITE.load(reference)
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    begun.append(home)
    return bring(home, plan, reference)


class Ahead:
    """Labs that come up in the order in which they are asked for, a few before they are."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._begun: list[Home] = []
        self._left = list(paths)
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._coming: dict[Path, Future[Up]] = {}

    def lab(self, path: Path) -> Up:
        for other in dict.fromkeys([path, *self._left[:AT_ONCE]]):
            if other in self._left:
                self._left.remove(other)
                self._coming[other] = self._pool.submit(begin, other, self._begun)
        return self._coming[path].result()

    def close(self) -> None:
        self._pool.shutdown()
        for home in self._begun:
            destroy(home, purge=True)


@pytest.fixture(scope="module")
def ahead(request: Any) -> Iterator[Ahead]:
    need_root()
    asked = [item.callspec.params["frr"] for item in request.session.items if "frr" in item.fixturenames]
    labs = Ahead([*dict.fromkeys(asked)])
    yield labs
    labs.close()


def some(paths: Sequence[Path], one_of: int) -> list[Any]:
    """All labs as parameters: one of so many for `make test`, all for `make prove`."""
    quick = paths[::one_of]
    marks = {path: [] if path in quick else [pytest.mark.prove] for path in paths}
    return [pytest.param(path, id=path.stem, marks=marks[path]) for path in paths]


@pytest.fixture(scope="module", params=some(WITH_FRR, 6))
def frr(request: Any, ahead: Ahead) -> Iterator[Up]:
    lab = ahead.lab(request.param)
    yield lab
    destroy(lab.running.home, purge=True)


def proves(lab: Up) -> None:
    for verdict in check(lab.running, lab.plan, [one.name for one in lab.plan.exercises], silent):
        assert verdict.status is Status.PASS, (verdict.exercise, not_passed(verdict), verdict.suspects)


@pytest.fixture(scope="module", params=some(PLAIN, 5))
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


class TestWithFrr:
    def test_every_exercise_passes(self, frr: Up) -> None:
        proves(frr)

    def test_its_fault_is_seen(self, frr: Up) -> None:
        fault = FAULTS[frr.plan.name]
        frr.sh(fault["node"], fault["run"])
        if "until" in fault:
            until = {"node": fault["node"], **fault["until"]}
            frr.sh(until["node"], f"until {until['run']}; do sleep 0.1; done")
        (verdict,) = check(frr.running, frr.plan, [fault["exercise"]], silent)
        assert verdict.status is Status.FAIL
        assert (fault["node"], fault["cause"]) in {(one.node, one.cause) for one in verdict.suspects}


def test_every_lab_with_frr_has_a_fault() -> None:
    assert set(FAULTS) == {path.stem for path in WITH_FRR}
