"""The witnesses of an exercise → a Verdict. Nothing is mended here to make them agree.

A packet that was not seen is a failure only where a live tracer that dropped nothing would have
seen it; anywhere else it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from srv6lab.expect import Expected, ExpectedAlert, ExpectedCount, describe, sentence
from srv6lab.probes import Found
from srv6lab.trace import Alert, Direction, Hop, Item, Point, Sensor, Status, Tracer, Verdict

_Place = tuple[Point, Direction]


def compare(
    exercise: str,
    expected: Sequence[Expected],
    found: Mapping[str, Found],
    tracers: Mapping[Point, Tracer],
    *,
    elsewhere_absent: bool,
) -> Verdict:
    """Judge one exercise: `found` by probe, `tracers` for every point of the lab."""
    items: list[Item] = []
    for probe, one in found.items():
        mine = [expectation for expectation in expected if expectation.probe == probe]
        items += _judge_probe(one, mine, tracers, elsewhere_absent)
    watched = {expectation.point for expectation in expected}
    if elsewhere_absent:
        watched |= set(tracers)
    told = {item.point for item in items if item.status is Status.INCONCLUSIVE}
    items += [_unsound(tracers[point]) for point in sorted(watched - told) if not tracers[point].sound]
    return Verdict(exercise, tuple(items))


def judge_alerts(
    expected: Sequence[ExpectedAlert], alerts: Sequence[Alert], sensors: Mapping[str, Sensor]
) -> Iterator[Item]:
    """An alert that must come is missing also when its sensor is dead: that is the lab's failure. One
    that must not come proves something only if the sensor was alive and had looked at all."""
    for one in expected:
        signed = [a for a in alerts if a.service == one.service and a.signature == one.signature]
        hits = [alert for alert in signed if all(getattr(alert, n) == value for n, value in one.fields)]
        yield _alert_item(one, hits, signed, sensors.get(one.service))


def _alert_item(
    one: ExpectedAlert, hits: Sequence[Alert], signed: Sequence[Alert], sensor: Sensor | None
) -> Item:
    words = " ".join([f"signature {one.signature}", *(f"{name} {value}" for name, value in one.fields)])
    expected = f"no alert, {words}" if one.absent else f"{one.count or 'at least 1'}: {words}"
    captured = f"{len(hits)}: {_alert_words(hits or signed)}" if hits or signed else "0"
    awake = sensor is not None and sensor.sound
    note = "" if awake else _why_deaf(one.service, sensor)
    if sensor is None or sensor.engine == "none":
        status = Status.INCONCLUSIVE
    elif one.absent:
        status = Status.FAIL if hits else Status.PASS if awake else Status.INCONCLUSIVE
    else:
        right = len(hits) == one.count if one.count else bool(hits)
        status = Status.PASS if right else Status.FAIL
    alone = "captured" if status is Status.FAIL else None
    return Item("alert", status, one.point, "alert", expected, None, captured, alone, one.location, note)


def _why_deaf(service: str, sensor: Sensor | None) -> str:
    if sensor is None:
        return f"nothing was observed of service {service}: pcaps alone hold no alerts"
    if sensor.engine == "none":
        return f"service {service} has no engine here: apt-get install suricata, then up again"
    if not sensor.alive:
        return f"service {service} is not running"
    if not sensor.as_planned:
        return f"the rules of service {service} are not the lab's"
    return f"service {service} lags behind"


def _alert_words(alerts: Sequence[Alert]) -> str:
    return " and ".join(
        _distinct(
            f"{a.source} → {a.destination}"
            + (f" in {a.tunnel_source} → {a.tunnel_destination}" if a.tunnel_source else "")
            for a in alerts
        )
    )


def judge_counts(expected: Sequence[ExpectedCount], counters: Mapping[str, int]) -> Iterator[Item]:
    """What firewalls and proxies counted, to the packet."""
    for one in expected:
        seen = counters.get(one.counter)
        status = Status.PASS if seen == one.packets else Status.FAIL
        note = ""
        if seen is None:
            status, note = Status.INCONCLUSIVE, f"nothing was observed of {one.counter}"
        captured = None if seen is None else str(seen)
        alone = "captured" if status is Status.FAIL else None
        yield Item(
            "counter", status, None, one.counter, str(one.packets), None, captured, alone, one.location, note
        )


def _judge_probe(
    found: Found, expected: Sequence[Expected], tracers: Mapping[Point, Tracer], elsewhere_absent: bool
) -> Iterator[Item]:
    if not found.sent.sent:
        # Our own probe that can't leave its node is the lab's failure; a ping that isn't in somebody's
        # captures says nothing about the lab.
        status = Status.FAIL if found.sent.token else Status.INCONCLUSIVE
        yield Item("probe", status, None, note=f"probe {found.sent.probe} was not sent: {found.sent.note}")
        return
    for point in found.undirected:
        note = "no frame tells which MAC is this NIC's own, so directions can't be told"
        yield Item("direction", Status.INCONCLUSIVE, point, note=note)
    seen: dict[_Place, list[Hop]] = {}
    for hop in found.hops:
        seen.setdefault((hop.point, hop.direction), []).append(hop)
    wanted: dict[_Place, list[Expected]] = {}
    for expectation in expected:
        wanted.setdefault((expectation.point, expectation.direction), []).append(expectation)
    for place, expectations in wanted.items():
        blind = "directions can't be told" if place[0] in found.undirected else _why_blind(tracers[place[0]])
        yield from _judge_place(expectations, seen.pop(place, []), found.sent.sent, blind)
    if elsewhere_absent:
        for place in sorted(seen):
            yield from _unexpected(seen[place], "seen where no expectation has it")


def _judge_place(expected: Sequence[Expected], hops: Sequence[Hop], sent: int, blind: str) -> Iterator[Item]:
    """One point and direction: every packet belongs to the expectation that it fits best, of those that
    it fits equally to the one that says most."""
    shares: list[list[Hop]] = [[] for _ in expected]
    left = []
    for hop in hops:
        described = describe(hop.packet)
        fits = [
            (one.mismatches(described), len(shares[index]) >= (one.count or sent), -len(one.fields), index)
            for index, one in enumerate(expected)
            if one.means(hop.packet)
        ]
        if fits:
            shares[min(fits)[-1]].append(hop)
        else:
            left.append(hop)
    for one, share in zip(expected, shares, strict=True):
        yield from _judge(one, share, 0 if one.absent else one.count or sent, blind)
    yield from _unexpected(left, "no expectation at this point has these addresses")


def _judge(one: Expected, hops: Sequence[Hop], wanted: int, blind: str) -> Iterator[Item]:
    faults = [] if one.absent else list(_wrong_fields(one, hops))
    if len(hops) < wanted:
        status = Status.INCONCLUSIVE if blind else Status.FAIL
        kind = "count" if hops else "missing"
        faults.append(_item(one, kind, status, "count", str(wanted), str(len(hops)), blind))
    elif len(hops) > wanted:
        kind = "unexpected" if one.absent else "count"
        captured = f"{len(hops)}: {_sentences(hops)}" if one.absent else str(len(hops))
        faults.append(_item(one, kind, Status.FAIL, "count", str(wanted), captured))
    if faults:
        yield from faults
    elif one.absent:
        status = Status.INCONCLUSIVE if blind else Status.PASS
        yield _item(one, "absent", status, "count", "0", "0", blind)
    else:
        yield _item(
            one, "packet", Status.PASS, "", sentence(dict(one.fields)), f"{len(hops)}: {_sentences(hops)}"
        )


def _wrong_fields(one: Expected, hops: Sequence[Hop]) -> Iterator[Item]:
    described = [describe(hop.packet) for hop in hops]
    for name, value in one.fields:
        if wrong := _distinct(fields[name] for fields in described if fields[name] != value):
            yield _item(one, "field", Status.FAIL, name, value, " and ".join(wrong))


def _item(
    one: Expected, kind: str, status: Status, field: str, expected: str, captured: str, note: str = ""
) -> Item:
    alone = "captured" if status is Status.FAIL else None
    return Item(
        kind, status, one.point, field, expected, None, captured, alone, one.location, note, one.direction
    )


def _unexpected(hops: Sequence[Hop], note: str) -> Iterator[Item]:
    groups: dict[str, list[Hop]] = {}
    for hop in hops:
        groups.setdefault(sentence(describe(hop.packet)), []).append(hop)
    for text, group in groups.items():
        yield Item(
            "unexpected",
            Status.FAIL,
            group[0].point,
            "count",
            "0",
            None,
            f"{len(group)}: {text}",
            "captured",
            note=note,
            direction=group[0].direction,
        )


def _unsound(tracer: Tracer) -> Item:
    return Item("tracer", Status.INCONCLUSIVE, tracer.point, note=_why_blind(tracer))


def _why_blind(tracer: Tracer) -> str:
    """Why the absence of a packet in this capture proves nothing, or "" if it does."""
    if tracer.dropped:
        return f"the tracer dropped {tracer.dropped} packets"
    return "" if tracer.sound else tracer.note or f"tracer {tracer.state}"


def _sentences(hops: Sequence[Hop]) -> str:
    return " and ".join(_distinct(sentence(describe(hop.packet)) for hop in hops))


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
