"""What CI and our documents take from others is named by commit, which nobody can move, as a tag can be."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

PLACES = (".github/**/*.yml", "action.yml", "*.md", "docs/*.md", "labs/*/*.md")
USES = re.compile(r"\buses: *[\"']?(\S+?)[\"']?(?:\s|$)")
FIRM = re.compile(r"\./\S+|[\w.-]+/[\w./-]+@([0-9a-f]{40}|REVISION)|docker://\S+@sha256:[0-9a-f]{64}")


def movable(text: str) -> list[str]:
    """What others may change under us."""
    return [used for used in USES.findall(text) if not FIRM.fullmatch(used)]


def test_all_that_is_used_is_named_by_commit() -> None:
    files = [path for place in PLACES for path in REPOSITORY.glob(place)]
    assert {str(path): found for path in files if (found := movable(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "used", ["actions/checkout@v4", "actions/checkout", "a/b@main", f"a/b@{'0' * 39}", "docker://debian:12"]
)
def test_a_tag_or_branch_is_found(used: str) -> None:
    assert movable(f"steps:\n  - uses: {used} # v1\n  - uses: './here'\n") == [used]
