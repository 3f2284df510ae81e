"""What is new is added in one place: a copy of srv6lab gets new files, nothing in it is changed, and it knows them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from srv6lab.engines import ENGINES, INSTALLED
from srv6lab.host.packages import listed
from srv6lab.live.send import COMMANDS
from srv6lab.plan.actions import changes
from srv6lab.predict.probe_packets import HEADERS
from srv6lab.topology.actions import KINDS, Action
from srv6lab.topology.exercises import PROBE_KINDS, Probe
from tests.conftest import REPOSITORY
from tests.small import SMALL

ENGINE = {
    "srv6lab/engines/zeek.py": """
from srv6lab.engines.engine import Engine, LoggedAlert

def read(log):
    for line in log.splitlines():
        yield LoggedAlert(*line.split())

ENGINE = Engine("zeek", "zeek", True, "notice.log", "listening on", daemon=False, read=read)
""",
    "templates/services/zeek.sh.j2": 'zeek -i {{ service.listen }} "$service/rules" &\n',
}
SENSOR = "services:\n  ids: {node: gate, engine: zeek, listen: eth1, rules: policy.zeek}\n"
ASK_ENGINE = """
from srv6lab.doctor import needs, tools
from srv6lab.images import box
from srv6lab.render.containerlab import containerlab
from srv6lab.live.sensors import ENGINES
scripts = render(lab)
answer = {
    "day0": scripts["day0/gate.sh"],
    "needs": [need.names for need in needs.of_lab(lab)],
    "box": box.PACKAGES,
    "note": containerlab(lab)["small.clab.yml"],
    "alerts": [one.signature for one in ENGINES["zeek"].read("7 a b")],
}
"""
ACTION = {
    "srv6lab/topology/actions/quiet.py": """
from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Name

class Quiet(Model):
    node: Name

class QuietAction(Action):
    quiet: Quiet

    def mentions(self):
        yield Mention("node", self.quiet.node, ("quiet", "node"))
""",
    "srv6lab/plan/actions/quiet.py": """
from dataclasses import replace
from srv6lab.live.send import COMMANDS
from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.quiet import QuietAction

@changes.register
def _(action: QuietAction, plan: Plan):
    return (PlannedChange("hush", action.quiet.node, "quiet", {"node": action.quiet.node}),)

@changed.register
def _(action: QuietAction, lab: ChangedLab):
    return lab.with_nodes(lambda node: replace(node, steering=()) if node.name == action.quiet.node else node)

@needs.register
def _(action: QuietAction, exercise: str):
    yield "silence", exercise
""",
    "templates/apply/quiet.sh.j2": "{{ work }} {{ node }}\n",
}
APPLIED = SMALL.replace("  - name: across\n", "  - name: across\n    apply: [{quiet: {node: gate}}]\n")
ASK_ACTION = """
from srv6lab.doctor import needs
from srv6lab.predict import predict
from srv6lab.render.apply import changes_of
change, = changes_of(lab, lab.exercises[0].apply[0])
answer = {
    "scripts": [change.do, change.undo],
    "needs": [need.names for need in needs.of_lab(lab)],
    "end": predict(lab, "across")[0].rfc[0].end.reason,
}
"""
PLANNED = """
import json, sys
from pathlib import Path
from srv6lab.plan.planner import plan
from srv6lab.render.day0 import render
from srv6lab.topology.load import load
found = load(Path("topology.yml"))
lab = plan(found.topology, found.source.locate, found.files)
"""


PROVIDER = {
    "srv6lab/providers/records/boxes.py": """
from srv6lab.providers.base import Provider, Record
from srv6lab.render.day0 import render

class Boxes(Provider):
    def __init__(self, record):
        self.record = record

    def nodes(self, state):
        return ("one",)

RECORDS = (Record("boxes", "boxes", "cardboard", Boxes, render, "boxes", makes_machines=True),)
""",
    "srv6lab/doctor/boxes.py": """
from .findings import Finding, Looked, Need, State

def look(provider, system, plans, asked, folder):
    found = Finding("tools", "tape", State.LACKING, "", "holds boxes", "buy some")
    return Looked((Need(("tape",), "every lab"),), (found,), {})
