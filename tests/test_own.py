"""What a node has of its own: commands, files, settings, packages; and what the model then doesn't say."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli import trust
from srv6lab.errors import TopologyError, UsageError
from srv6lab.evidence.prediction import Leg
from srv6lab.host.command import Completed
from srv6lab.plan.nodes import Plan, PlannedService
from srv6lab.plan.own import Own, OwnSysctl, unmodeled
from srv6lab.plan.planner import plan
from srv6lab.predict import predict
from srv6lab.providers.base import day0_error
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import day0_scripts
from srv6lab.render.vagrant import SINGLE_VM, single_vm
from srv6lab.topology import sensor_rules
from srv6lab.topology.load import loads
from tests.conftest import INVOKE, REPOSITORY
from tests.sandbox import day0
from tests.small import SMALL
from tests.test_injection import PAYLOADS
from tests.test_render_cases import merged

TEXT = "first 'line'\n$HOME `x`\n"


def small(folder: Path | None = None, **of_gate: Any) -> Plan:
    """The small lab with more words for its router `gate`, which is the first on the way."""
    return changed({"nodes": {"gate": of_gate}}, folder)


def changed(adds: dict[str, Any], folder: Path | None = None) -> Plan:
    topology = merged(yaml.safe_load(SMALL), adds)
    lab = loads(yaml.safe_dump(topology, sort_keys=False), "small.yml", folder)
    return plan(lab.topology, lab.source.locate, lab.files)


# --- commands


def is_line(text: str) -> bool:
    return bool(text) and not re.search(r"[\x00-\x1f\x7f]", text)


@pytest.mark.parametrize("command", [*filter(is_line, PAYLOADS)])
def test_a_command_reaches_its_own_shell_as_one_word(command: str, tmp_path: Path) -> None:
    found = small(commands=["true", command])
    sandbox, ran = day0(tmp_path / "sandbox", found, found.node("gate"), day0_scripts(found)["day0/gate.sh"])
    assert (ran.code, ran.canary) == (0, ""), ran
    told = ran.calls.replace(str(sandbox.root), "")
    calls = [shlex.split(one) for one in told.splitlines() if one.startswith("env ")]
    assert len(calls) == 2
    if "$'" not in ran.calls:  # what shlex doesn't read
        assert calls[1][-3:] == ["bash", "-c", command]


@pytest.mark.parametrize("work", ["put", "back"])
def test_a_command_of_an_exercise_is_one_word(work: str) -> None:
    words = {"node": "gate", "put": ["true"], "back": ["true"]} | {work: ["it's; $(x)"]}
    found = changed({"exercises": []})
    action = changed({"exercises": [{"name": "b", "apply": [{"commands": words}], "expect": {"elsewhere": "absent"}, "probes": [{"id": "x", "from": "west", "to": "east", "icmp": 1}]}]}).exercises[1].apply[0]  # fmt: skip
    (change,) = changes_of(found, action)
    script = change.do if work == "put" else change.undo
    assert shlex.split(script.splitlines()[-1])[-1] == "it's; $(x)"


def test_a_command_that_fails_is_named_with_its_exit_code_and_what_it_said() -> None:
    stderr = "day0/gate.sh: command 2 failed with exit code 7: false; (exit 7)\nno such thing\n"
    error = day0_error("gate", "day0/gate.sh", "", Completed(1, "", stderr))
    assert str(error).splitlines() == [
        "gate: its command 2 failed with exit code 7: false; (exit 7)",
        "  no such thing",
    ]
    assert error.node == "gate"


def test_another_failure_of_day0_is_no_command_s() -> None:
    script = "set -e\nip link set\n"
    error = day0_error("gate", "day0/gate.sh", script, Completed(1, "", "day0/gate.sh:2: ip link set\nbad\n"))
    assert "day0/gate.sh:2: ip link set" in str(error)


# --- files and settings


def test_files_have_their_text_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "it").write_text(TEXT)
    files = [{"path": "/etc/one", "content": TEXT}, {"path": "/etc/below/two", "source": "own/it"}]
    found = small(tmp_path, files=files)
    sandbox, ran = day0(tmp_path / "sandbox", found, found.node("gate"), day0_scripts(found)["day0/gate.sh"])
    assert (ran.code, ran.canary) == (0, "")
    assert (sandbox.root / "etc/one").read_text() == (sandbox.root / "etc/below/two").read_text() == TEXT


def test_a_file_that_a_link_leads_to_outside_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "lab" / "own").symlink_to("../secret")
    with pytest.raises(TopologyError, match="leads out of the topology's folder"):
        small(tmp_path / "lab", files=[{"path": "/etc/one", "source": "own"}])


def test_a_setting_of_a_nic_is_of_whatever_the_machine_calls_it() -> None:
    found = small(sysctls={"net.ipv6.conf.eth2.hop_limit": 63, "net.ipv4.conf.all.forwarding": 1})
    assert found.node("gate").own.sysctls == (
        OwnSysctl("net.ipv6.conf.eth2.hop_limit", "63", "/proc/sys/net/ipv6/conf/$eth2/hop_limit"),
        OwnSysctl("net.ipv4.conf.all.forwarding", "1", "/proc/sys/net/ipv4/conf/all/forwarding"),
    )


def test_packages_are_installed_by_machines_only() -> None:
    script = day0_scripts(small(packages=["iperf3"]))["day0/gate.sh"]
    guest, _, here = script.partition("elif command -v dpkg-query")
    assert 'missing+=("$package")' in guest
    assert "only virtual machines install" in here


def test_one_machine_for_the_whole_lab_installs_the_packages_of_all_nodes() -> None:
    found = changed(
        {"nodes": {"gate": {"packages": ["iperf3"]}, "exit": {"packages": ["mtr-tiny", "iperf3"]}}}
    )
    ready = single_vm(found)[f"day0/{SINGLE_VM}.sh"]
    assert "for package in iperf3 mtr-tiny; do" in str(ready)
    assert "package" not in str(single_vm(small())[f"day0/{SINGLE_VM}.sh"]).replace("srv6lab-packages", "")


# --- what the model then doesn't say


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"commands": ["true"]}, "commands of its own"),
        ({"files": [{"path": "/etc/x", "content": ""}]}, "files of its own"),
        ({"sysctls": {"net.ipv4.ip_forward": 0}, "commands": ["true"]}, "commands and settings of its own"),
        ({"sysctls": {"net.core.somaxconn": 9, "net.ipv4.tcp_ecn": 1, "net.ipv6.seg6_flowlabel": 1}}, ""),
        ({"packages": ["iperf3"]}, ""),
    ],
)
def test_what_makes_a_node_one_that_is_not_modeled(words: dict[str, Any], why: str) -> None:
    assert small(**words).node("gate").own.unmodeled == why


def test_a_walk_ends_where_the_model_does_not_know() -> None:
    (one,) = predict(small(commands=["true"]), "across")
    assert [(str(trace.end), trace.leg) for trace in one.linux] == [
        ("not modeled from gate on: gate has commands of its own", Leg.THERE)
    ]
    assert [str(hop.point) for hop in one.linux[0].hops] == ["west:eth1", "gate:eth1"]
    assert one.open and not one.known(Leg.THERE) and one.told == ()


def test_what_is_sent_by_such_a_node_has_no_walk() -> None:
    (one,) = predict(changed({"nodes": {"west": {"commands": ["true"]}}}), "across")
    assert one.rfc[0].hops == ()
    assert not one.rfc[0].end.known


def test_an_answer_through_such_a_node_is_not_modeled_and_the_way_there_is() -> None:
    """The answer alone goes through it."""
    adds = {
        "nodes": {"back": {"role": "router", "commands": ["true"], "routes": [{"prefix": "fc00:a::/64", "via": "2001:bb::1"}]}, "exit": {"routes": [{"prefix": "fc00:a::d4/128", "via": "2001:ac::2"}]}},
        "links": [
            {"name": "aside", "prefix": "2001:ac::/64", "endpoints": ["exit:eth3", "back:eth1"]},
            {"name": "aside-too", "prefix": "2001:bb::/64", "endpoints": ["gate:eth3", "back:eth2"]},
        ],
    }  # fmt: skip
    (one,) = predict(changed(adds), "across")
    assert one.known(Leg.THERE) and not one.known(Leg.BACK) and one.open


def test_while_an_exercise_runs_commands_in_a_node_it_is_not_modeled() -> None:
    found = small()
    action = {"commands": {"node": "exit", "put": ["true"], "back": ["true"]}}
    exercise = changed({"exercises": [{"name": "own", "apply": [action], "probes": [{"id": "x", "from": "west", "to": "east", "icmp": 1}], "expect": {"elsewhere": "absent"}}]})  # fmt: skip
    assert predict(found, "across")[0].known(Leg.BACK)
    assert predict(exercise, "across")[0].known(Leg.BACK)
    (one,) = predict(exercise, "own")
    assert str(one.linux[0].end) == "not modeled from exit on: exit has commands of its own"


def test_routers_learn_from_each_other() -> None:
    """Where one of them isn't modeled, none is; hosts are."""
    from tests.conftest import SITE

    found, router = next((one, node) for one in SITE.plans() for node in one.nodes if node.routing)
    assert unmodeled(found) == {}
    nodes = tuple(replace(node, own=Own(("true",))) if node is router else node for node in found.nodes)
    reasons = unmodeled(replace(found, nodes=nodes))
    assert set(reasons) == {node.name for node in found.nodes if node.routing}
    assert reasons[router.name] == f"{router.name} has commands of its own"


