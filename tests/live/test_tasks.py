"""What tasks ask of a lab that is up, over a provider that runs nothing."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.status import status, status_report
from srv6lab.cli.tasks import collect, ping, policies, run_here
from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.observations import OBSERVATIONS, Tracer
from srv6lab.host.command import Completed, Late
from srv6lab.live import wait_for_policies
from srv6lab.live.instance import Instance
from srv6lab.live.run import _Run, record
from tests.conftest import SITE, silent
from tests.fake_provider import Fake, standing
from tests.fork import fork
from tests.small import planned


def tracers(*notes: str) -> list[Tracer]:
    points = [nic.point for nic in planned().traced()]
    return [
        Tracer(point, "dead" if note else "live", note=note, trace=f"trace-{number}")
        for number, (point, note) in enumerate(zip(points, notes, strict=False))
    ]


def test_a_command_has_the_exit_code_that_it_has_in_the_node(fake: Fake, one: Instance) -> None:
    fake.tell("gate", "true", Completed(7, "", ""))
    assert run_here(one, "gate", ["true"]) == 7


@pytest.mark.parametrize(
    ("node", "mend"),
    [("gat", "did you mean `gate`?"), ("", "there are: west, gate, exit, east")],
)
def test_another_node_is_refused_before_it_is_asked(fake: Fake, one: Instance, node: str, mend: str) -> None:
    with pytest.raises(UsageError, match="there is no node") as caught:
        run_here(one, node, ["true"])
    assert caught.value.mend == mend and fake.asked == []


def test_ping_writes_the_segments_it_is_given(fake: Fake, one: Instance) -> None:
    fake.tell("gate", "fc00:b::1 fc00:b::e", "")
    assert ping(one, "gate", "fc00:b::1", "fc00:b::e", 3, oam=False) == 0
    with pytest.raises(UsageError, match=r"10\.0\.0\.1"):
        ping(one, "gate", "10.0.0.1", "fc00:b::e", 3, oam=False)


def test_status_tells_the_dead(fake: Fake, one: Instance) -> None:
    assert "DEAD" not in status_report(one, *status(one), "text")
    fake.alive = False
    assert status_report(one, *status(one), "text").count("DEAD node") == 4
    assert {entry["alive"] for entry in json.loads(status_report(one, *status(one), "json"))} == {False}
    with pytest.raises(UsageError, match="there is no format 'xml'"):
        status_report(one, *status(one), "xml")


def test_what_was_captured_is_listed_and_dead_tracers_are_named(
    fake: Fake, one: Instance, tmp_path: Path
) -> None:
    fake.tracers = tracers("", "")
    assert [path.name for path in collect(one, tmp_path / "out")] == ["trace-0.pcap", "trace-1.pcap"]
    fake.tracers = tracers("", "tracer is dead")
    with pytest.raises(LabError, match=f"{fake.tracers[1].point}: tracer is dead"):
        collect(one, tmp_path / "out")
    with pytest.raises(UsageError, match="the tracers are at work"):
        collect(one, one.home.captures)


def test_policies_are_the_agents_and_a_silent_one_is_named(fake: Fake, tmp_path: Path) -> None:
    plan = fork()
    one = standing(fake, plan, tmp_path)
    fake.tell("gate", "state.json", json.dumps(wait_for_policies.expected(plan)["gate"]), "")
    assert json.loads(policies(one, plan, "json"))[0]["source"] == "its agent"
    with pytest.raises(LabError, match=r"the agent of gate has said nothing\n.*--node gate"):
        policies(one, plan, "json")
    assert json.loads(policies(None, plan, "json"))[0]["source"] == "the model"


class TestRecording:
    """An exercise from its probe to its observations."""

    def recorded(self, one: Instance) -> dict[str, Any]:
        folder = record(one, planned(), "across", silent)
        return dict(json.loads((folder / OBSERVATIONS).read_text()))

    def test_what_was_sent_and_seen_is_written_down(self, fake: Fake, one: Instance) -> None:
        fake.tracers = tracers("", "tracer is dead")
        fake.tell("west", "ping", "3 packets transmitted, 2 received")
        found = self.recorded(one)
        (sent,) = found["probes"]
        assert (sent["probe"], sent["sent"], sent["received"]) == ("echo", 3, 2)
        assert (found["provider"], found["exercise"], found["failure"]) == ("fake", "across", "")
        assert [tracer["point"] for tracer in found["tracers"]] == [
            str(tracer.point) for tracer in fake.tracers
        ]
        assert fake.done == ["mark"]

    def test_a_run_takes_the_place_of_the_one_before_when_it_is_kept(self, fake: Fake, one: Instance) -> None:
        fake.tracers = tracers("", "")
        fake.tell("west", "ping", *["3 packets transmitted, 2 received"] * 4)
        place = one.home.run("across")
        place.mkdir(parents=True)
        (place / "verdict.json").write_text("the one before")
        self.recorded(one)
        assert (place / "verdict.json").read_text() == "the one before"
        assert one.home.keep_run("across") == place
        assert (place / OBSERVATIONS).exists() and not (place / "verdict.json").exists()
        assert not one.home.running.exists()
        self.recorded(one)  # what a killed check left is in nobody's way
        self.recorded(one)
        one.home.keep_run("across")
        self.recorded(one)  # nor of a destroy
        one.home.forget(keep_runs=True)
        assert [path.name for path in one.home.path.iterdir()] == ["runs"]

    def test_no_kill_on_the_way_loses_a_run(
        self, one: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Where a file system can't exchange two folders, and each step of it may be the last."""
        monkeypatch.setattr("srv6lab.providers.state.exchanged", lambda *_: False)
        home, name = one.home, "across"
        for step in range(3):
            for folder, text in ((home.run(name), "old"), (home.running / name, "new")):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                (folder / "verdict.json").write_text(text)
            left = [None] * step
            real = Path.rename

            def rename(path: Path, to: Path, left: list[None] = left, real: Any = real) -> Path:
                if not left:
                    raise SystemError("killed")
                left.pop()
                return real(path, to)  # type: ignore[no-any-return]

            with monkeypatch.context() as killing:
                killing.setattr(Path, "rename", rename)
                with suppress(SystemError):
                    home.keep_run(name)
            with home.locked():
                assert (home.run(name) / "verdict.json").read_text() == ("new" if step == 2 else "old")

    def test_a_probe_that_never_ends_leaves_what_was_seen(self, fake: Fake, one: Instance) -> None:
        fake.tracers = tracers("", "")
        fake.tell("west", "ping -n", Late("no answer in 33 s: ping"))
        fake.tell("west", "SIGKILL", "")
        found = self.recorded(one)
        ((_, sent), (_, ended)) = (asked for asked in fake.asked if "SRV6LAB_PROBE=" in asked[1])
        assert sent.split()[1] == ended.split()[-1]
        assert (found["failure"], found["failed_on"], len(found["tracers"])) == (
            "no answer in 33 s: ping",
            "",
            2,
        )

    def test_a_probe_that_says_nothing_has_not_been_sent(self, fake: Fake, one: Instance) -> None:
        fake.tracers = tracers("")
        fake.tell("west", "ping", Completed(127, "", "ping: not found"))
        (sent,) = self.recorded(one)["probes"]
        assert (sent["sent"], sent["note"]) == (0, "ping: not found")

    def test_of_a_proxy_that_does_not_answer_nothing_is_counted(self, fake: Fake, tmp_path: Path) -> None:
        plan = next(plan for plan in SITE.plans() if sum(bool(node.proxies) for node in plan.nodes) == 1)
        (node,) = (node for node in plan.nodes if node.proxies)
        run = _Run(standing(fake, plan, tmp_path), plan, plan.exercises[0].name, silent)
        fake.tell(node.name, "localsid", "no table", Late("no answer in 8 s: srconf localsid show"))
        assert run.proxy_counters() == {f"sid {proxy.sid}": 0 for proxy in node.proxies}
        assert run.proxy_counters() == {}
        assert run.silent == [(node.name, f"{node.name}: no answer in 8 s: srconf localsid show")]
