"""The lab that docs/topology.md begins with comes up and passes, and fails without what it is about."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from srv6lab.live.instance import Request
from srv6lab.live.lifecycle import destroy, up
from srv6lab.providers.state import Home
from tests.conftest import REPOSITORY, SITE, silent

DOCUMENT = (REPOSITORY / "docs" / "topology.md").read_text(encoding="utf-8")


def first() -> str:
    found = re.search(r"```yaml\n(name: .*?)```", DOCUMENT, re.DOTALL)
    assert found
    return found.group(1)


def without(text: str, key: str) -> str:
    """The file without what stands under a key at the left margin."""
    return re.sub(rf"^{key}:\n(?: .*\n)+", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "status"), [(first(), Status.PASS), (without(first(), "steering"), Status.FAIL)]
)
def test_the_first_lab(tmp_path: Path, text: str, status: Status) -> None:
    file = tmp_path / "topology.yml"
    file.write_text(text)
    reference = SITE.refer(str(file))
    plan, warnings = SITE.load(reference)
    assert not warnings
    home = Home(tmp_path / ".srv6lab" / f"test-{uuid.uuid4().hex[:12]}")
    try:
        running = up(home, plan, Request(reference), silent)
        (verdict,) = check(running, plan, [plan.exercises[0].name], silent)
    finally:
        destroy(home, purge=True)
    assert verdict.status is status, verdict


def test_it_is_as_short_as_the_document_says() -> None:
    assert f"stands in {len(first().splitlines())} lines" in DOCUMENT
