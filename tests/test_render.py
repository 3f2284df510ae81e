"""Plan → Day0 scripts: the same bytes, sound shell, and nothing that a name could smuggle in."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from jinja2 import UndefinedError
from pydantic import TypeAdapter, ValidationError

from srv6lab.plan import frr
from srv6lab.plan import nodes as plans
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.render import templates as renders
from srv6lab.render.day0 import NAMES, day0_path, render
from srv6lab.render.templates import TEMPLATES
from srv6lab.topology import model as topology
from srv6lab.topology import scalars
from srv6lab.topology.routing import isis, vrf
from tests.conftest import LABS, REPOSITORY, SITE, tool
from tests.fork import fork
from tests.small import planned


def plan_of(name: str) -> Plan:
    return planned() if name == "small" else SITE.load(SITE.refer(name))[0]


PLANS = [*LABS, "small"]


@pytest.mark.parametrize("name", PLANS)
def test_the_same_plan_gives_the_same_bytes(name: str) -> None:
    assert render(plan_of(name)) == render(plan_of(name))


@pytest.mark.parametrize("name", PLANS)
def test_every_machine_has_its_script(name: str) -> None:
    found = plan_of(name)
    files = render(found)
    assert {day0_path(machine) for machine in found.nodes} <= set(files)
    assert all(text.endswith("\n") and text.startswith("#!") for text in _scripts(files))


def _scripts(files: Any) -> list[str]:
    return [text for path, text in files.items() if path.endswith(".sh")]


@pytest.mark.parametrize("name", PLANS)
def test_bash_understands_every_script(name: str) -> None:
    for text in _scripts(render(plan_of(name))):
        result = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", PLANS)
def test_shellcheck_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(_scripts(render(plan_of(name)))):
        (tmp_path / f"{number}.sh").write_text(text)
    result = subprocess.run(
        [tool("shellcheck"), "--shell=bash", *sorted(tmp_path.iterdir())], capture_output=True, text=True
    )
    assert result.stdout == ""


def test_what_a_node_is_told_stands_in_its_script() -> None:
    files = render(planned())
    gate = files["day0/gate.sh"]
    assert "address replace 2001:ab::1/64 dev $eth2" in gate
    assert "mtu 2000" in gate
    assert "route replace fc00:b::/64 via 2001:ab::2 dev $eth2" in gate
    assert "route replace fc00:a::d4/128 encap seg6local action End.DX4 nh4 10.0.1.1 dev $eth1" in gate
    assert "route replace 10.0.2.0/24 encap seg6 mode encap segs fc00:b::e,fc00:b::d4 dev $eth2" in gate


def test_only_what_forwards_forwards() -> None:
    files = render(planned())
    assert "echo 0 >/proc/sys/net/ipv4/ip_forward" in files["day0/west.sh"]
    assert "seg6_enabled" not in files["day0/west.sh"]
    assert "echo 1 >/proc/sys/net/ipv4/ip_forward" in files["day0/gate.sh"]


def test_an_unknown_name_in_a_template_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = planned()
    (tmp_path / "day0").mkdir()
    for role in {machine.role for machine in found.nodes}:
        (tmp_path / "day0" / f"{role}.sh.j2").write_text("echo {{ node.nmae }}\n")
    monkeypatch.setattr(renders, "TEMPLATES", tmp_path)
    renders._environment.cache_clear()
    try:
        with pytest.raises(UndefinedError, match="nmae"):
            render(found)
    finally:
        renders._environment.cache_clear()


def test_the_role_names_the_template() -> None:
    roles = topology.Node.model_fields["role"].annotation
    assert {path.name.removesuffix(".sh.j2") for path in (TEMPLATES / "day0").glob("[a-z]*")} == set(
        roles.__args__
    )  # type: ignore[union-attr]


HOSTILE = (
    "a$(id)",
    "a`id`",
    "a;id",
    "a id",
    "a\nid",
    "a\n",
    "eth1\n",
    "a'b",
    'a"b',
    "a|b",
    "a&b",
    "a>b",
    "a/../b",
    "../a",
    "-a",
    "a\\",
    "$eth1",
    "a{b,c}",
    "a*",
    "",
    "é",
)


def kind_of(name: str) -> Any:
    """The type of a name that an author writes."""
    return next(getattr(room, name) for room in (topology, scalars, isis, vrf) if hasattr(room, name))


@pytest.mark.parametrize(
    "kind",
    ["Name", "NicName", "TraceName", "VrfName", "Net", "RouteTarget", "InstanceName", "Secret"],
)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_holds_no_word_of_a_shell(kind: str, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind_of(kind)).validate_python(text)


@dataclass(frozen=True)
class Restricted:
    """Why a text field of the plan can't carry shell text: the type of the topology that it is taken
    from, or the code that makes it."""

    reason: str


# Every field of a plan that is text and reaches a script. A new one has to be added here with its reason.
RESTRICTED = {
    "Plan.name": "Name",
    "PlannedNode.name": "Name",
    "PlannedNode.role": "Literal",
    "Nic.mac": "made by mac_of",
    "Nic.trace": "TraceName, or made of Name and NicName",
    "Nic.link": "Name",
    "Point.node": "Name",
    "Point.nic": "NicName, or the name of a service's port",
    "Point.netns": "Name",
    "PlannedRoute.kind": "Literal",
    "PlannedRoute.nic": "a Point.nic",
    "PlannedRoute.mode": "Literal",
    "PlannedSid.nic": "a Point.nic",
    "PlannedSid.parameters": "names of the registry; values are addresses and numbers",
    "PlannedSid.flavors": "Literal",
    "PlannedSid.by": "made by the planner",
    "PlannedSid.locator": "Name",
    "PlannedLocator.name": "Name",
    "PlannedLocator.format": "Literal",
    "SteeredPrefix.nic": "a Point.nic",
    "SteeredPrefix.mode": "Literal",
    "SteeredFrames.by": "NicName",
    "SteeredFrames.mode": "Literal",
    "SteeredFrames.nic": "a Point.nic",
    "FixedNeighbor.mac": "made by mac_of",
    "FixedNeighbor.nic": "a Point.nic",
    "PlannedService.name": "Name",
    "PlannedService.netns": "Name",
    "PlannedService.engine": "Literal",
    "PlannedService.frames": "Literal",
    "PlannedService.listen": "NicLabel",
    "PlannedProxy.service": "Name",
    "PlannedProxy.to": "NicLabel",
    "PlannedProxy.back": "NicLabel",
    "IsisNic.nic": "a Point.nic",
    "IsisNic.network": "Literal",
    "OspfNeighbor.node": "Name",
    "OspfNeighbor.nic": "a Point.nic",
    "OspfNic.nic": "a Point.nic",
    "OspfNic.network": "Literal",
    "Routing.own_daemons": "Literal",
    "PlannedOspf.redistribute": "Literal",
    "BfdNeighbor.node": "Name",
    "BfdNeighbor.protocol": "a word of ours",
    "PlannedBfd.nic": "a Point.nic",
    "IsisNeighbor.node": "Name",
    "IsisNeighbor.nic": "a Point.nic",
    "PlannedPassword.kind": "Literal",
    "PlannedPassword.secret": "Secret",
    "PlannedIsis.instance": "InstanceName",
    "PlannedIsis.net": "Net",
    "PlannedIsis.redistribute": "Literal",
    "PlannedNeighbor.node": "Name",
    "PlannedNeighbor.families": "Literal",
    "PlannedVrf.name": "VrfName",
    "PlainVrf.name": "VrfName",
    "HmacKey.algorithm": "Literal",
    "PlannedNode.hmac_check": "Literal",
    "PlannedVrf.nics": "a Point.nic",
    "PlannedVrf.rd": "RouteTarget",
    "PlannedVrf.import_targets": "RouteTarget",
    "PlannedVrf.export_targets": "RouteTarget",
    "PlannedVrf.redistribute": "Literal",
    "VpnSid.behavior": "Literal",
    "Nic.vrf": "VrfName",
    "Behavior.name": "the registry",
    "Behavior.parameters": "the registry",
}
MARK = "$(echo pwned)"


def _texts(value: object) -> Iterator[str]:
    """`Class.field` of each text in a plan's values."""
    if not is_dataclass(value):
        return
    for field in fields(value):
        inside = getattr(value, field.name)
        parts = inside if isinstance(inside, tuple) else (inside,)
        for part in parts:
            if isinstance(part, str) or (
                isinstance(part, tuple) and all(isinstance(one, str) for one in part)
            ):
                yield f"{type(value).__name__}.{field.name}"
            else:
                yield from _texts(part)


