"""One machine for the tests that need one: it is booted once, emulated or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from srv6lab.images.kernel import Kernel, fetch
from srv6lab.providers.vm.boot import Booted, booted
from srv6lab.providers.vm.machine import Machine, native
from tests.conftest import need_root, silent


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    return fetch("6.12", native(), silent)


@pytest.fixture(scope="session")
def vm(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """A machine with one folder that both sides write to: `shared`, in the folder of the tests."""
    need_root()
    shared = tmp_path_factory.getbasetemp() / "shared"
    shared.mkdir()
    with booted(Machine(kernel, shares={shared: str(shared)}), silent) as machine:
        yield machine
