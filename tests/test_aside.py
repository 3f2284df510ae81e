"""The tests that run beside the others are there, and no lab comes up in them."""

from __future__ import annotations

import re

import pytest

from tests.aside import ASIDE
from tests.conftest import REPOSITORY

FIXTURES = re.compile(r"def test_\w+\([^)]*\b(bring_up|labs_up|need_root|up_once|lone|idle)\b")


@pytest.mark.parametrize("path", ASIDE)
def test_what_runs_aside_is_there_and_brings_nothing_up(path: str) -> None:
    files = [REPOSITORY / path] if path.endswith(".py") else sorted((REPOSITORY / path).glob("test_*.py"))
    assert files
    for file in files:
        assert not FIXTURES.search(file.read_text("utf-8")), file
