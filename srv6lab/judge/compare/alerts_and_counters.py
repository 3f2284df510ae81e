"""What an exercise shows beside packets: alerts of services, and counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from srv6lab.engines import ENGINES, INSTALLED
from srv6lab.evidence.observations import Alert, Sensor, Tracer
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import AlertTally, AnswerTally, CounterTally, Item, Status
from srv6lab.judge.compare.permitted import always_answered
from srv6lab.judge.compare.witnesses import counts_alone, distinct, span
from srv6lab.judge.expectations import ExpectedAlert, ExpectedAnswers, ExpectedCount


def judge_alerts(
    expected: Sequence[ExpectedAlert], alerts: Sequence[Alert], sensors: Mapping[str, Sensor]
) -> Iterator[Item]:
    """An alert that must come is missing also when its sensor is dead: that is the lab's failure. One
    that must not come proves something only if the sensor was alive and had looked at all.

    Where an engine tells no tunnels, what differs by the tunnel alone is counted together."""
    for one in expected:
        sensor = sensors.get(one.service)
        engine = ENGINES.get(sensor.engine) if sensor else None
        tunnels = engine is None or engine.tells_tunnel
        alike = (one,) if tunnels else [o for o in expected if _besides_tunnel(o) == _besides_tunnel(one)]
        yield _alert_item(one, alike, alerts, sensor, tunnels=tunnels)


def _besides_tunnel(one: ExpectedAlert) -> tuple[object, ...]:
    fields = tuple(field for field in one.fields if not field[0].startswith("tunnel"))
    return one.service, one.signature, fields, one.absent


def _alert_item(
    one: ExpectedAlert,
    alike: Sequence[ExpectedAlert],
    alerts: Sequence[Alert],
    sensor: Sensor | None,
    *,
    tunnels: bool,
) -> Item:
    signed = [a for a in alerts if a.service == one.service and a.signature == one.signature]
    told = [field for field in one.fields if tunnels or not field[0].startswith("tunnel")]
    hits = [alert for alert in signed if all(getattr(alert, name) == value for name, value in told)]
    untold = len(told) < len(one.fields)
    words = " ".join([f"signature {one.signature}", *(f"{name} {value}" for name, value in one.fields)])
    expected = f"no alert, {words}" if one.absent else f"{one.count or 'at least 1'}: {words}"
    captured = f"{len(hits)}: {_alert_words(hits or signed)}" if hits or signed else "0"
    awake = sensor is not None and sensor.sound
    note = "" if awake else _why_deaf(one.service, sensor)
    if sensor is None or sensor.engine == "none":
        status = Status.INCONCLUSIVE
    elif one.absent:
        found = Status.INCONCLUSIVE if untold else Status.FAIL
        status = found if hits else Status.PASS if awake else Status.INCONCLUSIVE
    else:
        counts = [each.count for each in alike]
        right = len(hits) == sum(filter(None, counts)) if all(counts) else bool(hits)
        status = Status.PASS if right else Status.FAIL
    if untold and sensor and awake:
        note = f"{sensor.engine} tells no tunnel, so alerts are counted for all tunnels together"
    alone = "captured" if status is Status.FAIL else None
    return AlertTally(
        status=status,
        point=one.point,
        field="alert",
        expected=expected,
        captured=captured,
        alone=alone,
        location=one.location,
        note=note,
    )


def _why_deaf(service: str, sensor: Sensor | None) -> str:
    if sensor is None:
        return f"nothing was observed of service {service}: pcaps alone hold no alerts"
    if sensor.engine == "none":
        return f"service {service} has no engine here: apt-get install {INSTALLED[0].package}, then up again"
    if not sensor.alive:
        return f"service {service} is not running"
    if not sensor.as_planned:
        return f"the rules of service {service} are not the lab's"
    return f"service {service} lags behind"


def _alert_words(alerts: Sequence[Alert]) -> str:
    return " and ".join(
        distinct(
            f"{a.source} → {a.destination}"
            + (f" in {a.tunnel_source} → {a.tunnel_destination}" if a.tunnel_source else "")
            for a in alerts
        )
    )


def judge_counts(
    expected: Sequence[ExpectedCount],
    counters: Mapping[str, int],
    predicted: Mapping[str, tuple[int, int]] | None = None,
) -> Iterator[Item]:
    """What firewalls and proxies counted, to the packet. `predicted` has the least and the most that each may
    have counted by the model."""
    for one in expected:
        seen = counters.get(one.counter)
        foreseen = None if predicted is None else predicted.get(one.counter, (0, 0))
        status, note = Status.PASS, ""
        if seen is None:
            status, note = Status.INCONCLUSIVE, f"nothing was observed of {one.counter}"
        elif seen != one.packets or (foreseen and not foreseen[0] <= one.packets <= foreseen[1]):
            status = Status.FAIL
        yield CounterTally(
            status=status,
            field=one.counter,
            expected=str(one.packets),
            predicted=span(*foreseen) if foreseen else None,
            captured=None if seen is None else str(seen),
            alone=counts_alone(one.packets, foreseen, seen or 0) if status is Status.FAIL else None,
            location=one.location,
            note=note,
        )


def judge_answered(
    expected: Sequence[ExpectedAnswers],
    found: Mapping[str, Found],
    tracers: Mapping[Point, Tracer],
    predicted: Mapping[str, Prediction] = MappingProxyType({}),
) -> Iterator[Item]:
    """Echo requests that were answered, as captured at the node that sent them; of a transfer its sender says it."""
    for one in expected:
        probe = found[one.probe]
        answers = (hop for hop in probe.hops if hop.point.node == one.node and hop.direction is Direction.IN)
        back = {hop.packet.icmp.sequence for hop in answers if hop.packet.icmp} - {None}  # twice is once
        answered = len(back) if probe.counted else probe.sent.received
        blind = [at for at, tracer in tracers.items() if at.node == one.node and not tracer.sound]
        blind = blind if probe.counted else []
        status = Status.PASS
        if not one.least <= answered <= one.most or not probe.sent.sent:
            unsent = not probe.sent.sent and not probe.sent.token  # a learner's ping that wasn't found
            status = Status.INCONCLUSIVE if blind or unsent else Status.FAIL
        alone = "captured" if status is Status.FAIL else None
        if alone and one.probe in predicted:
            alone = counts_alone(one.most, _answers(probe, predicted[one.probe]), answered)
        note = f"the tracer at {blind[0]} saw not all" if blind else ""
        note = note if probe.counted else probe.sent.note
        wanted = str(one.most) if one.least == one.most else f"at least {one.least}"
        yield AnswerTally(
            status=status,
            field="answered",
            expected=wanted,
            captured=f"{answered} of {probe.sent.sent}",
            alone=alone,
            location=one.location,
            note=note,
            probe=one.probe,
        )


def _answers(found: Found, prediction: Prediction) -> tuple[int, int] | None:
    """How many answers the sender gets by the model, at least and at most: a transfer is answered once, or not at all.
    None where the model doesn't know."""
    if not found.counted:
        whole = all(one.end.delivered for one in (*prediction.linux, *prediction.largest))
        return int(whole), int(whole)
    if prediction.open or prediction.meanwhile:
        return None
    heard = [prediction.heard(one) for one in prediction.linux if one.leg is Leg.BACK]
    surely = always_answered(prediction) and bool(heard) and all(heard)
    return found.sent.sent if surely else 0, found.sent.sent if any(heard) else 0
