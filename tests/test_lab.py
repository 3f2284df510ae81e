"""The composition: which lab is meant, which provider, which exercises, and what their verdicts come to."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.status import status, status_report
from srv6lab.cli.tasks import check, collect, exercise_names, exit_code
from srv6lab.errors import LabError, MachineError, TopologyError, UsageError
from srv6lab.evidence.verdict import PacketsSeen, Status, Verdict
from srv6lab.host.files import shown, write_whole
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan
from srv6lab.providers.process import Process
from srv6lab.providers.records import DEFAULT_PROVIDER
from srv6lab.providers.registry import choose_provider, provider_line, provider_named
from srv6lab.providers.state import Home, State
from srv6lab.report.formats import VERDICTS, chosen
from tests.conftest import LABS, SITE, Up, bring, silent
from tests.small import SMALL, planned

NAME = LABS[0]
WITH_NAMESPACE = next(
    name
    for name in LABS
    if any(one.netns for machine in SITE.load(SITE.refer(name))[0].nodes for one in machine.services)
)


@pytest.fixture
def site(tmp_path: Path) -> LabsFolder:
    write_whole(tmp_path / "labs" / "small" / "topology.yml", SMALL)
    write_whole(
        tmp_path / "labs" / "first" / "topology.yml", SMALL.replace("name: small", "name: first\norder: 1")
    )
    return LabsFolder(tmp_path)


def test_an_instance_of_another_lab_is_no_lab_s_own(site: LabsFolder) -> None:
    """Else a command would go to a lab that nobody meant. By its path or by its name it is found."""
    first, small = site.refer("first"), site.refer("small")
    home = site.home(first, "mine")
    home.path.mkdir(parents=True)
    home.write(State("first", "mine", "netns", str(first.path), "ready"))
    assert site.running(first, "mine").name == "mine"
    assert site.running(replace(first, name="elsewhere"), "mine").name == "mine"
    assert site.running(replace(first, path=site.root / "moved.yml"), "mine").name == "mine"
    with pytest.raises(UsageError, match="mine is the lab first, not small"):
        site.running(small, "mine")


class TestWhichLab:
    def test_by_its_name(self, site: LabsFolder) -> None:
        found = site.refer("small")
        assert (found.path, found.name) == (site.labs / "small" / "topology.yml", "small")

    @pytest.mark.parametrize(
        ("spec", "name"),
        [
            ("labs/small/topology.yml", "small"),
            ("labs/small", "small"),
            ("labs/small/", "small"),
            ("./labs/small", "small"),
            ("labs/mine.yml", "mine"),
            ("mine.yaml", "mine"),
            ("./a=b/topology.yml", "a=b"),
        ],
    )
    def test_by_a_path(self, site: LabsFolder, monkeypatch: pytest.MonkeyPatch, spec: str, name: str) -> None:
        monkeypatch.chdir(site.root)
        assert site.refer(spec).name == name

    def test_a_file_in_the_folder_where_one_stands(
        self, site: LabsFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(site.labs / "small")
        assert site.refer("topology.yml").name == "small"

    @pytest.mark.parametrize("spec", ["", None])
    def test_none_lists_them_with_what_each_teaches(self, site: LabsFolder, spec: str | None) -> None:
        with pytest.raises(UsageError, match=r"no lab is named\n(?s:.*)first .*\n.*small ") as caught:
            site.refer(spec)
        assert "lab=NAME" in caught.value.mend

    @pytest.mark.parametrize("spec", ["a b", "$(id)", "-x", "é", "..", "=small"])
    def test_what_is_no_name_is_refused(self, site: LabsFolder, spec: str) -> None:
        with pytest.raises(UsageError):
            site.load(site.refer(spec))

    def test_the_course_is_in_its_order_and_goes_on_without_a_broken_file(self, site: LabsFolder) -> None:
        write_whole(site.labs / "broken" / "topology.yml", "name: [")
        course, broken = site.course()
        assert ([one.name for one in course], broken) == (["first", "small"], ["broken"])

    def test_all_problems_of_a_file_are_raised(self, site: LabsFolder) -> None:
        write_whole(site.labs / "broken" / "topology.yml", "name: -broken\nnodes: {}\n")
        with pytest.raises(TopologyError) as caught:
            site.load(site.refer("broken"))
        assert len(caught.value.problems) == 2

    def test_an_instance_has_a_folder_of_its_own(self, site: LabsFolder) -> None:
        assert site.home(site.refer("small")).path == site.root / ".srv6lab" / "small"
        assert site.home(site.refer("small"), "two").path == site.root / ".srv6lab" / "two"

    @pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "a\nb", "-a", "x" * 64])
    def test_an_instance_never_leaves_its_folder(self, site: LabsFolder, name: str) -> None:
        with pytest.raises(UsageError, match="--instance"):
            site.home(site.refer("small"), name)

    def test_one_that_was_begun_and_not_finished_is_not_up(self, site: LabsFolder) -> None:
        reference = site.refer("small")
        site.home(reference).write(State("small", "small", DEFAULT_PROVIDER, "", "starting"))
        with pytest.raises(MachineError, match="isn't up"):
            site.running(reference)


class TestWhichProvider:
    def test_the_default(self, tmp_path: Path) -> None:
        assert choose_provider(Home(tmp_path / "x"), "").record.name == DEFAULT_PROVIDER

    def test_an_unknown_one_lists_those_that_are(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=DEFAULT_PROVIDER):
            choose_provider(Home(tmp_path / "x"), "nothing")

    def test_the_line_says_how_to_choose_unless_it_was_chosen(self) -> None:
        default = provider_named(DEFAULT_PROVIDER)
        assert "--provider" in provider_line(default, explicit=False)
        assert "--provider" not in provider_line(default, explicit=True)


class TestExercises:
    def test_all_or_those_asked_for(self) -> None:
        found = planned()
        assert exercise_names(found, []) == exercise_names(found, ["across"]) == ["across"]

    def test_a_near_miss_is_guessed(self) -> None:
        with pytest.raises(UsageError, match="did you mean `across`"):
            exercise_names(planned(), ["accross"])

    def test_a_lab_without_any_says_so(self) -> None:
        with pytest.raises(UsageError, match="no exercises"):
            exercise_names(planned(SMALL[: SMALL.index("exercises:")]), [])


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([Status.PASS], 0),
        ([Status.PASS, Status.INCONCLUSIVE], 3),
        ([Status.INCONCLUSIVE, Status.FAIL, Status.PASS], 4),
    ],
)
def test_the_worst_verdict_is_the_exit_code(statuses: list[Status], code: int) -> None:
    assert exit_code([Verdict("x", (PacketsSeen(status=one),)) for one in statuses]) == code


def test_an_unknown_format_lists_those_that_are() -> None:
    with pytest.raises(UsageError, match="text, json, junit"):
        chosen(VERDICTS, "xml")


def test_a_format_that_is_nearly_right_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        chosen(VERDICTS, "jnit")
    assert str(caught.value) == "there is no format 'jnit'\n  mend: did you mean `junit`?"


def test_a_path_is_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "a" / "b") == "a/b"
    assert shown(Path("/etc/hosts")) == "/etc/hosts"


def with_another_mtu(found: Plan, folder: Path) -> Plan:
    """The plan of the lab's file after its author has changed the first MTU."""
    shutil.copytree(SITE.refer(found.name).path.parent, folder)
    path = folder / "topology.yml"
    path.write_text(path.read_text("utf-8").replace("mtu: 2000", "mtu: 2100", 1), encoding="utf-8")
    return SITE.load(SITE.refer(str(path)))[0]


