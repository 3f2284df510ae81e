"""A lab of the tests' own over a provider that runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.live.instance import Instance
from tests.fake_provider import Fake, standing
from tests.small import planned


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def one(fake: Fake, tmp_path: Path) -> Instance:
    return standing(fake, planned(), tmp_path)
