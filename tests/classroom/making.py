"""A class of small labs, each a learner's own, their real runs, and hand-ins made of those: honest ones, ones that are
partly right, forged ones, damaged ones."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from srv6lab.classroom.submit import submit
from srv6lab.classroom.trainer import Trainer, read_class
from srv6lab.cli.tasks import check
from srv6lab.live.instance import Reference
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from tests.conftest import SITE, bring, silent

GROUP, LAB = "tests", "tunnel"
_TOPOLOGY = """\
name: {lab}
learner: {{name: {learner}, class: {group}, key: {key}}}
nodes:
  {west}: {{role: host, routes: [{{prefix: 10.{n}.2.0/24, via: 10.{n}.1.2}}]}}
  {gate}: {{role: router, locator: "fc{n:02}:a::/64", loopback: "fc{n:02}:a::1/64", routes: [{{prefix: "fc{n:02}:b::/64", via: "2001:{n}::2"}}]}}
  {exit}: {{role: router, locator: "fc{n:02}:b::/64", loopback: "fc{n:02}:b::1/64", routes: [{{prefix: "fc{n:02}:a::/64", via: "2001:{n}::1"}}]}}
  {east}: {{role: host, routes: [{{prefix: 10.{n}.1.0/24, via: 10.{n}.2.2}}]}}
links:
  - {{name: cable-a, prefix: 10.{n}.1.0/24, endpoints: ["{west}:eth1", "{gate}:eth1"]}}
  - {{name: core, prefix: "2001:{n}::/64", mtu: 2000, endpoints: ["{gate}:eth2", "{exit}:eth2"]}}
  - {{name: cable-b, prefix: 10.{n}.2.0/24, endpoints: ["{east}:eth1", "{exit}:eth1"]}}
local_sids:
  - {{node: {gate}, sid: "fc{n:02}:a::d4", behavior: End.DX4, nh4: 10.{n}.1.1}}
  - {{node: {exit}, sid: "fc{n:02}:b::e", behavior: End}}
  - {{node: {exit}, sid: "fc{n:02}:b::d4", behavior: End.DX4, nh4: 10.{n}.2.1}}
steering:
  - {{headend: {gate}, match: {{prefix: 10.{n}.2.0/24}}, to: {{segments: ["fc{n:02}:b::e", "fc{n:02}:b::d4"]}}}}
  - {{headend: {exit}, match: {{prefix: 10.{n}.1.0/24}}, to: {{segments: ["fc{n:02}:a::d4"]}}}}
exercises:
  - name: there
    probes: [{{id: echo, from: {west}, to: {east}, icmp: 3, answered: all}}]
    expect:
      packets:
        - {{at: "{gate}:eth2", direction: out, probe: echo, destination: "fc{n:02}:b::e", segment_list: ["fc{n:02}:b::d4", "fc{n:02}:b::e"], segments_left: 1, inner: {{source: 10.{n}.1.1, destination: 10.{n}.2.1, protocol: icmp}}}}
        - {{at: "{east}:eth1", direction: in, probe: echo, source: 10.{n}.1.1, destination: 10.{n}.2.1, protocol: icmp, count: 3}}
  - name: flows
    probes: [{{id: many, from: {east}, to: {west}, udp: 4}}]
    expect:
      packets:
        - {{at: "{exit}:eth2", direction: out, probe: many, destination: "fc{n:02}:a::d4", count: 4, inner: {{source: 10.{n}.2.1}}}}
        - {{at: "{west}:eth1", direction: in, probe: many, source: 10.{n}.2.1, count: 4}}
"""
EXERCISES = ("there", "flows")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Learner:
    name: str
    number: int

    @property
    def key(self) -> str:
        return sha256(self.name.encode()).hexdigest()[:32]

    @property
    def nodes(self) -> dict[str, str]:
        return {role: f"{role}{self.number}" for role in ("west", "gate", "exit", "east")}

    def topology(self, folder: Path) -> Path:
        path = folder / "labs-of" / self.name / LAB / "topology.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            _TOPOLOGY.format(
                lab=LAB, group=GROUP, learner=self.name, key=self.key, n=self.number, **self.nodes
            )
        )
        return path


@dataclass(frozen=True)
class Course:
    """A class in a folder, the plan of each learner's lab, and the runs of each: `right`, and `wrong` where the headend has
    lost its policy."""

    folder: Path
    learners: tuple[Learner, ...]
    trainer: Trainer
    right: Mapping[str, Files]
    wrong: Mapping[str, Files]


def begun(folder: Path, count: int) -> tuple[Learner, ...]:
    """The folder that a trainer keeps of so many learners."""
    learners = tuple(Learner(f"learner{number:02}", number) for number in range(1, count + 1))
    for one in learners:
        one.topology(folder)
    keys = {one.name: one.key for one in learners}
    people = {one.name: {"name": one.name} for one in learners}
    found = {"schema": 1, "class": GROUP, "seed": "1", "labs": [LAB], "learners": keys, "people": people}
    (folder / "class.json").write_text(json.dumps(found))
    return learners


def ran(folder: Path, count: int) -> Course:
    """With real runs of each learner's lab, checked right and then with its headend's policy gone."""
    learners = begun(folder, count)
    right, wrong = {}, {}
    for one in learners:
        with _up(one.topology(folder)) as (lab, plan):
            check(lab.running, plan, EXERCISES, silent)
            right[one.name] = _submitted(lab, plan, folder)
            lab.sh(one.nodes["gate"], f"ip route del 10.{one.number}.2.0/24")
            check(lab.running, plan, EXERCISES, silent)
            wrong[one.name] = _submitted(lab, plan, folder)
    return Course(folder, learners, read_class(folder), right, wrong)


@contextmanager
def _up(path: Path) -> Iterator[tuple[Any, Plan]]:
    reference = Reference(path, LAB)
    plan, _ = SITE.load(reference)
    home = Home(SITE.root / ".srv6lab" / f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield bring(home, plan, reference), plan
    finally:
        destroy(home, purge=True)


def _submitted(lab: Any, plan: Plan, folder: Path) -> Files:
    done = submit(plan, lab.running.home, lab.running, EXERCISES, folder / "made.zip")
    with zipfile.ZipFile(done.path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    done.path.unlink()
    return files
