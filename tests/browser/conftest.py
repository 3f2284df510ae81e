"""One browser for all tests of the page, and one run for it to show."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli.tasks import check
from srv6lab.live.lifecycle import destroy
from srv6lab.report.json import verdicts_json
from tests.browser.chromium import Browser, running
from tests.browser.hostile import CANARY
from tests.browser.walk import Walk, in_page
from tests.conftest import REPOSITORY, SITE, bring, invoke, need_root, silent


@dataclass(frozen=True)
class Checked:
    """A run of two exercises, one that passed and one that failed: the page of it, the document that the page was made
    of, what `check --format json` says of each, and the folder of the runs."""

    page: Path
    document: Mapping[str, Any]
    verdicts: Mapping[str, dict[str, Any]]
    runs: Path

    def exercise(self, kind: str) -> dict[str, Any]:
        """The exercise that `passed` or `failed`, in the document."""
        name = self.verdicts[kind]["exercise"]
        return next(one for one in self.document["exercises"] if one["name"] == name)

    def alone(self, kind: str) -> dict[str, Any]:
        """The document with that exercise in it and no other."""
        return {**self.document, "exercises": [self.exercise(kind)]}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, in which a test opens a page of its own."""
    with running() as one:
        yield one


@pytest.fixture
def lawless(browser: Browser) -> Iterator[Walk]:
    """A browser that runs whatever a page lets in, and writes down who calls pwn()."""
    added = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=CANARY)
    browser.cdp("Page.setBypassCSP", enabled=True)
    yield Walk(browser)
    browser.cdp("Page.setBypassCSP", enabled=False)
    browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """The lab with the most services, up under a name of its own, for as long as two of its exercises take: the first,
    which the first fault of its list breaks, and the next."""
    need_root()
    course, _ = SITE.course()
    reference = SITE.refer(max(course, key=lambda lab: len(lab.services)).name)
    plan, _warnings = SITE.load(reference)
    faults = yaml.safe_load((REPOSITORY / "tests/labs" / f"{reference.name}.faults.yml").read_text("utf-8"))
    fault = next(one for one in faults if one.get("node"))
    names = {"failed": fault["exercise"]}
    names["passed"] = next(one.name for one in plan.exercises if one.name != fault["exercise"])
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    try:
        lab = bring(home, plan, reference)
        verdicts = {"passed": check(lab.running, plan, [names["passed"]], silent)}
        lab.sh(fault["node"], fault["run"])
        verdicts["failed"] = check(lab.running, plan, [names["failed"]], silent)
        destroy(home, purge=False)
        page = tmp_path_factory.mktemp("page") / "walk.html"
        done = invoke(
            "report", reference.name, *names.values(), "--instance", home.path.name, "--out", str(page)
        )
        assert done.returncode == 0, done.stderr
        said = {kind: json.loads(verdicts_json(found))[0] for kind, found in verdicts.items()}
        yield Checked(page, in_page(page.read_text("utf-8")), said, home.runs)
    finally:
        destroy(home, purge=True)
