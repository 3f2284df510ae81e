"""Predicted walks → text, JSON, a Mermaid sequence diagram. Values in, text out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from srv6lab.evidence.fields import NONE
from srv6lab.evidence.packets import Direction, Place
from srv6lab.evidence.prediction import End, Hop, Prediction, Trace
from srv6lab.evidence.wording import foretell, sentence
from srv6lab.plan.nodes import Plan
from srv6lab.srv6.quirks import QUIRKS

from .quoting import mermaid_message
from .table import aligned

SCHEMA = 1
_LEGS = {"there": "there", "back": "and back"}


@dataclass(frozen=True, slots=True)
class Walked:
    """The predictions of one exercise; `proxies` are the behaviors that hand packets to a service, `parallel` the
    pairs of places that several links connect, `plan` the lab itself, which only a page shows."""

    lab: str
    exercise: str
    predictions: tuple[Prediction, ...]
    proxies: frozenset[str]
    parallel: frozenset[frozenset[str]] = frozenset()
    plan: Plan | None = None


def walks_text(walked: Sequence[Walked]) -> str:
    """For a person: a line a NIC, under it why the packet left as it did; then a table for every proxy."""
    return "\n\n".join("\n".join(_exercise(one)) for one in walked) + "\n"


def walks_json(walked: Sequence[Walked]) -> str:
    """For a program. `packet` is by the RFC; `linux` holds the fields in which the kernel departs from it,
    `linux_end` its end and `linux_walks` its walks where they are others."""
    return json.dumps([_exercise_json(one) for one in walked], indent=2) + "\n"


def walks_mermaid(walked: Sequence[Walked]) -> str:
    """A sequence diagram of every walk, in one document."""
    named = [
        (f"{one.exercise}, probe {prediction.probe}, {_LEGS[trace.leg]}{where}{_share(trace)}", trace)
        for one in walked
        for prediction in one.predictions
        for where, traces in (("", prediction.rfc), (", on Linux", _on_linux_alone(prediction)))
        for trace in traces
    ]
    places = dict.fromkeys(place for _, trace in named for place in _places(trace))
    # Mermaid would read some names as words of its own, and the end of others as a part of an arrow.
    actors = {place: f"n{number}" for number, place in enumerate(places, 1)}
    lines = ["sequenceDiagram", "  autonumber"]
    lines += [f"  participant {actor} as {place}" for place, actor in actors.items()]
    for title, trace in named:
        lines += _sequence(title, trace, actors)
    return "\n".join(lines) + "\n"


# --- text


def _exercise(one: Walked) -> Iterator[str]:
    for number, prediction in enumerate(one.predictions):
        if number:
            yield ""
        yield f"exercise {one.exercise}, probe {prediction.probe}"
        for trace, linux in _beside(prediction):
            yield from _trace(trace, linux)
        for trace in _on_linux_alone(prediction):
            yield from _trace(trace, None, ", on Linux")
        for end in dict.fromkeys(one.end for one in prediction.largest if not one.end.delivered):
            yield f"  the largest packets there LOST at {end.place}: {end.reason}"
        yield from _table(one.proxies, prediction)
    quirks = {name for p in one.predictions for t in p.linux for hop in t.hops for name in hop.quirks}
    for name in sorted(quirks):
        yield ""
        yield f"Linux ({name}): {QUIRKS[name].what}; by {QUIRKS[name].section} it is as shown first."


def _beside(prediction: Prediction) -> Iterator[tuple[Trace, Trace | None]]:
    """Each walk by the RFC with the same walk by Linux, None where Linux takes another way."""
    for index, trace in enumerate(prediction.rfc):
        linux = prediction.linux[index] if index < len(prediction.linux) else None
        same = linux is not None and [h.point for h in linux.hops] == [h.point for h in trace.hops]
        yield trace, linux if same else None


def _on_linux_alone(prediction: Prediction) -> Iterator[Trace]:
    """The walks of Linux that aren't the RFC's."""
    by_rfc = [(trace.leg, [hop.point for hop in trace.hops]) for trace in prediction.rfc]
    return (t for t in prediction.linux if (t.leg, [hop.point for hop in t.hops]) not in by_rfc)


def _trace(trace: Trace, linux: Trace | None, where: str = "") -> Iterator[str]:
    yield f"  {_LEGS[trace.leg]}{where}{_share(trace)}"
    width = max((len(_place(hop)) for hop in trace.hops), default=0)
    for index, hop in enumerate(trace.hops):
        yield f"    {_place(hop):{width}}  {sentence(_both(hop, linux.hops[index] if linux else None))}"
        if hop.direction is Direction.OUT:
            yield f"    {'':{width}}    {_why(hop)}"
    yield f"    {trace.end}"
    if linux and linux.end != trace.end:
        yield f"    on Linux {linux.end}"


def _both(hop: Hop, linux: Hop | None) -> Mapping[str, str]:
    """The packet's fields by the RFC, and Linux's where it writes others."""
    fields = foretell(hop.packet)
    if linux is None:
        return fields
    others = foretell(linux.packet)
    return {
        name: value if value == others[name] else f"{value} (Linux {others[name]})"
        for name, value in fields.items()
    }


def _why(hop: Hop) -> str:
    return f"{_behaviors(hop)}: {hop.reason}" if hop.behaviors else hop.reason


def _behaviors(hop: Hop) -> str | None:
    return " + ".join(hop.behaviors) or None


def _place(hop: Hop) -> str:
    return f"{hop.point} {hop.direction}"


def _share(trace: Trace) -> str:
    """The part of the flows that take it, and what a node must have chosen for that."""
    share = "" if trace.share == 1 else f", {trace.share} of the flows"
    chosen = " and ".join(
        f"{one.place} sends {'all' if one.all_ else 'any'} of them to {one.way}" for one in trace.choices
    )
    return f"{share}, if {chosen}" if chosen else share


def _table(proxies: frozenset[str], prediction: Prediction) -> Iterator[str]:
    """What a proxy takes in and gives out: the packet before and behind each of its two halves."""
    for trace, linux in _beside(prediction):
        rows: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
        for index, hop in enumerate(trace.hops):
            if hop.direction is Direction.OUT and index and (proxy := proxies.intersection(hop.behaviors)):
                title = f"{' and '.join(sorted(proxy))} on {hop.point.node}"
                for one in (index - 1, index):
                    fields = _both(trace.hops[one], linux.hops[one] if linux else None)
                    rows.setdefault(title, []).append((_place(trace.hops[one]), fields))
        for title, found in rows.items():
            yield f"  {title}"
            yield from _columns(found)


HEADINGS = ("at", "source", "destination", "hop limit", "segment list", "left", "inner packet")


def _columns(rows: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[str]:
    yield from aligned([HEADINGS, *(row(place, fields) for place, fields in rows)], "    ")


def row(place: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """A packet at a place, by HEADINGS."""
    inner = "-"
    if fields["inner.source"] != NONE:
        inner = f"{fields['inner.source']} → {fields['inner.destination']} hl {fields['inner.hop_limit']}"
    segments, left = fields["segment_list"], fields["segments_left"]
    return (
        place,
        fields["source"],
        fields["destination"],
        fields["hop_limit"],
        "-" if segments == NONE else segments,
        "-" if left == NONE else left,
        inner,
    )


# --- JSON


def _exercise_json(one: Walked) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "lab": one.lab,
        "exercise": one.exercise,
        "probes": [
            {
                "probe": prediction.probe,
                "walks": [_trace_json(trace, linux) for trace, linux in _beside(prediction)],
                "linux_walks": [_trace_json(trace, trace) for trace in _on_linux_alone(prediction)],
                **(
                    {"largest": [_end_json(one.end) for one in prediction.largest]}
                    if prediction.largest
                    else {}
                ),
            }
            for prediction in one.predictions
        ],
    }


def _trace_json(trace: Trace, linux: Trace | None) -> dict[str, Any]:
    return {
        "leg": trace.leg,
        "share": str(trace.share),
        "choices": [{"at": str(one.place), "way": one.way, "all": one.all_} for one in trace.choices],
        "hops": [_hop_json(hop, linux.hops[i] if linux else None) for i, hop in enumerate(trace.hops)],
        **_end_json(trace.end),
        "linux_end": _end_json(linux.end) if linux and linux.end != trace.end else None,
        "counted": list(trace.counted),
    }


def _end_json(end: End) -> dict[str, Any]:
    found = {"delivered": end.delivered, "at": str(end.place), "reason": end.reason}
    return found if end.known else {**found, "modeled": False}


def _hop_json(hop: Hop, linux: Hop | None) -> dict[str, Any]:
    fields, others = foretell(hop.packet), foretell(linux.packet) if linux else {}
    return {
        "point": str(hop.point),
        "direction": hop.direction,
        "behavior": _behaviors(hop),
        "reason": hop.reason,
        "packet": {name: None if value == NONE else value for name, value in fields.items()},
        "linux": {name: value for name, value in others.items() if value != fields[name]},
        "quirks": list(linux.quirks) if linux else [],
    }


# --- Mermaid


def _places(trace: Trace) -> Iterator[Place]:
    yield from (hop.point.place for hop in trace.hops)
    yield trace.end.place


def _sequence(title: str, trace: Trace, actors: Mapping[Place, str]) -> Iterator[str]:
    first = trace.hops[0].point.place if trace.hops else trace.end.place
    yield f"  Note over {actors[first]}: {mermaid_message(title)}"
    for out, into in pairwise(trace.hops):
        if out.direction is not Direction.OUT:
            continue
        sender, taker = actors[out.point.place], actors[into.point.place]
        yield f"  Note over {sender}: {mermaid_message(_why(out))}"
        yield f"  {sender}->>{taker}: {mermaid_message(sentence(foretell(out.packet)))}"
    word = "delivered" if trace.end.delivered else "lost" if trace.end.known else "not modeled from here on"
    yield f"  Note over {actors[trace.end.place]}: {mermaid_message(f'{word}: {trace.end.reason}')}"
