"""What one part of a topology comes to: `tests/render_cases/<case>.yml` has the part and the lines that it renders.

    adds       what the case adds to the topology of tests/small.py: mappings are merged, lists go on
    upon       or to that of another case
    apply      or: actions of an exercise, whose scripts are shown whole
    renders    the lines that Day0 gains (+) and loses (-), a node; or what each action's scripts hold

    UPDATE=1 pytest tests/test_render_cases.py

writes `renders` anew; then read the difference. Whole labs are in tests/golden.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import BaseLoader, BytecodeCache, DictLoader, Environment, TemplateError
from jinja2.bccache import Bucket

from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.render import templates
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import day0_scripts
from srv6lab.topology.load import loads
from tests.conftest import SITE
from tests.small import SMALL
from tests.test_golden import FOLDER as GOLDEN

FOLDER = Path(__file__).with_name("render_cases")
CASES = sorted(FOLDER.glob("*.yml"))
RENDERS = "renders:\n"


def merged(base: Any, more: Any) -> Any:
    if isinstance(base, dict):
        return base | {key: merged(base.get(key, type(one)()), one) for key, one in more.items()}
    return base + more if isinstance(base, list) else more


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def before(case: Mapping[str, Any]) -> Mapping[str, str]:
    """Day0 of what the case is added to."""
    return day0_scripts(plan_of({"upon": case["upon"]} if "upon" in case else {}))


def topology_of(case: Mapping[str, Any]) -> Any:
    below = topology_of(read(FOLDER / f"{case['upon']}.yml")) if "upon" in case else yaml.safe_load(SMALL)
    return merged(below, case.get("adds", {}))


def plan_of(case: Mapping[str, Any]) -> Plan:
    topology = topology_of(case)
    if actions := case.get("apply"):
        topology["exercises"][0]["apply"] = actions
    lab = loads(yaml.safe_dump(topology, sort_keys=False), "case.yml", FOLDER)
    return plan(lab.topology, lab.source.locate, lab.files)


def rendered(planned: Plan, case: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    """What the case shows, by the node or the action that it is of."""
    if not case.get("apply"):
        found = {
            Path(path).stem: gained(before.get(path, ""), text)
            for path, text in day0_scripts(planned).items()
        }
        return {node: lines for node, lines in found.items() if lines}
    day0 = day0_scripts(planned)
    changes = (one for action in planned.exercises[0].apply for one in changes_of(planned, action))
    return {
        f"{change.what}, {work}": script.replace(day0[f"day0/{change.node}.sh"], "# Day0, again.\n")
        for change in changes
        for work, script in (("do", change.do), ("undo", change.undo), ("count", change.count))
        if script
    }


def gained(before: str, after: str) -> str:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return "".join(f"{line}\n" for line in lines if line[0] in "+-")


def shown(renders: Mapping[str, str]) -> str:
    """As it stands in a case's file."""
    blocks = (
        f'  "{name}": |2\n' + "".join(f"    {line}".rstrip(" ") + "\n" for line in text.splitlines())
        for name, text in renders.items()
    )
    return RENDERS + "".join(blocks)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_part_renders_to_its_lines(path: Path) -> None:
    text = path.read_text("utf-8")
    case = yaml.safe_load(text)
    now = shown(rendered(plan_of(case), case, before(case)))
    given, _, stands = text.partition(RENDERS)
    if os.environ.get("UPDATE"):
        path.write_text(given + now, encoding="utf-8")
        stands = now.removeprefix(RENDERS)
    assert RENDERS + stands == now, f"if this is meant: UPDATE=1 pytest tests/{Path(__file__).name}"


def test_another_line_is_seen() -> None:
    assert gained("a\nb\n", "a\nc\n") == "- b\n+ c\n"


# --- every line of the templates is held by something

FOLDERS = ("day0", "apply", "services", "frr")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def lines() -> Iterator[tuple[str, int, str]]:
    """Every line of the templates of scripts: its template, its place, its text."""
    for folder in FOLDERS:
        for path in sorted((templates.TEMPLATES / folder).glob("*.j2")):
            said = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), path.read_text("utf-8"))
            for number, line in enumerate(said.splitlines()):
                if line.strip():
                    yield path.relative_to(templates.TEMPLATES).as_posix(), number, line


class Everything:
    """All cases and all whole labs, rendered with templates of which one may be another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.cases = [(plan_of(case), case) for case in map(read, CASES)]
        self.labs = [SITE.load(SITE.refer(path.name))[0] for path in GOLDEN.iterdir()]
        self.compiled = Compiled()
        self.expected = list(self.said())

    def said(self) -> Iterator[dict[str, str]]:
        for planned, case in self.cases:
            yield rendered(planned, case, {}) if case.get("apply") else day0_scripts(planned)
        yield from map(day0_scripts, self.labs)

    def notices(self, name: str, text: str) -> bool:
        """Whether something else comes out, or nothing, with another text of one template."""
        normal = templates._environment()
        other = normal.overlay(
            loader=Both(DictLoader({name: text}), normal.loader), bytecode_cache=self.compiled
        )
        with self.monkeypatch.context() as patched:
            patched.setattr(templates, "_environment", lambda: other)
            try:
                return any(now != then for now, then in zip(self.said(), self.expected, strict=True))
            except (
                TemplateError,
                TypeError,
            ):  # the second of a macro that is called with what it doesn't take
                return True


class Compiled(BytecodeCache):
    """Compiled templates in memory: all but one are the same again and again."""

    def __init__(self) -> None:
        self.codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.bytecode_to_string()


class Both(BaseLoader):
    """What the first loader has, and the rest from the second."""

    def __init__(self, first: BaseLoader, second: BaseLoader | None) -> None:
        self.first, self.second = first, second

    def get_source(self, environment: Environment, template: str) -> Any:
        for loader in (self.first, self.second):
            try:
                assert loader
                return loader.get_source(environment, template)
            except TemplateError:
                continue
        raise AssertionError(template)


@pytest.mark.prove
def test_every_line_of_a_template_is_held_by_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it some case or some whole lab renders to something else."""
    everything = Everything(monkeypatch)
    same = {name: (templates.TEMPLATES / name).read_text("utf-8") for name, _, _ in lines()}
    assert not any(everything.notices(name, text) for name, text in same.items())
    free = []
    for name, number, line in lines():
        text = same[name].splitlines(keepends=True)
        without = "".join(text[:number] + text[number + 1 :])
        if not everything.notices(name, without):
            free.append(f"{name}:{number + 1}: {line}")
    assert not free, "\n".join(free)
