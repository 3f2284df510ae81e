"""The walks of an exercise's probes on the page: each hop with what every witness says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from srv6lab.capture.dissect import Frame
from srv6lab.evidence.fields import CARRIED_OF_FRAMES, CARRIED_OF_HEADERS, NONE
from srv6lab.evidence.packets import PacketView, Point
from srv6lab.evidence.prediction import End, Leg, Trace
from srv6lab.evidence.wording import Described
from srv6lab.judge.expectations import Expected, expectations
from srv6lab.plan.nodes import Plan
from srv6lab.report.page.bytes import shown_frame
from srv6lab.report.page.follow import Followed, Step, follow
from srv6lab.report.page.picture import link_of
from srv6lab.report.page.shown import Frames, Shown
from srv6lab.report.page.stages import of_probes, words
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.topology.exercises import Probe

Walked = Sequence[tuple[Probe, Sequence[Followed]]]
PACKETS = 3  # that are shown of a hop, at most
_OF_EACH = frozenset(row.name for row in (*CARRIED_OF_FRAMES, *CARRIED_OF_HEADERS)) | frozenset(
    f"{before}identification" for before in ("inner.", "middle.")
)  # what may be another in each packet
_WORST = ("fail", "inconclusive", "pass")


def walked(plan: Plan, shown: Shown) -> Walked:
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


def shown_frames(probes: Walked) -> Iterator[tuple[Point, PacketView]]:
    """The packets whose bytes are shown, and where they were captured."""
    for _, walks in probes:
        for walk in walks:
            for step in walk.steps:
                for packet, whole in _some(step.captured):
                    if whole:
                        yield step.spot[0], packet.packet


def _some(packets: Sequence[Described]) -> list[tuple[Described, bool]]:
    """The packets of a hop that are shown, the bytes of those that look otherwise than those before."""
    looks: dict[object, Described] = {}
    for one in packets:
        looks.setdefault(tuple([value for name, value in one.fields.items() if name not in _OF_EACH]), one)
    first = [*looks.values()][:PACKETS]
    more = [one for one in packets[:PACKETS] if not any(one is other for other in first)]
    chosen = [(one, True) for one in first] + [(one, False) for one in more[: PACKETS - len(first)]]
    return sorted(chosen, key=lambda one: one[0].packet.number)


def probes_json(plan: Plan, shown: Shown, probes: Walked, frames: Frames) -> list[dict[str, Any]]:
    ports = (port for node in plan.nodes for one in node.services for port in one.ports)
    nics = [*plan.nics(), *(nic for port in ports for nic in (port.outside, port.inside))]
    links = {nic.point: link_of(nic) for nic in nics}
    held = {one.id: (actions, across) for one, actions, across in of_probes(plan.exercise(shown.name)[1])}
    return [
        {
            "id": probe.id,
            "from": probe.source,
            "to": probe.to or str(probe.destination),
            "words": f"{probe.count} {probe.kind.words if probe.count > 1 else probe.kind.single}",
            "changes": words(plan, held[probe.id][0]),
            "across": held[probe.id][1],
            "walks": list(_walks(shown, probe, walks, links, frames)),
        }
        for probe, walks in probes
    ]


def _walks(
    shown: Shown, probe: Probe, walks: Sequence[Followed], links: Mapping[Point, str], frames: Frames
) -> Iterator[dict[str, Any]]:
    items = [one for one in (shown.verdict or {}).get("items", ()) if one["probe"] == probe.id]
    numbers = {leg: count(1) for leg in Leg}
    for walk in walks:
        hops = [
            {
                "id": f"{probe.id}/{walk.leg}/{next(numbers[walk.leg])}",
                **_place(step, links),
                **_witnesses(shown, step, frames),
                "changed": changed(before, step) if before else [],
                **_judged(step, items),
                "segments": _segments(look(step)),
            }
            for before, step in zip((None, *walk.steps), walk.steps, strict=False)
        ]
        yield {
            "leg": walk.leg,
            "title": _title(probe, walk),
            "witness": walk.witness,
            **_trace(walk),
            "hops": hops,
        }


def _trace(walk: Followed) -> dict[str, Any]:
    """What the model says of the whole walk."""
    trace, linux = walk.trace, walk.linux
    return {
        "share": str(trace.share) if trace else None,
        "choices": _choices(trace),
        "number": trace.number if trace else 0,
        "end": _end(trace.end) if trace else None,
        "linux_end": _end(linux.end) if trace and linux and linux.end != trace.end else None,
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


def _place(step: Step, links: Mapping[Point, str]) -> dict[str, Any]:
    (point, direction), model = step.spot, step.model
    return {
        "point": str(point),
        "direction": direction,
        "node": point.node,
        "netns": point.netns or None,
        "link": links.get(point),
        "behavior": (" + ".join(model.behaviors) or None) if model else None,
        "reason": model.reason if model else "",
        "quirks": _quirks(step),
    }


def _witnesses(shown: Shown, step: Step, frames: Frames) -> dict[str, Any]:
    point, rfc = step.spot[0], step.rfc
    file = shown.files.get(point)
    return {
        "expected": _expected(step.expected) if step.expected else None,
        "predicted": dict(rfc or step.linux) or None,
        "linux": {name: value for name, value in step.linux.items() if rfc and value != rfc.get(name)},
        "captured": [
            _packet(one, file, frames.get(((shown.name, point), one.packet.number)))
            for one, _ in _some(step.captured)
        ],
        "count": len(step.captured) if file else None,
    }


def _expected(one: Expected) -> dict[str, str]:
    """The fields that an author named; of what must not be there, that there are no such packets."""
    return {**({"count": "0"} if one.absent else {}), **dict(one.fields)}


def _judged(step: Step, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mine = _items(step, items)
    return {
        "differs": [_difference(one) for one in mine if _differs(one)],
        "status": next((word for word in _WORST if any(one["status"] == word for one in mine)), None),
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
            return [
                name for name in dict.fromkeys((*now, *was)) if was.get(name, NONE) != now.get(name, NONE)
            ]
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


def _packet(one: Described, file: Path | None, frame: Frame | None) -> dict[str, Any]:
    packet = one.packet
    return {
        "number": packet.number,
        "file": file.name if file else "",
        "time": round(packet.time, 6),
        "fields": dict(one.fields),
        "length": packet.length,
        **shown_frame(frame, one.fields),
    }
