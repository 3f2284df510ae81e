"""The node that tests of the kernel share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import need_root
from tests.srv6.linux import routes
from tests.srv6.node import Node, node
from tests.srv6.service import Proxied


@pytest.fixture(scope="session")
def linux() -> Iterator[Node]:
    need_root()
    with node(Node) as made:
        made.ip("\n".join(routes()))
        yield made


@pytest.fixture(scope="session")
def proxied() -> Iterator[Proxied]:
    need_root()
    with node(Proxied) as made:
        yield made
