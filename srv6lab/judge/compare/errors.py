"""ICMP errors about a probe's packets: no author names them, so the model alone says which there may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from srv6lab.evidence.packets import PacketView, Point
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import Item
from srv6lab.evidence.wording import Described, foretell
from srv6lab.judge.compare.carried import Identity, Seen, along_walks
from srv6lab.judge.compare.permitted import Permitted, Spot, always_answered
from srv6lab.judge.compare.point import PointContext, judge_spot


def judge_errors(found: Found, prediction: Prediction, sound: Collection[Point]) -> Iterator[Item]:
    """Each is one of the model's, and what a hop has to leave alone is. How many come nobody knows. Of a packet that is
    lost where the model knows no error, or while the lab changes, or which isn't modeled to its end, any may come."""
    if prediction.meanwhile or prediction.open or not (prediction.told or always_answered(prediction)):
        return
    permitted: dict[Spot, dict[str, Permitted]] = {}
    for trace in prediction.told:
        for hop in trace.hops:
            fields = foretell(hop.packet)
            one = Permitted(
                hop.point, hop.direction, hop.packet, fields, fields, hop.quirks, 0, found.sent.sent
            )
            permitted.setdefault((hop.point, hop.direction), {})[str(fields)] = one
    seen: dict[Spot, list[Described]] = {}
    walked: dict[Identity, Seen] = {}
    for hop in found.errors:
        spot = hop.point, hop.direction
        seen.setdefault(spot, []).append(Described.of(hop.packet))
        walked.setdefault(_about(hop.packet), {}).setdefault(spot, []).append(hop.packet)
    for spot, packets in seen.items():
        here = PointContext(*spot, found.sent.sent, modeled=True)
        yield from judge_spot((), [*permitted.get(spot, {}).values()], packets, here)
    if prediction.told:
        yield from along_walks(Leg.BACK, prediction.told, walked, sound)


def _about(error: PacketView) -> Identity:
    """Which packet of the probe it speaks of."""
    quoted = error.quoted
    if quoted and quoted.icmp:
        return "the error about sequence", quoted.icmp.sequence
    return "the error about port", quoted.udp.source_port if quoted and quoted.udp else None
