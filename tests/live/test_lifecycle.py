"""`up`, `halt` and `destroy` over a provider that runs nothing: what is asked of it, what is kept, what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from srv6lab.errors import Interrupted, LabError, MachineError, NodeError, UsageError
from srv6lab.host.files import write_whole
from srv6lab.live.instance import Instance, Reference, Request
from srv6lab.live.lifecycle import destroy, halt, refuse_stale, up
from srv6lab.live.snapshot import KEPT
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.render.day0 import render
from srv6lab.render.files import Files
from tests.conftest import silent
from tests.fake_provider import Fake
from tests.fork import fork
from tests.small import planned


@dataclass
class Lab:
    """A lab in a folder of its own, and the provider that it has."""

    folder: Path
    fake: Fake
    plan: Plan = field(default_factory=planned)
    said: list[str] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.folder / ".srv6lab" / "mine")

    def up(self, box: str = "") -> Instance:
        asked = Request(Reference(self.folder / "small.yml", "small"), self.fake, box)
        return up(self.home, self.plan, asked, self.said.append)

    def changed(self) -> Lab:
        """The same after its author has changed a route."""
        first, *rest = self.plan.nodes
        nodes = (replace(first, routes=()), *rest)
        return replace(self, plan=replace(self.plan, nodes=nodes))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, Fake())


@pytest.fixture
def machines(tmp_path: Path) -> Lab:
    return Lab(tmp_path, Fake(makes_machines=True))


def test_up_writes_the_lab_and_what_it_is_built_from(lab: Lab) -> None:
    one = lab.up()
    assert lab.fake.done == ["down", "up"]
    assert one.home.read() == one.state and (one.state.phase, one.state.provider) == ("ready", "fake")
    assert (one.home.path / "day0" / "gate.sh").read_text() == render(lab.plan)["day0/gate.sh"]
    refuse_stale(one, lab.plan)
    with pytest.raises(UsageError, match=r"older file: day0/west\.sh would change"):
        refuse_stale(one, lab.changed().plan)


def test_it_is_rendered_once_a_command(tmp_path: Path) -> None:
    rendered = []

    def rendering(plan: Plan) -> Files:
        rendered.append(plan.name)
        return render(plan)

    lab = Lab(tmp_path, Fake(rendering=rendering))
    for count in (1, 2):
        lab.up()
        assert len(rendered) == count


def test_what_is_up_is_mended_and_what_was_applied_is_taken_back(lab: Lab) -> None:
    lab.up()
    write_whole(lab.home.applied, '[["gate", "undo it"]]')
    lab.fake.tell("gate", "undo it", "")
    lab.up()
    assert lab.fake.done == ["down", "up", "mend"]
    assert lab.fake.asked == [("gate", "bash -ec 'undo it'")] and not lab.home.applied.exists()


def test_up_says_what_it_brought_back_and_what_stays(lab: Lab) -> None:
    lab.fake.settings = {"gate": _settings("mtu 1500", "route 1", "route 2")}
    lab.up()
    lab.fake.settings = {"gate": _settings("mtu 1400", "route 1", "route 3")}
    lab.fake.after_mend = {"gate": _settings("mtu 1500", "route 1", "route 2", "route 3")}
    lab.up()
    assert lab.said == [
        "brought back what was dead or differed from Day0:",
        "  gate link: eth0: mtu 1500 → 1400",
        "  gate route: - 2001:db8:2::/64 dev eth0",
        "differs from Day0 still, since Day0 doesn't undo it:",
        "  gate route: + 2001:db8:3::/64 dev eth0",
    ]


def test_up_says_that_nothing_had_to_be_brought_back(lab: Lab) -> None:
    lab.up()
    assert lab.said == []
    lab.up()
    assert lab.said == ["nothing had to be brought back"]


def test_up_says_which_dead_made_it_build_anew(lab: Lab) -> None:
    lab.up()
    lab.fake.alive = lab.fake.mends = False
    lab.up()
    assert lab.said == [
        f"it is built anew, since these were dead: {', '.join(f'node {one.name}' for one in lab.plan.nodes)}"
    ]


def _settings(mtu: str, *routes: str) -> str:
    """What a node says of a NIC and of its routes."""
    lines = [f"1: eth0: <UP> {mtu} qdisc noqueue state UP"]
    lines += [f"2001:db8:{route.split()[1]}::/64 dev eth0 " for route in routes]
    return "\n".join(["-- ip ", *lines, ""])


def test_what_day0_left_is_kept_until_the_lab_is_built_anew(lab: Lab) -> None:
    kept = lab.home.path / KEPT
    for settings, mends, left in (
        ("first", True, "first"),
        ("second", True, "first"),
        ("third", False, "third"),
    ):
        lab.fake.settings, lab.fake.mends = {"gate": settings}, mends
        lab.up()
        assert json.loads(kept.read_text())["gate"] == left


def test_what_cannot_be_mended_is_built_anew(lab: Lab) -> None:
    lab.up()
    lab.fake.mends = False
    lab.up()
    assert lab.fake.done == ["down", "up", "mend", "down", "up"]


def test_a_failed_mending_is_told_and_all_is_built_anew(lab: Lab) -> None:
    lab.up()
    lab.fake.fail("mend", NodeError("gate: Day0 failed\n  here"))
    lab.up()
    assert lab.said == ["it can't be mended, so it is built anew: gate: Day0 failed"]


def test_machines_that_cannot_be_mended_are_kept(machines: Lab) -> None:
    machines.up()
    machines.fake.fail("mend", MachineError("gate: no room"))
    with pytest.raises(MachineError, match="no room"):
        machines.up()
    assert machines.fake.done == ["down", "up", "mend"] and machines.home.read()


def test_a_failed_up_leaves_nothing(lab: Lab) -> None:
    lab.fake.fail("up", MachineError("the links can't be made"))
    with pytest.raises(MachineError, match="links can't be made"):
        lab.up()
    assert lab.fake.done == ["down", "up", "down"] and not lab.home.path.parent.exists()


def test_an_interrupted_up_leaves_nothing_and_says_so(lab: Lab) -> None:
    lab.fake.fail("up", KeyboardInterrupt())
    with pytest.raises(Interrupted, match="nothing is left of mine"):
        lab.up()
    assert not lab.home.path.parent.exists()


def test_what_is_left_of_an_up_that_cannot_be_taken_back_is_told(lab: Lab) -> None:
    class Stuck(Fake):
        def down(self, home: Home, state: object) -> None:
            if "up" in self.done:
                raise MachineError("it hangs")

    lab.fake = Stuck()
    lab.fake.fail("up", MachineError("no"))
    with pytest.raises(LabError, match=r"some of it may be left: it hangs\n.*invoke destroy lab=mine"):
        lab.up()
    assert (lab.home.path / "day0").exists()


def test_machines_that_came_up_stay_after_a_failure_and_up_goes_on(machines: Lab) -> None:
    machines.fake.fail("up", MachineError("exit: no room"))
    with pytest.raises(MachineError, match="no room"):
        machines.up()
    state = machines.home.read()
    assert state and state.phase == "starting"
    machines.up()
    assert machines.fake.done == ["down", "up", "mend"]


def test_an_interrupt_keeps_machines_and_says_how_to_go_on(machines: Lab) -> None:
    machines.fake.fail("up", KeyboardInterrupt())
    with pytest.raises(Interrupted, match="what came up of mine is kept") as caught:
        machines.up()
    assert "invoke up lab=small --instance mine goes on" in str(caught.value)
    assert machines.home.read()


def test_an_interrupt_while_headends_elect_leaves_the_lab_up(tmp_path: Path) -> None:
    lab = Lab(tmp_path, Fake(), fork())
    lab.fake.tell("gate", "state.json", KeyboardInterrupt())
    with pytest.raises(Interrupted, match="mine is up, but was not waited for") as caught:
        lab.up()
    assert "invoke up lab=fork --instance mine goes on" in str(caught.value)
    state = lab.home.read()
    assert state and state.phase == "ready" and lab.fake.done == ["down", "up"]


def test_a_lab_that_lives_is_not_changed_under_its_author(lab: Lab) -> None:
    lab.up()
    with pytest.raises(UsageError, match=r"up from an older file, and fake changes no lab that is up"):
        lab.changed().up()
    assert lab.fake.done == ["down", "up"]
    lab.fake.alive = False
    lab.changed().up()
    assert lab.fake.done == ["down", "up", "down", "up"], "what is dead is built anew"


def test_what_is_up_under_another_provider_is_refused(lab: Lab) -> None:
    one = lab.up()
    lab.home.write(replace(one.state, provider="another"))
    with pytest.raises(UsageError, match="mine is up under another"):
        lab.up()


def test_a_box_is_for_machines_and_stays_the_one_it_was(machines: Lab, lab: Lab) -> None:
    with pytest.raises(UsageError, match="fake has no boxes"):
        lab.up(box="a/b")
    machines.up(box="a/b")
    with pytest.raises(UsageError, match="mine is up from a/b"):
        machines.up(box="c/d")
    machines.fake.mends = False
    assert machines.up().state.box == "a/b", "built anew, it has the box that it had"


def test_machines_are_halted_and_what_has_none_says_so(machines: Lab, tmp_path: Path) -> None:
    halt(machines.up(), silent)
    assert machines.fake.done[-1] == "halt"
    other = Lab(tmp_path / "other", Fake())
    with pytest.raises(UsageError, match="fake has no machines that could be shut down"):
        halt(other.up(), silent)


class TestDestroying:
    def test_nothing_is_left_and_done_twice_it_has_nothing_to_do(self, lab: Lab) -> None:
        lab.up()
        assert destroy(lab.home, lab.fake)
        assert lab.fake.done[-1] == "down" and not lab.home.path.parent.exists()
        assert not destroy(lab.home, lab.fake)
        assert lab.fake.done.count("down") == 2

    def test_results_are_kept_unless_purged(self, lab: Lab) -> None:
        lab.up()
        write_whole(lab.home.run("across") / "verdict.json", "[]")
        assert destroy(lab.home, lab.fake)
        assert [entry.name for entry in lab.home.path.iterdir()] == ["runs"]
        assert destroy(lab.home, lab.fake, purge=True)
        assert not lab.home.path.parent.exists()

    def test_what_cannot_be_taken_away_stays_known(self, lab: Lab) -> None:
        lab.up()
        lab.fake.fail("down", MachineError("it hangs"))
        with pytest.raises(MachineError, match="it hangs"):
            destroy(lab.home, lab.fake)
        assert lab.home.read()

    @pytest.mark.parametrize("begin", [Lab.up, lambda lab: None])
    def test_a_strangers_file_stays(self, lab: Lab, begin: Callable[[Lab], object]) -> None:
        begin(lab)
        write_whole(lab.home.path / "notes.txt", "mine")
        destroy(lab.home, lab.fake, purge=True)
        assert [entry.name for entry in lab.home.path.iterdir()] == ["notes.txt"]
