"""Sensors are looked at until they have seen all that went by; what they alerted since is read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from srv6lab.errors import NodeError
from srv6lab.evidence.observations import Alert, Sensor
from srv6lab.host.command import Completed, Late
from srv6lab.live.sensors import look, since, sizes
from srv6lab.plan.nodes import Plan
from tests.conftest import SITE
from tests.fake_provider import Answer, Fake, standing

PLAN: Plan = next(plan for plan in SITE.plans() if any(node.services for node in plan.nodes))
PLACES = [(node, service) for node in PLAN.nodes for service in node.services]
NODE, SERVICE = PLACES[0]
RULES = hashlib.sha256(SERVICE.rules.encode()).hexdigest()
EVENT = {"event_type": "alert", "alert": {"signature_id": 7}, "src_ip": "FD00::0001", "dest_ip": "fd00::2"}


def said(threads: str = "S S", log: str = "", rules: str = RULES, engine: str = "suricata") -> str:
    return f"engine {engine}\nthreads {threads or ' '}\nsize {len(log)}\nrules {rules}\n--\n{log}"


def telling(*answers: str, tmp_path: Path) -> tuple[Fake, list[Sensor], list[Alert]]:
    """What comes of these answers of the first sensor; all others sleep and have nothing to say."""
    fake = Fake()
    one = standing(fake, PLAN, tmp_path)
    for node, service in PLACES:
        rules = hashlib.sha256(service.rules.encode()).hexdigest()
        fake.tell(node.name, f"/services/{service.name}\n", said(rules=rules))
    fake.tell(NODE.name, f"/services/{SERVICE.name}\n", *answers)
    alerts, sensors = since(one, PLAN, dict.fromkeys((service.name for _, service in PLACES), 0))
    return fake, list(sensors), list(alerts)


def test_a_sensor_that_works_is_looked_at_again_until_it_sleeps(tmp_path: Path) -> None:
    log = json.dumps(EVENT) + "\n"
    fake, sensors, alerts = telling(said("S R"), said("R R"), said("S I", log), tmp_path=tmp_path)
    assert len(fake.asked) == len(PLACES) + 2
    assert sensors[0] == Sensor(SERVICE.name, "suricata", True, True, True)
    assert alerts == [Alert(SERVICE.name, 7, "fd00::1", "fd00::2", "", "")]


def test_a_dead_sensor_is_not_waited_for(tmp_path: Path) -> None:
    fake, sensors, alerts = telling(said(""), tmp_path=tmp_path)
    assert len(fake.asked) == len(PLACES) and alerts == []
    assert not sensors[0].alive


def test_a_stopped_sensor_is_not_waited_for(tmp_path: Path) -> None:
    fake, sensors, _ = telling(said("T T"), tmp_path=tmp_path)
    assert len(fake.asked) == len(PLACES)
    assert (sensors[0].alive, sensors[0].drained) == (True, False)


@pytest.mark.parametrize("answer", [Late("no answer in 10 s"), Completed(1, "", "no such folder"), "much\n"])
def test_of_a_sensor_that_does_not_answer_nothing_is_known_and_of_all_others_is(
    answer: Answer, tmp_path: Path
) -> None:
    fake = Fake()
    one = standing(fake, PLAN, tmp_path)
    for node, service in PLACES:
        rules = hashlib.sha256(service.rules.encode()).hexdigest()
        fake.tell(node.name, f"/services/{service.name}\n", "0\n", said(rules=rules))
    fake.tell(NODE.name, f"/services/{SERVICE.name}\n", answer, said(rules=RULES))
    before = sizes(one, PLAN)
    assert list(before) == [service.name for _, service in PLACES[1:]]
    alerts, sensors = since(one, PLAN, before)
    assert alerts == () and [seen.sound for seen in sensors] == [False] + [True] * (len(PLACES) - 1)


def test_other_rules_than_the_plan_s_are_told(tmp_path: Path) -> None:
    _, sensors, _ = telling(said(rules="0" * 64), tmp_path=tmp_path)
    assert sensors[0] == Sensor(SERVICE.name, "suricata", True, True, False)


@pytest.mark.parametrize(
    ("engine", "log"),
    [
        ("suricata", "no JSON\n"),
        ("suricata", '"event_type": "alert"}\n' + json.dumps(EVENT) + "\n"),
        ("suricata", "[1, 2]\n"),
        ("suricata", json.dumps(EVENT | {"alert": 7}) + "\n"),
        ("suricata", json.dumps(EVENT | {"alert": {"signature_id": "many"}}) + "\n"),
        ("suricata", json.dumps(EVENT | {"tunnel": []}) + "\n"),
        ("suricata", "[" * 100_000 + "\n"),
        ("snort", "a, allow-by-rules, b\n" + "x" * 200_000 + "\n"),
    ],
)
def test_of_a_log_that_is_not_its_engine_s_nothing_is_known(engine: str, log: str, tmp_path: Path) -> None:
    _, sensors, alerts = telling(said("S S", log, engine=engine), tmp_path=tmp_path)
    assert alerts == []
    assert [seen.sound for seen in sensors] == [False] + [True] * (len(PLACES) - 1)


def test_how_far_logs_reach(tmp_path: Path) -> None:
    fake = Fake()
    one = standing(fake, PLAN, tmp_path)
    for count, (node, service) in enumerate(PLACES):
        fake.tell(node.name, f"/services/{service.name}\n", f"{count}\n")
    assert sizes(one, PLAN) == {service.name: count for count, (_, service) in enumerate(PLACES)}


def test_a_sensor_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    fake = Fake()
    fake.tell(NODE.name, "", Completed(1, "", "cd: no such folder"))
    with pytest.raises(
        NodeError, match=f"{NODE.name}: service {SERVICE.name} can't be looked at: cd: no such"
    ):
        look(standing(fake, PLAN, tmp_path), NODE, SERVICE)