# --- a stranger's lab


@pytest.fixture
def no_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_what_a_lab_runs_is_shown_before_it_is_run(no_trust: Path) -> None:
    found = small(commands=["echo \u202eone"], files=[{"path": "/etc/x", "content": "a\nb"}])
    with pytest.raises(UsageError) as refused:
        trust.require(found, "lab=x", trust=False)
    lines = str(refused.value).splitlines()
    assert lines[1:4] == [
        "  gate:",
        "    (writes /etc/x: 2 lines, mode 0644, owner root)",
        "    echo \\u202eone",
    ]
    assert "invoke up lab=x --trust" in lines[-1]
    assert list(no_trust.iterdir()) == []


def test_what_was_trusted_is_remembered_until_a_word_changes(no_trust: Path) -> None:
    file = {"path": "/etc/x", "content": "a"}
    trust.require(small(commands=["true"], files=[file]), "x", trust=True)
    trust.require(small(commands=["true"], files=[file]), "x", trust=False)
    for other in (
        {"commands": ["false"], "files": [file]},
        {"commands": ["true"], "files": [file | {"content": "b"}]},
        {"commands": ["true"], "files": [file | {"mode": "0755"}]},
    ):
        with pytest.raises(UsageError):
            trust.require(small(**other), "x", trust=False)


