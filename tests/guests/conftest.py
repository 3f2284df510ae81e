"""A small lab that whoever asks for it brings up, and that leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need_root
from tests.guests.lab import Typed


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Typed]:
    need_root()
    one = Typed(tmp_path / "lab")
    yield one
    one.type("destroy", "--purge")
    assert one.left() == [] and not one.home.path.exists()
