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
PLANNED = """
import json, sys
from pathlib import Path
from srv6lab.plan.planner import plan
from srv6lab.render.day0 import render
from srv6lab.topology.load import load
found = load(Path("topology.yml"))
lab = plan(found.topology, found.source.locate, found.files)
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
    assert "started='listening on'" in found["day0"]
    assert ["zeek"] in found["needs"]
    assert "zeek" in found["box"]
    assert "need zeek in the image" in found["note"]
    assert found["alerts"] == ["7"]


def test_setup_installs_the_engines_that_debian_has() -> None:
    there = {tool.package for tool in listed() if tool.group == "lab"}
    assert {one.package for one in INSTALLED} <= there
    assert there.isdisjoint(one.package for one in ENGINES.values() if not one.in_debian)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_has_its_template(engine: str) -> None:
    assert (REPOSITORY / "templates" / "services" / f"{engine}.sh.j2").is_file()
