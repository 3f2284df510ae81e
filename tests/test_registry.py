"""What sets a behavior or a flavor apart stands in its record alone: a made-up one is known everywhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest

from srv6lab.judge.diagnose.suspects import after_main_lookup
from srv6lab.render.day0 import render
from srv6lab.report.behaviors import behaviors_text
from srv6lab.srv6.behaviors import BEHAVIORS, REGISTRY, Behavior
from srv6lab.srv6.policy.probing import way as way_of_probe
from srv6lab.srv6.policy.sr_db import KnownSid, Node, SrDb
from srv6lab.topology.load import loads
from tests.conftest import REPOSITORY
from tests.small import SMALL, planned
from tests.walks import edited, there, way

NEW = Behavior(
    "End.New", None, "RFC 1", "as End.X does", ("nh6",), (6, 90), "endpoint:end_x", looks_up="adjacency"
)
TEXT = edited(
    SMALL,
    ("behavior: End}", 'behavior: End.New, nh6: "2001:ab::1"}'),
    ('"fc00:b::e", "fc00:b::d4"]}', '"fc00:b::e", "fc00:a::e", "fc00:b::d4"]}'),
    ("local_sids:\n", 'local_sids:\n  - {node: gate, sid: "fc00:a::e", behavior: End}\n'),
)


@pytest.fixture
def new(monkeypatch: pytest.MonkeyPatch) -> Behavior:
    return registered(monkeypatch, NEW)


def registered(monkeypatch: pytest.MonkeyPatch, behavior: Behavior) -> Behavior:
    monkeypatch.setitem(REGISTRY, behavior.name, behavior)
    monkeypatch.setitem(BEHAVIORS, behavior.name, behavior)
    return behavior


def warnings(text: str) -> list[str]:
    return [problem.what for problem in loads(text, "new.yml").warnings]


def test_a_behavior_that_is_not_registered_is_refused() -> None:
    with pytest.raises(Exception, match=r"there is no behavior `End\.New`"):
        planned(TEXT)


def test_a_new_behavior_is_validated_planned_rendered_and_predicted(new: Behavior) -> None:
    found = planned(TEXT)
    assert next(sid.behavior for sid in found.node("exit").local_sids) is new
    with pytest.raises(Exception, match=r"End\.New needs `nh6`"):
        planned(TEXT.replace(', nh6: "2001:ab::1"', ""))
    assert "action End.New nh6 2001:ab::1 dev" in render(found)["day0/exit.sh"]
    (trace,) = there(TEXT, linux=True)
    assert way(trace) == ["west:eth1", "gate:eth2", "exit:eth2", "gate:eth2", "exit:eth1"]
    assert trace.hops[4].reason == "SID fc00:b::e; to neighbor 2001:ab::1"


def test_a_new_behavior_is_listed(new: Behavior) -> None:
    assert behaviors_text("").splitlines()[-1].split()[0] == new.name
    assert "looks up:         adjacency" in behaviors_text(new.name)


def test_what_only_asks_an_adjacency_is_not_suspected_of_a_missing_route(
    monkeypatch: pytest.MonkeyPatch, new: Behavior
) -> None:
    assert not after_main_lookup(["H.Encaps", new.name])
    registered(monkeypatch, replace(new, looks_up="main"))
    assert after_main_lookup(["H.Encaps", new.name])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"takes": ("IPv6",)}, ["the last segment fc00:b::d4 is End.New, and 10.0.2.0/24 is IPv4"]),
        ({"takes": ("IPv4", "IPv6")}, []),
        ({"ends_policy": False}, ["the last segment fc00:b::d4 is End.New, which goes on to a next segment"]),
    ],
)
def test_the_end_of_a_policy_goes_by_the_record(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, tuple[str, ...] | bool], expected: list[str]
) -> None:
    registered(monkeypatch, replace(NEW, **given))  # type: ignore[arg-type]
    before = 'sid: "fc00:b::d4", behavior: End.DX4, nh4: 10.0.2.1'
    text = edited(SMALL, (before, 'sid: "fc00:b::d4", behavior: End.New, nh6: "2001:ab::1"'))
    assert warnings(text) == expected


@pytest.mark.parametrize(("goes_on", "expected"), [(True, "fc00:b::5"), (False, "fc00:b::e")])
def test_a_probe_of_a_list_visits_what_goes_on(
    monkeypatch: pytest.MonkeyPatch, goes_on: bool, expected: str
) -> None:
    registered(monkeypatch, replace(NEW, goes_on=goes_on))
    sid, end = IPv6Address("fc00:b::5"), IPv6Address("fc00:b::e")
    known = KnownSid(sid, "exit", NEW.name), KnownSid(end, "exit")
    db = SrDb((Node("exit", (IPv6Network("fc00:b::/64"),)),), (), known)
    assert way_of_probe((sid,), IPv6Address("fc00:b::1"), db, "gate") == (IPv6Address(expected),)


def test_what_no_lab_can_have_is_what_nobody_does() -> None:
    assert {one.served_by for one in REGISTRY.values() if not one.in_labs} == {None}
    assert None not in {one.served_by for one in REGISTRY.values() if one.in_labs}
    with pytest.raises(Exception, match="srconf hands packets to services, and no frames"):
        planned(SMALL.replace("behavior: End}", "behavior: End.AS2}"))


# --- flavors: the schema reads their registry when it is made, so a process of its own

_PROGRAM = """
from srv6lab.srv6 import flavors
if {registered}:
    flavors._LINUX["End", ("USP",)] = (6, 90)
from srv6lab.judge.diagnose.suspects import _bound
from srv6lab.evidence.packets import Place
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.render.day0 import render
from srv6lab.report.behaviors import behaviors_text
from srv6lab.srv6.results import Flavor
from srv6lab.topology.json_schema import json_schema
from tests.small import SMALL, planned
plan = planned(SMALL.replace("behavior: End}}", "behavior: End, flavors: [USP]}}"))
(sid, _) = plan.node("exit").local_sids
assert "flavors USP" not in render(plan)["day0/exit.sh"] and "flavors usp dev" in render(plan)["day0/exit.sh"]
assert "flavors usp" in _bound(sid)
_, (found,) = ModeledLab(plan).namespace(Place("exit")).lookup(sid.sid, None)
assert found.local.flavors == {{Flavor.USP}}
assert "Linux since 6.90" in behaviors_text("End")
assert "USP" in json_schema()["$defs"]["LocalSid"]["properties"]["flavors"]["items"]["anyOf"][0]["enum"]
"""


@pytest.mark.parametrize("registered", [True, False])
def test_a_new_flavor_is_known_everywhere(registered: bool) -> None:
    program = _PROGRAM.format(registered=registered)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if registered:
        assert done.returncode == 0, done.stderr
    else:
        assert "can't be `USP`" in done.stderr