def test_a_lab_without_commands_asks_for_no_trust(no_trust: Path) -> None:
    trust.require(small(sysctls={"net.ipv4.ip_forward": 1}, packages=["iperf3"]), "x", trust=False)
    assert list(no_trust.iterdir()) == []


def test_what_exercises_run_is_shown_with_what_takes_it_back(no_trust: Path) -> None:
    action = {"commands": {"node": "exit", "put": ["one"], "back": ["two"]}}
    found = changed({"exercises": [{"name": "own", "steps": [{"apply": [action], "probes": [{"id": "x", "from": "west", "to": "east", "icmp": 1}]}], "expect": {"elsewhere": "absent"}}]})  # fmt: skip
    assert trust.runs(found) == [("exit in exercise own", ("one", "two  (takes it back)"))]


def test_what_a_task_runs_is_shown_when_it_is_run(no_trust: Path) -> None:
    """What its start runs, before it is begun, and its solution, before that is done; of one's own labs nothing."""
    action = {"commands": {"node": "exit", "put": ["one"], "back": ["two"]}}
    solution = {"why": "It mends", "node": "gate", "run": ["three"]}
    data = {"name": "own", "task": "Mend it", "start": [action], "solution": [solution]}
    sent = {
        "probes": [{"id": "x", "from": "west", "to": "east", "icmp": 1}],
        "expect": {"elsewhere": "absent"},
    }
    found = changed({"exercises": [data | sent]})
    task = found.exercise("own")[1]
    with pytest.raises(
        UsageError, match=r"(?s)exit in exercise own:.*one.*invoke start .*--trust"
    ) as started:
        trust.require_start(found, task, trust=False, known=False)
    assert "three" not in str(started.value), "whoever is to find the solution isn't shown it"
    with pytest.raises(UsageError, match=r"(?s)gate in the solution of own:.*three.*invoke solve .*--trust"):
        trust.require_solution(found, task, trust=False, known=False)
    trust.require_start(found, task, trust=False, known=True)
    trust.require_start(found, task, trust=True, known=False)
    trust.require_start(found, task, trust=False, known=False)
    with pytest.raises(UsageError):
        trust.require_solution(found, task, trust=False, known=False)


@pytest.mark.parametrize("task", ["up", "check"])
def test_a_strangers_lab_is_not_run_before_it_is_trusted(task: str, no_trust: Path) -> None:
    lab = Path(__file__).parent / "labs" / "more" / "way-out.yml"
    done = subprocess.run(
        [*INVOKE, task, str(lab), "--instance", "stranger"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "ip -6 route replace 2001:bc::2/128 via 2001:bd::2 dev $eth3" in done.stderr
    assert "--trust" in done.stderr
    assert not (REPOSITORY / ".srv6lab" / "stranger").exists()


def test_nodes_that_run_the_same_are_shown_together() -> None:
    found = changed({"nodes": {"gate": {"commands": ["x"]}, "exit": {"commands": ["x"]}}})
    assert trust.runs(found) == [("gate, exit", ("x",))]


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ("lua:/tmp/script.lua; sid:1;", True),
        ('msg:"x"; LogTo:"file"; sid:1;', True),
        ('msg:"a\\"; b"; content:"x;y"; dataset:set,seen,type string,state seen.csv; sid:1;', True),
        ('msg:"lua:no; \\"logto:no;"; itype:8; sid:1;', False),
    ],
)
def test_rules_that_run_or_write_something_are_asked_for(options: str, runs: bool) -> None:
    text = f"# lua:x;\nalert icmp any any -> any any ({options})\npass ip any any -> any any (sid:2;)\n"
    assert sensor_rules.running(text) == ((text.split("\n")[1],) if runs else ())
    assert [*sensor_rules.problems(text, "x")] == []
    sensor = PlannedService("ids", "", (), "snort", text, "eth1", "all")
    found = small()
    nodes = tuple(replace(one, services=(sensor,)) if one.name == "gate" else one for one in found.nodes)
    asked = trust.runs(replace(found, nodes=nodes))
    assert [who for who, _ in asked] == (["gate"] if runs else [])
    assert all(options in line for _, lines in asked for line in lines)