@pytest.fixture(scope="module")
def one(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(NAME)


class TestALabThatIsUp:
    def test_it_stays_when_its_file_has_changed_and_changes_back(self, one: Up, tmp_path: Path) -> None:
        changed = with_another_mtu(one.plan, tmp_path / "changed")
        again = bring(one.running.home, changed, one.reference)
        assert all(health.alive for health in again.running.status())
        with pytest.raises(UsageError, match=r"from an older file: .*day0/.*\n.*invoke up"):
            check(again.running, one.plan, [one.plan.exercises[0].name], silent)
        bring(one.running.home, one.plan, one.reference)

    def test_a_failed_exercise_of_one_leaves_the_verdict_of_another(self, one: Up) -> None:
        names = [exercise.name for exercise in one.plan.exercises][:2]
        check(one.running, one.plan, names, silent)
        for name in names:
            assert (one.running.home.run(name) / "verdict.json").exists()

    def test_a_dead_tracer_is_named_by_status_and_by_capture(self, one: Up, tmp_path: Path) -> None:
        point, (_, pair) = next(iter(one.running.state.provider_data["tracers"].items()))
        Process(*pair).kill(signal.SIGKILL)
        dead = [health.name for health in one.running.status() if not health.alive]
        assert dead == [point]
        assert "DEAD tracer" in status_report(one.running, *status(one.running), "text")
        with pytest.raises(LabError, match=point):
            collect(one.running, tmp_path / "out")
        assert all(health.alive for health in one.again().running.status())

    def test_a_dead_keeper_is_built_anew_by_up_and_told_until_then(self, one: Up) -> None:
        Process(*one.running.state.provider_data["keeper"]).kill(signal.SIGKILL)
        assert not any(health.alive for health in one.running.status())
        with pytest.raises(MachineError, match="isn't running"):
            one.sh(one.plan.nodes[0].name, "true")
        again = one.again()
        assert all(health.alive for health in again.running.status())
        name = one.plan.exercises[0].name
        (verdict,) = check(again.running, one.plan, [name], silent)
        assert verdict.status is Status.PASS

    def test_a_state_that_somebody_broke_is_told_with_a_way_out(self, bring_up: Callable[[str], Up]) -> None:
        lab = bring_up(NAME)
        file = lab.running.home.path / "state.json"
        whole = file.read_text()
        try:
            file.write_text(whole[: len(whole) // 2])
            with pytest.raises(LabError, match=r"state\.json can't be read(.|\n)*fuser -k .*alive"):
                destroy(lab.running.home)
        finally:
            file.write_text(whole)


class TestWhatIsNotOurs:
    """`destroy` takes away what `up` made, and nothing else."""

    def test_a_strangers_folder_is_left_alone(self, tmp_path: Path) -> None:
        home = Home(tmp_path / ".srv6lab" / "junk")
        write_whole(home.path / "mine.txt", "mine")
        assert not destroy(home, purge=True)
        assert (home.path / "mine.txt").read_text() == "mine"

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        write_whole(tmp_path / "precious" / "state.json", "mine")
        home = Home(tmp_path / ".srv6lab" / "link")
        home.path.parent.mkdir()
        home.path.symlink_to(tmp_path / "precious")
        with pytest.raises(UsageError, match="link to elsewhere"):
            destroy(home, purge=True)
        assert (tmp_path / "precious" / "state.json").read_text() == "mine"


class TestMending:
    def test_a_failing_undo_is_done_after_day0(self, bring_up: Callable[[str], Up]) -> None:
        """A route through a NIC that is down can't be put back before the NIC is."""
        lab = bring_up(LABS[0])
        node = next(machine for machine in lab.plan.nodes if machine.steering)
        policy = node.steering[0]
        lab.sh(node.name, f"ip link set {policy.nic} down")
        undo = f". /var/lib/srv6lab/nics; ip route replace {policy.prefix} encap seg6 mode encap segs "
        undo += f"{','.join(map(str, policy.segments))} dev ${policy.nic}"
        write_whole(lab.running.home.applied, json.dumps([[node.name, undo]]))
        lab = lab.again()
        assert not lab.running.home.applied.exists()
        (verdict,) = check(lab.running, lab.plan, [lab.plan.exercises[0].name], silent)
        assert verdict.status is Status.PASS

    @pytest.mark.parametrize("what", ["node", "nic", "namespace"])
    def test_what_cannot_be_mended_is_built_anew(self, bring_up: Callable[[str], Up], what: str) -> None:
        lab = bring_up(LABS[0] if what != "namespace" else WITH_NAMESPACE)
        if what == "node":
            name = lab.plan.nodes[0].name
            Process(*lab.running.state.provider_data["nodes"][name]).kill()
            write_whole(lab.running.home.applied, json.dumps([[name, "true"]]))
        elif what == "nic":
            machine = lab.plan.nodes[1]
            lab.sh(machine.name, f"ip link del {machine.nics[0].name}")
        else:
            places = ((m.name, one.netns) for m in lab.plan.nodes for one in m.services if one.netns)
            node, netns = next(places)
            lab.sh(node, f"ip netns del {netns}")
        lab = lab.again()
        names = [exercise.name for exercise in lab.plan.exercises[:2]]
        assert all(v.status is Status.PASS for v in check(lab.running, lab.plan, names, silent))

    def test_a_stale_lab_is_not_checked(self, bring_up: Callable[[str], Up]) -> None:
        lab = bring_up(LABS[0])
        machine = lab.plan.nodes[0]
        renamed = replace(machine.nics[0], trace="another")
        changed = replace(machine, nics=(renamed, *machine.nics[1:]))
        plan = replace(lab.plan, nodes=(changed, *lab.plan.nodes[1:]))
        with pytest.raises(UsageError, match="older file"):
            check(lab.running, plan, [plan.exercises[0].name], silent)


def test_a_pipe_is_no_topology(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "topology.yml")
    with pytest.raises(UsageError, match="a device or a pipe"):
        SITE.load(SITE.refer(str(tmp_path / "topology.yml")))


def test_labs_that_do_not_load_are_named(tmp_path: Path) -> None:
    write_whole(tmp_path / "labs" / "odd" / "topology.yml", "name: [")
    assert replace(SITE, root=tmp_path).course() == ([], ["odd"])
