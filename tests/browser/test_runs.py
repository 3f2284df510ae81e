"""The page of a real check of each lab, all of its exercises: its verdicts are those that `check` gave."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.live.lifecycle import destroy
from srv6lab.report.json import verdicts_json
from tests.browser.chromium import Browser
from tests.browser.walk import Walk, in_page, rows_of
from tests.conftest import LABS, SITE, bring, invoke, need_root, silent

pytestmark = pytest.mark.prove
MOST = 1_000_000  # bytes of a page


@pytest.mark.parametrize("name", LABS)
def test_page_of_a_labs_check_says_what_check_says(browser: Browser, tmp_path: Path, name: str) -> None:
    need_root()
    reference = SITE.refer(name)
    plan, _warnings = SITE.load(reference)
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    path = tmp_path / "walk.html"
    try:
        lab = bring(home, plan, reference)
        found = check(lab.running, plan, [one.name for one in plan.exercises], silent)
        done = invoke("report", name, "--instance", home.path.name, "--out", str(path))
    finally:
        destroy(home, purge=True)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size <= MOST
    exercises = {one["name"]: one for one in in_page(path.read_text("utf-8"))["exercises"]}
    walk = Walk(browser)
    for verdict in json.loads(verdicts_json(found)):
        walk.open(path, verdict["exercise"])
        assert [row[:9] for row in walk.table("Verdict")] == rows_of(verdict)
        exercise = exercises[verdict["exercise"]]
        walks = [one["hops"] for probe in exercise["probes"] for one in probe["walks"] if one["hops"]]
        seen = [
            len(one) for one in walk.every("0") if one
        ]  # a probe of which nothing was seen has its place, too
        assert seen == list(map(len, walks))
        assert browser.axe() == []
        assert browser.complaints() == []
