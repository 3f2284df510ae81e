"""All that was begun here: labs that are up, what is left of an `up` that was cut off, files that aren't ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.status import begun, overview
from srv6lab.errors import MachineError, UsageError
from srv6lab.providers.state import Home, State
from tests.conftest import LABS, SITE


@pytest.fixture
def site(tmp_path: Path) -> LabsFolder:
    return LabsFolder(tmp_path, SITE.labs)


def home(site: LabsFolder, name: str, **state: str) -> Home:
    """What lies in the folder of an instance."""
    one = Home(site.root / ".srv6lab" / name)
    one.path.mkdir(parents=True)
    file = str(site.refer(LABS[0]).path.resolve())
    if state:
        provider, topology = state.get("provider", "netns"), state.get("topology", file)
        one.write(State(LABS[0], name, provider, topology, state["phase"]))
    return one


def test_nothing_is_up(site: LabsFolder) -> None:
    home(site, "results").runs.mkdir()
    assert begun(site) == []
    assert "nothing is up" in overview(site, [], "text")
    assert f"invoke up lab={SITE.course()[0][0].name}" in overview(site, [], "text")


def test_what_an_up_left_is_told_with_how_to_take_it_away(site: LabsFolder) -> None:
    home(site, "half", phase="starting")
    home(site, "killed").alive.touch()
    (home(site, "old").path / "state.json").write_text('{"schema": 1}')
    half, killed, old = begun(site)
    assert (half.trouble, half.called) == ("begun, and never ready", f"lab={LABS[0]} --instance half")
    assert (killed.trouble, killed.called) == ("begun, and never ready", "lab=killed")
    assert "another version" in old.trouble
    assert overview(site, [half], "text").endswith(
        f"invoke destroy {half.called} takes away what is left of half\n"
    )


@pytest.mark.parametrize("lab", [None, ""])
def test_an_instance_alone_names_its_lab(lab: str | None, site: LabsFolder) -> None:
    """And a lab beside it is the one that is meant."""
    home(site, "two", phase="ready")
    home(site, "mine", phase="starting", topology="/a/mine.yml")
    assert site.refer(lab, "two") == site.refer(LABS[0])
    assert site.typed(lab, site.refer(lab, "two")) == LABS[0]
    assert site.refer(lab, "mine").path == Path("/a/mine.yml")
    assert site.refer(LABS[1], "two") == site.refer(LABS[1])
    assert site.typed(f"lab={LABS[1]}", site.refer(LABS[1])) == LABS[1]


@pytest.mark.parametrize(
    ("instance", "said"), [("three", "nothing was begun as three"), ("../two", "no name for an instance")]
)
def test_an_instance_that_never_was_names_nothing(instance: str, said: str, site: LabsFolder) -> None:
    home(site, "two", phase="ready")
    with pytest.raises(UsageError, match=said) as raised:
        site.refer(None, instance)
    assert "two" in raised.value.mend or "/" in instance


@pytest.mark.parametrize(
    ("file", "instance", "called"),
    [
        ("", LABS[0], f"lab={LABS[0]}"),
        ("", "two", f"lab={LABS[0]} --instance two"),
        ("/a/b/topology.yml", "b", "lab=/a/b/topology.yml"),
        ("/a/mine.yml", "mine", "lab=/a/mine.yml"),
        ("/a/mine.yml", "x", "lab=/a/mine.yml --instance x"),
    ],
)
def test_a_lab_is_called_as_tasks_find_it(site: LabsFolder, file: str, instance: str, called: str) -> None:
    state = {"phase": "starting"} | ({"topology": file} if file else {})
    home(site, instance, **state)
    assert begun(site)[0].called == called
    spec, _, name = called.removeprefix("lab=").partition(" --instance ")
    assert site.home(site.refer(spec), name).path.name == instance


def test_a_ready_lab_whose_provider_is_gone_is_told(site: LabsFolder) -> None:
    home(site, "gone", phase="ready", provider="nobody")
    (one,) = begun(site)
    assert "nobody" in one.trouble and not one.sound


def test_a_lab_whose_neighbors_cannot_be_asked_is_not_up_all_the_same(site: LabsFolder) -> None:
    home(site, "gone", phase="ready", provider="nobody")
    with pytest.raises(MachineError, match=f"{LABS[0]} isn't up\n  mend: invoke up lab={LABS[0]}"):
        site.running(site.refer(LABS[0]))


def test_a_wrong_format_is_refused(site: LabsFolder) -> None:
    with pytest.raises(UsageError, match="there is no format"):
        overview(site, [], "xml")
