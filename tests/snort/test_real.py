"""A real Snort in the place of each sensor of the course, of the trees that $SNORT names (`bin/snort` in each, one behind
the other with `:` between). A node has a /tmp of its own, so a tree stands elsewhere; nodes are shown
it, and what $SRV6LAB_SHOW names beside it.

All exercises must pass but for one thing: Snort looks behind an SRH also into IPv6, and Suricata doesn't. So an alert
may come where a lab expects that a sensor before its SR proxy is blind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Item, Status
from srv6lab.live.lifecycle import destroy
from srv6lab.providers.keeping import NODE_PATH, SHOW
from tests.conftest import SITE, Up, bring, need_root, silent

pytestmark = pytest.mark.prove

TREES = [Path(one) for one in os.environ.get("SNORT", "").split(":") if one]
SERVED = sorted({plan.name for plan in SITE.plans() if any(node.services for node in plan.nodes)})
VERSION = re.compile(r"Version (\d[\d.]*\d)")


def test_snort_is_named() -> None:
    assert TREES, (
        "SNORT names no tree with bin/snort, so no real Snort was run: SNORT=/path make prove part=snort"
    )
    for tree in TREES:
        assert (tree / "bin/snort").is_file(), f"{tree} has no bin/snort"
        assert not tree.is_relative_to("/tmp"), f"{tree} is not seen in nodes, which have a /tmp of their own"


@pytest.fixture(params=TREES, ids=lambda tree: tree.name)
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the tree's Snort calls itself; nodes find this one first."""
    folder = request.param / "bin"
    monkeypatch.setattr("srv6lab.providers.netns.NODE_PATH", f"{folder}:{NODE_PATH}")
    more = os.environ.get(SHOW)
    monkeypatch.setenv(SHOW, f"{request.param}:{more}" if more else str(request.param))
    said = subprocess.run([folder / "snort", "-V"], capture_output=True, text=True, check=True)
    found = VERSION.search(said.stdout + said.stderr)
    assert found, said
    return found[1]


@pytest.fixture(params=SERVED)
def lab(request: pytest.FixtureRequest, version: str, tmp_path: Path) -> Iterator[Up]:
    """A lab of the course with Snort for every sensor, as `auto` finds it or by its name."""
    need_root()
    folder = tmp_path / "lab"
    shutil.copytree(SITE.refer(request.param).path.parent, folder)
    topology = folder / "topology.yml"
    topology.write_text(re.sub(r"engine: \w+", "engine: snort", topology.read_text()))
    reference = SITE.refer(str(topology))
    plan, _ = SITE.load(reference)
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    try:
        up = bring(home, plan, reference)
        served = [(node.name, service.name) for node in plan.nodes for service in node.services]
        assert {up.sh(node, f"cat /var/lib/srv6lab/services/{name}/engine") for node, name in served} == {
            "snort\n"
        }
        yield up
    finally:
        destroy(home, purge=True)


def test_exercises_pass_with_a_real_snort(
    lab: Up, version: str, record_property: pytest.RecordProperty
) -> None:
    names = [exercise.name for exercise in lab.plan.exercises if exercise.like is None]
    verdicts = check(lab.running, lab.plan, names, silent)
    wrong = [(verdict.exercise, item) for verdict in verdicts for item in verdict.items if not passed(item)]
    seen = [(exercise, item) for exercise, item in wrong if looked_behind(item)]
    assert wrong == seen, [f"{exercise}: {item.point}: {item.gist()}" for exercise, item in wrong]
    record_property("snort", version)
    for exercise, item in seen:
        record_property(f"{exercise}: {item.point}", f"{item.expected}; Snort: {item.captured}")


def passed(item: Item) -> bool:
    return item.status is Status.PASS


def looked_behind(item: Item) -> bool:
    """An alert that must not come, of a sensor on a NIC of its node."""
    absent = item.field == "alert" and str(item.expected).startswith("no alert")
    return absent and item.point is not None and not item.point.netns