""",
}
ASK_PROVIDER = """
from srv6lab import doctor
from srv6lab.providers import registry
from srv6lab.providers.records import DEFAULT_PROVIDER
from srv6lab.providers.registry import WITH_MACHINES
from srv6lab.providers.state import Home, State
home = Home(Path("instance"))
chosen = registry.choose_provider(home, "boxes")
home.write(State("small", "instance", "boxes", "", "ready"))
try:
    registry.choose_provider(home, "nothing")
except Exception as error:
    refused = str(error)
answer = {
    "line": registry.provider_line(registry.choose_provider(home, ""), explicit=False),
    "default": DEFAULT_PROVIDER,
    "refused": refused,
    "machines": WITH_MACHINES,
    "nodes": chosen.nodes(home.read()),
    "lacks": [str(need) for need in doctor.diagnose(doctor.choose("boxes"), [], None, Path()).unmet],
}
"""


def grown(folder: Path, files: Mapping[str, str], topology: str, question: str) -> Any:
    """What a copy of srv6lab with new files answers about a topology; `question` sets `answer`."""
    for name in ("srv6lab", "templates"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "scripts").mkdir()
    shutil.copy(REPOSITORY / "scripts" / "setup", folder / "scripts")
    for path, content in files.items():
        assert not (folder / path).exists(), "a new file, not a changed one"
        (folder / path).write_text(content, "utf-8")
    (folder / "topology.yml").write_text(topology, "utf-8")
    (folder / "policy.zeek").write_text("# rules\n", "utf-8")
    script = f"{PLANNED}{question}print(json.dumps(answer, default=str))"
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_an_engine_is_one_file_and_its_template(tmp_path: Path) -> None:
    topology = SMALL.replace("\nlocal_sids:\n", f"\n{SENSOR}local_sids:\n")
    found = grown(tmp_path, ENGINE, topology, ASK_ENGINE)
    assert 'zeek -i eth1 "$service/rules" &' in found["day0"]
    assert "*'listening on'*" in found["day0"]
    assert ["zeek"] in found["needs"]
    assert "zeek" in found["box"]
    assert "need zeek in the image" in found["note"]
    assert found["alerts"] == ["7"]


def test_an_action_is_two_files_and_its_template(tmp_path: Path) -> None:
    found = grown(tmp_path, ACTION, APPLIED, ASK_ACTION)
    assert found["scripts"] == ["put gate\n", "take gate\n"]
    assert ["silence"] in found["needs"]
    assert "no route" in found["end"]


def test_what_a_new_action_names_is_checked(tmp_path: Path) -> None:
    topology = APPLIED.replace("quiet: {node: gate}", "quiet: {node: gat}")
    with pytest.raises(AssertionError) as refused:
        grown(tmp_path, ACTION, topology, ASK_ACTION)
    assert "there is no node gat\n" in str(refused.value)
    assert "did you mean `gate`?" in str(refused.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_action_says_what_it_comes_to(kind: type[Action]) -> None:
    assert changes.dispatch(kind) is not changes.dispatch(Action)


def test_a_kind_of_probe_is_a_record_a_command_and_a_header() -> None:
    keys = {kind.key for kind in PROBE_KINDS}
    assert keys == set(COMMANDS) == set(HEADERS)
    assert keys <= set(Probe.model_fields)


def test_a_provider_is_one_file_and_one_for_doctor(tmp_path: Path) -> None:
    found = grown(tmp_path, PROVIDER, SMALL, ASK_PROVIDER)
    assert found["line"].startswith("provider: boxes (cardboard); choose with --provider netns|boxes|")
    assert found["default"] == "netns"
    assert "there are: netns, boxes, virtualbox, libvirt" in found["refused"]
    assert "boxes" in found["machines"] and found["nodes"] == ["one"]
    assert found["lacks"] == ["tape"]


def test_setup_installs_the_engines_that_debian_has() -> None:
    there = {tool.package for tool in listed() if tool.group == "lab"}
    assert {one.package for one in INSTALLED} <= there
    assert there.isdisjoint(one.package for one in ENGINES.values() if not one.in_debian)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_has_its_template(engine: str) -> None:
    assert (REPOSITORY / "templates" / "services" / f"{engine}.sh.j2").is_file()
