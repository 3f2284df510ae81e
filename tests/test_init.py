"""What `init` makes, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.cli.init import make
from srv6lab.errors import UsageError
from tests.conftest import LABS, SITE


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """Neither a file of somebody's, nor a link to nothing, nor a lab that was changed; what is missing is made again."""
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "tasks.py").symlink_to(tmp_path / "nowhere")
    first = make(tmp_path, None)
    assert {path.name for path in first.left} == {"README.md", "tasks.py"}
    assert (tmp_path / "README.md").read_text() == "mine" and not (tmp_path / "nowhere").exists()
    lab = tmp_path / "labs" / first.lab / "topology.yml"
    lab.write_text("changed")
    (tmp_path / ".gitignore").unlink()
    again = make(tmp_path, None)
    assert [path.name for path in again.files] == [".gitignore"]
    assert lab.read_text() == "changed" and lab.parent in again.left


@pytest.mark.parametrize("name", LABS[:3])
def test_a_copy_of_a_lab_loads_where_it_is(tmp_path: Path, name: str) -> None:
    """All of its files are there, and which labs come before it in the course isn't said any more."""
    made = make(tmp_path, SITE.file(name))
    reference = SITE.refer(str(tmp_path / "labs" / made.lab / "topology.yml"))
    plan, warnings = SITE.load(reference)
    assert plan.name == name and not warnings
    assert "requires:" not in reference.path.read_text()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "labs").touch()
    with pytest.raises(UsageError, match="is no folder"):
        make(tmp_path / "labs", None)
