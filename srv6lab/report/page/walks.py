"""The walks of an exercise's probes on the page: each hop with what every witness says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from srv6lab.evidence.fields import CARRIED_OF_FRAMES, CARRIED_OF_HEADERS, NONE
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import End, Hop, Leg, Trace
from srv6lab.evidence.wording import Described
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.report.page.bytes import shown_frame
from srv6lab.report.page.follow import Followed, Step, follow
from srv6lab.report.page.picture import link_of
from srv6lab.report.page.shown import Shown
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.judge.expectations import Expected, expectations
from srv6lab.topology.exercises import Probe

PACKETS = 3  # that are shown of a hop, at most
_OF_EACH = frozenset(row.name for row in (*CARRIED_OF_FRAMES, *CARRIED_OF_HEADERS)) | frozenset(
    f"{before}identification" for before in ("inner.", "middle.")
)  # what may be another in each packet
_WORST = ("fail", "inconclusive", "pass")


def probes(plan: Plan, shown: Shown) -> list[tuple[Probe, list[Followed]]]:
    """The probes of an exercise in the order in which they are sent, with their walks."""
    wanted = expectations(plan, shown.name)
    predicted = {one.probe: one for one in shown.predictions}
    return [
        (
            probe,
            follow(
                predicted[probe.id],
                [one for one in wanted if one.probe == probe.id],
                shown.found.get(probe.id),
            ),
        )
        for probe in plan.exercise(shown.name)[1].every_probe()
        if probe.id in predicted
    ]


def frames(walked: Sequence[tuple[Probe, Sequence[Followed]]]) -> Iterator[tuple[Point, int]]:
    """Where the frames are whose bytes are shown."""
    for _, walks in walked:
        for walk in walks:
            for step in walk.steps:
                for packet, whole in _some(step.captured):
                    if whole:
                        yield step.spot[0], packet.packet.number


def _some(packets: Sequence[Described]) -> list[tuple[Described, bool]]:
    """The packets of a hop that are shown, the bytes of those that look otherwise than those before."""
    looks: dict[object, Described] = {}
    for one in packets:
        looks.setdefault(tuple([value for name, value in one.fields.items() if name not in _OF_EACH]), one)
    first = [*looks.values()][:PACKETS]
    more = [one for one in packets[:PACKETS] if not any(one is other for other in first)]
    chosen = [(one, True) for one in first] + [(one, False) for one in more[: PACKETS - len(first)]]
    return sorted(chosen, key=lambda one: one[0].packet.number)


def probes_json(
    plan: Plan, shown: Shown, walked: Sequence[tuple[Probe, Sequence[Followed]]]
) -> list[dict[str, Any]]:
    nics = {nic.point: nic for nic in plan.nics()} | {nic.point: nic for nic in plan.traced()}
    nics |= {port.outside.point: port.outside for node in plan.nodes for one in node.services for port in one.ports}
    return [
        {
            "id": probe.id,
            "from": probe.source,
            "to": probe.to or str(probe.destination),
            "words": f"{probe.count} {probe.kind.words if probe.count > 1 else probe.kind.single}",
            "walks": list(_walks(shown, probe, walks, nics)),
        }
        for probe, walks in walked
    ]


def _walks(
    shown: Shown, probe: Probe, walks: Sequence[Followed], nics: Mapping[Point, Nic]
) -> Iterator[dict[str, Any]]:
    items = [one for one in (shown.verdict or {}).get("items", ()) if one["probe"] == probe.id]
    number = {leg: 0 for leg in Leg}
    for walk in walks:
        hops = []
        before: Step | None = None
        for step in walk.steps:
            number[walk.leg] += 1
            name = f"{probe.id}/{walk.leg}/{number[walk.leg]}"
            hops.append(_hop(shown, name, step, before, items, nics))
            before = step
        yield {
            "leg": walk.leg,
            "title": _title(probe, walk),
            "share": str(walk.trace.share) if walk.trace else None,
            "choices": _choices(walk.trace),
            "witness": walk.witness,
            "number": walk.trace.number if walk.trace else 0,
            "end": _end(walk.trace.end) if walk.trace else None,
            "linux_end": _end(walk.linux.end)
            if walk.linux and walk.trace and walk.linux.end != walk.trace.end
            else None,
            "hops": hops,
        }


def _title(probe: Probe, walk: Followed) -> str:
    if walk.trace is None:
        return f"{'ICMP errors' if walk.error else 'packets'} that the model doesn't foresee"
    there, back = probe.source, probe.to or str(probe.destination)
    ends = f"{there} → {back}" if walk.leg is Leg.THERE else f"{back} → {there}"
    words = [f"ICMP error about {ends}" if walk.error else ends]
    if walk.trace.number:
        words.append(f"packet {walk.trace.number}")
    if walk.trace.share != 1:
        words.append(f"{walk.trace.share} of the flows")
    if walk.witness == "linux" and not walk.error:
        words.append("on Linux alone")
    return ", ".join(words)


def _choices(trace: Trace | None) -> list[str]:
    """What nodes must have chosen for a walk."""
    return [
        f"{one.place} sends {'all' if one.all_ else 'any'} of them to {one.way}"
        for one in (trace.choices if trace else ())
    ]


def _end(end: End) -> dict[str, Any]:
    return {"delivered": end.delivered, "known": end.known, "at": str(end.place), "reason": end.reason}


def _hop(
    shown: Shown,
    name: str,
    step: Step,
    before: Step | None,
    items: Sequence[Mapping[str, Any]],
    nics: Mapping[Point, Nic],
) -> dict[str, Any]:
    point, direction = step.spot
    model = step.model
    mine = _items(step, items)
    return {
        "id": name,
        "point": str(point),
        "direction": direction,
        "node": point.node,
        "netns": point.netns or None,
        "link": link_of(nics[point]) if point in nics else None,
        "behavior": (" + ".join(model.behaviors) or None) if model else None,
        "reason": model.reason if model else "",
        "quirks": _quirks(step),
        "expected": dict(step.expected.fields) if step.expected else None,
        "predicted": dict(step.rfc or step.linux) or None,
        "linux": {key: value for key, value in step.linux.items() if step.rfc and value != step.rfc.get(key)},
        "captured": [_packet(shown, point, one) for one, _ in _some(step.captured)],
        "count": len(step.captured) if point in shown.files else None,
        "changed": changed(before, step) if before else [],
        "differs": [_difference(one) for one in mine if _differs(one)],
        "status": next((word for word in _WORST if any(one["status"] == word for one in mine)), None),
        "segments": _segments(look(step)),
    }


def _items(step: Step, items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was judged of it: of packets that nobody foresees that they are there, of others the rest."""
    point, direction = step.spot
    here = [one for one in items if one["point"] == str(point) and one["direction"] == direction]
    stray = not step.model and not step.expected
    mine = [one for one in here if (one["kind"] == "unexpected") is stray]
    return mine or here


