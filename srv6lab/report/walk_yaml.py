"""Predicted walks → `walk:` of an exercise, for an author to begin with. Values in, text out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Leg, Prediction, Trace
from srv6lab.evidence.shares import Shares, Way
from srv6lab.evidence.wording import foretell, sentence
from srv6lab.report.walk import Walked
from srv6lab.topology.notation import Packet, Said, parse, written

_Line = tuple[str, str]  # the link, and the packet on it


def walks_yaml(walked: Sequence[Walked]) -> str:
    """What Linux does by the model, marked as unreviewed: an author who has read it takes the mark away."""
    return "".join(f"{line}\n" for one in walked for line in _exercise(one))


def _exercise(one: Walked) -> Iterator[str]:
    if not one.predictions:
        yield f"# {one.lab}, exercise {one.exercise}: it sends nothing"
        return
    yield f"# {one.lab}, exercise {one.exercise}: under its expect:"
    yield "walk:"
    for prediction in one.predictions:
        yield f"  {prediction.probe}:"
        yield "    unreviewed: true"
        for leg in Leg:
            yield from _leg(leg, prediction, one.parallel)


def _leg(leg: Leg, prediction: Prediction, parallel: frozenset[frozenset[str]]) -> Iterator[str]:
    traces = [trace for trace in prediction.linux if trace.leg is leg]
    lines = _lines(traces, parallel)
    if lines:
        yield f"    {leg}:"
    before: Packet | None = None
    for (link, text), share in lines.items():
        packet = parse(text)
        if traces[0].number:
            count = sum((link, text) in _lines([trace], parallel) for trace in traces)
            packet = replace(packet, whole={"count": Said(count, 0)})
        elif share is None or 0 < share < 1:
            packet = replace(packet, whole={"share": Said("any" if share is None else str(share), 0)})
        short = written(packet, before)
        yield f"      - {link}: {json.dumps(short, ensure_ascii=False) if ': ' in f'{short} ' or '::,' in short else short}"
        before = packet
        yield from _ends([trace for trace in traces if _last(trace, parallel) == (link, text)], "- ")
    yield from _ends([trace for trace in traces if not _last(trace, parallel)], "# ")


def _ends(traces: Sequence[Trace], mark: str) -> Iterator[str]:
    """Where packets end: behind the line that leads there, and in a comment where none does. What the model doesn't know
    is for the author to write."""
    for end in dict.fromkeys(trace.end for trace in traces if not trace.end.delivered):
        if end.known:
            yield f"      {mark}lost at {end.place}: {json.dumps(end.reason, ensure_ascii=False)}"
        else:
            yield f"      # {end}"


def _last(trace: Trace, parallel: frozenset[frozenset[str]]) -> _Line | None:
    return next(reversed(_lines([trace], parallel)), None)


def _lines(traces: Sequence[Trace], parallel: frozenset[frozenset[str]]) -> dict[_Line, Fraction | None]:
    """Each link with a packet on it, in the order of the walks, and the part of the flows that comes so; None where
    nobody knows it."""
    ways: dict[_Line, list[Way]] = {}
    for trace in traces:
        for out, into in pairwise(trace.hops):
            if out.direction is Direction.OUT:
                line = (_link(out.point, into.point, parallel), sentence(foretell(out.packet)))
                ways.setdefault(line, []).append(Way(trace.share, trace.choices))
    return {line: Shares.of(found).sure for line, found in ways.items()}


def _link(out: Point, into: Point, parallel: frozenset[frozenset[str]]) -> str:
    """`r1 > r2`, with the NICs where several links lead from one to the other."""
    places = (str(out.place), str(into.place))
    return f"{out} > {into}" if frozenset(places) in parallel else " > ".join(places)