def _poisoned(value: Any, name: str) -> Any:
    """The value with shell text in every field of that name."""
    changes: dict[str, Any] = {}
    for field in fields(value):
        inside = getattr(value, field.name)
        if f"{type(value).__name__}.{field.name}" == name:
            changes[field.name] = MARK if isinstance(inside, str) else _marked(inside or ())
        elif isinstance(inside, tuple):
            changes[field.name] = tuple(_poisoned(one, name) if is_dataclass(one) else one for one in inside)
        elif is_dataclass(inside):
            changes[field.name] = _poisoned(inside, name)
    return replace(value, **changes)


def _marked(inside: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(MARK if isinstance(one, str) else tuple(MARK for _ in one) for one in inside)


def _machine_texts() -> set[str]:
    machines = [machine for name in LABS for machine in plan_of(name).nodes]
    return {name for machine in (*machines, *planned().nodes) for name in _texts(machine)}


@pytest.mark.parametrize("name", sorted(_machine_texts()))
def test_shell_text_is_quoted_or_its_field_is_restricted(name: str) -> None:
    """Machines built by hand, past the schema, with shell text in one field: what then stands in a
    script as it is must be a field whose type refuses such text."""
    if name in RESTRICTED or name == "PlannedNode.role":
        return
    for lab in PLANS:
        found = plan_of(lab)
        if not any(name in _texts(machine) for machine in found.nodes):
            continue
        machines = tuple(_poisoned(machine, name) for machine in found.nodes)
        scripts = render(replace(found, nodes=machines))
        for path, text in scripts.items():
            bare = text.replace(f"'{MARK}'", "")
            for told in map(_told, machines):
                bare = bare.replace(told, "")
            assert MARK not in bare, f"{name} reaches {path} unquoted"


def _told(machine: Any) -> str:
    """What the agent of a headend is told, as one quoted word of the shell."""
    if machine.headend is None:
        return "\0"
    return shlex.quote(json.dumps(machine.headend.document(NAMES), indent=1, sort_keys=True))


def test_what_an_agent_is_told_is_one_word_of_the_shell() -> None:
    name = """it's "$(touch canary)" `touch canary` \\ $x"""
    found = fork()
    machine = found.node("gate")
    assert machine.headend
    policies = tuple(replace(one, name=name) for one in machine.headend.policies)
    poisoned = replace(machine, headend=replace(machine.headend, policies=policies))
    script = render(replace(found, nodes=(poisoned,)))["day0/gate.sh"]
    (line,) = re.findall(r"^told=.*?\n(?=if )", script, re.DOTALL | re.MULTILINE)
    done = subprocess.run([tool("bash"), "-c", f'{line}printf %s "$told"'], capture_output=True, text=True)
    assert poisoned.headend and json.loads(done.stdout) == poisoned.headend.document(NAMES)
    assert not done.stderr


def test_the_list_of_restricted_fields_names_fields_that_are_there() -> None:
    known = {
        f"{one.__name__}.{field.name}"
        for module in (
            plans,
            *(import_module(f"{frr.__name__}.{one.name}") for one in iter_modules(frr.__path__)),
        )
        for one in vars(module).values()
        if isinstance(one, type) and is_dataclass(one)
        for field in fields(one)
    }
    assert set(RESTRICTED) <= known


def test_a_description_reaches_no_script() -> None:
    found = replace(planned(), description=MARK)
    assert not any(MARK in text for text in render(found).values())


def test_only_one_room_knows_the_template_engine() -> None:
    importers = {
        path.name
        for path in (REPOSITORY / "srv6lab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "jinja2"
    }
    assert importers == {"templates.py"}


def test_a_machine_of_any_role_is_rendered() -> None:
    found = planned()
    roles: list[str] = list(topology.Node.model_fields["role"].annotation.__args__)  # type: ignore[union-attr]
    for role in roles:
        machine: PlannedNode = replace(found.node("gate"), role=role)
        assert render(replace(found, nodes=(machine,)))