def _quirks(step: Step) -> list[dict[str, str]]:
    names = step.by_linux.quirks if step.by_linux else ()
    return [{"name": one, "what": QUIRKS[one].what, "section": QUIRKS[one].section} for one in names]


def look(step: Step) -> Mapping[str, str]:
    """What the packet looks like there, by the best witness that has it: its capture, Linux, the RFC, the author."""
    if step.captured:
        return step.captured[0].fields
    return step.linux or step.rfc or (dict(step.expected.fields) if step.expected else {})


def changed(before: Step, step: Step) -> list[str]:
    """The fields that are otherwise than a hop before, by a witness that saw both."""
    pairs = (
        (before.captured[0].fields, step.captured[0].fields) if before.captured and step.captured else None,
        (before.linux, step.linux),
        (before.rfc, step.rfc),
    )
    for pair in pairs:
        if pair and pair[0] and pair[1]:
            was, now = pair
            return [name for name in dict.fromkeys((*now, *was)) if was.get(name, NONE) != now.get(name, NONE)]
    return []


def _differs(item: Mapping[str, Any]) -> bool:
    return item["status"] != "pass" and bool(item["field"])


def _difference(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("field", "expected", "predicted", "captured", "alone", "note")}


def _segments(fields: Mapping[str, str]) -> dict[str, Any] | None:
    """The segment list of the outermost SRH, in the order of the wire."""
    listed, left = fields.get("segment_list", NONE), fields.get("segments_left", "")
    if listed == NONE or not left.isdigit():
        return None
    return {"list": listed.split(", "), "left": int(left)}


def _packet(shown: Shown, point: Point, one: Described) -> dict[str, Any]:
    packet = one.packet
    return {
        "number": packet.number,
        "file": shown.files.get(point, ""),
        "time": round(packet.time, 6),
        "fields": dict(one.fields),
        "length": packet.length,
        **shown_frame(shown.frames.get((point, packet.number)), one.fields),
    }
