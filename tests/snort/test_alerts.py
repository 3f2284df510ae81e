"""What Snort writes, as 2.9.16.1 wrote it behind an SRH, and what is judged of an engine that tells no tunnels."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from srv6lab.engines import ENGINES
from srv6lab.errors import Location
from srv6lab.evidence.observations import Alert, Sensor
from srv6lab.evidence.packets import Point
from srv6lab.evidence.verdict import Status
from srv6lab.judge.compare.alerts_and_counters import judge_alerts
from srv6lab.judge.expectations import ExpectedAlert
from tests.conftest import REPOSITORY

RECORDED = REPOSITORY / "tests/recorded/snort"
WHERE = Location("lab.yml", 1, 1, "")
TUNNELS = ("fc00:b::1", "fc00:b::2")


@pytest.mark.parametrize("log", sorted(RECORDED.glob("*.csv")), ids=lambda log: log.stem)
def test_snort_s_alerts_are_read(log: Path) -> None:
    text = log.read_text()
    read = ENGINES["snort"].read
    found = [(one.signature, one.source, one.destination, one.tunnel_source) for one in read(text)]
    four, six = (1000, "10.0.0.1", "10.0.1.1", ""), (1000, "2001:db8:a::1", "2001:db8:b::1", "")
    assert found == [four, four, six, six]
    assert len(list(read(text[:-1]))) == 3, "the last line is still being written"
    # Version 3 may put a blank behind a comma, and a decoder has numbers of its own.
    assert [one.signature for one in read(text.replace(",", ", "))] == [1000] * 4
    assert list(read(text.replace(" ,1,", " ,116,"))) == []


def expected(tunnel: str, count: int | None = 3, *, absent: bool = False) -> ExpectedAlert:
    fields = (("source", "10.0.0.1"), ("tunnel_destination", tunnel))
    return ExpectedAlert("ids", Point("gate", "eth1"), 7, fields, count, absent, WHERE)


def judged(engine: str, expectations: list[ExpectedAlert], *tunnels: str) -> list[Status]:
    alerts = [Alert("ids", 7, "10.0.0.1", "10.0.1.1", "fc00:a::1" if end else "", end) for end in tunnels]
    sensors = {"ids": Sensor("ids", engine, True, True)}
    return [item.status for item in judge_alerts(expectations, alerts, sensors)]


@pytest.mark.parametrize(("engine", "seen"), tuple(product(ENGINES, (5, 6, 7))))
def test_where_no_tunnel_is_told_alerts_are_counted_together(engine: str, seen: int) -> None:
    told = ENGINES[engine].tells_tunnel
    ends = (TUNNELS * 4)[:seen] if told else [""] * seen
    both = [expected(end) for end in TUNNELS]
    right = {5: (True, False), 6: (True, True), 7: (False, True)}[seen] if told else (seen == 6,) * 2
    assert judged(engine, both, *ends) == [Status.PASS if one else Status.FAIL for one in right]


def test_an_alert_whose_tunnel_is_not_told_is_no_proof_that_it_came_by_the_wrong_one() -> None:
    absent = [expected(TUNNELS[0], None, absent=True)]
    assert judged("snort", absent, "") == [Status.INCONCLUSIVE]
    assert judged("snort", absent) == [Status.PASS]
    assert judged("suricata", absent, TUNNELS[0]) == [Status.FAIL]
    assert judged("snort", [expected(TUNNELS[0], None)], "") == [Status.PASS]
