"""One browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, in which a test opens a page of its own."""
    with running() as one:
        yield one
