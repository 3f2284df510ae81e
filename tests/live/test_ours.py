"""Whatever a lab renders to is known as ours from when it is written, and nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.host.files import write_whole
from srv6lab.providers.records import RECORDS
from srv6lab.providers.registry import PROVIDERS
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home
from tests.conftest import LABS, SITE
from tests.fork import fork

PLANS = {**{name: SITE.load(SITE.refer(name))[0] for name in LABS}, "headend": fork()}
RENDERINGS = {record.rendering: record.name for record in RECORDS.values()}


@pytest.mark.parametrize("provider", RENDERINGS.values())
@pytest.mark.parametrize("name", PLANS)
def test_all_that_is_rendered_is_forgotten_and_a_strangers_file_is_not(
    name: str, provider: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / ".srv6lab" / "mine")
    lab = Rendered(PLANS[name], RECORDS[provider].rendering)
    lab.write(home)
    write_whole(home.path / "notes.txt", "mine")
    assert lab.changed(home) == [] and home.begun
    home.forget(keep_runs=False)
    assert [path.name for path in home.path.iterdir()] == ["notes.txt"]


def test_what_is_not_said_to_be_ours_stays(tmp_path: Path) -> None:
    home = Home(tmp_path / ".srv6lab" / "mine")
    home.own("said")
    write_whole(home.path / "said" / "file", "")
    write_whole(home.path / "not-said" / "file", "")
    home.forget(keep_runs=False)
    assert [path.name for path in home.path.iterdir()] == ["not-said"]


def test_a_name_that_leads_elsewhere_removes_nothing_there(tmp_path: Path) -> None:
    home = Home(tmp_path / ".srv6lab" / "mine")
    write_whole(home.path.parent / "other" / "state.json", "")
    home.own("../other", "..", "/")
    home.forget(keep_runs=False)
    assert (home.path.parent / "other" / "state.json").exists() and not home.path.exists()


def test_every_way_of_rendering_is_some_provider_s() -> None:
    """The test above is of all of them."""
    assert {RECORDS[name].rendering for name in PROVIDERS} <= set(RENDERINGS)
