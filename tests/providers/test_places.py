"""Where a node's network namespaces are looked for: in a process with a root of its own, as a node has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from srv6lab.providers.node import files
from tests.conftest import need_root

_STAY = "import os, sys; os.chroot(sys.argv[1]); os.chdir('/'); print(flush=True); sys.stdin.read()"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[int]:
    """The PID of a process whose root is `tmp_path`."""
    need_root()
    command = [sys.executable, "-I", "-S", "-c", _STAY, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as popen:
        assert popen.stdin and popen.stdout
        popen.stdout.readline()
        yield popen.pid
        popen.stdin.close()


def test_what_a_node_calls_a_namespace_is_opened(node: int, tmp_path: Path) -> None:
    (tmp_path / "run/netns").mkdir(parents=True)
    (tmp_path / "run/netns/red").touch()
    file = files.network(node, "red")
    assert file is not None
    os.close(file)


@pytest.mark.parametrize("link", ["run/netns/red", "run/netns", "run"])
def test_no_link_leads_out_of_a_node(node: int, tmp_path: Path, link: str) -> None:
    theirs = tmp_path / "theirs" / Path("run/netns/red").relative_to(link)
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.touch()
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "theirs")
    assert files.network(node, "red") is None


def test_where_none_was_made_none_is(node: int, tmp_path: Path) -> None:
    assert files.network(node, "red") is None
    assert not (tmp_path / "run").exists()
