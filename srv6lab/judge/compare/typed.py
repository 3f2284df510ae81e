"""A ping that a learner typed: what its captures alone show of whether all of it is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import CountDiffers, FrameUnclear, Item, Status

_REQUESTS = frozenset({8, 128})
_NUMBERS = 1 << 16
_SHOWN = 5


def judge_typed(found: Found, prediction: Prediction) -> Iterator[Item]:
    """Frames that may be the ping's, and requests that it must have sent, since it numbers them."""
    if found.sent.token:
        return
    frames: dict[Point, list[int]] = {}
    for point, number in found.doubtful:
        frames.setdefault(point, []).append(number)
    for point, numbers in frames.items():
        note = f"{_listed('frame', numbers)} may be of this ping, and can't be told from it"
        yield FrameUnclear(status=Status.INCONCLUSIVE, point=point, note=note)
    if prediction.meanwhile:
        return
    icmp = [hop.packet.icmp for hop in found.hops if hop.packet.icmp]
    sequences = {one.sequence for one in icmp if one.type in _REQUESTS and one.sequence is not None}
    if lacking := _lacking(sequences):
        yield CountDiffers(
            status=Status.FAIL,
            field="packets",
            predicted="each packet on one of the walks",
            captured=f"none with {_listed('sequence', lacking)}",
            note="the ping sent them, for it sent one before and one after",
        )


def _lacking(sequences: Collection[int]) -> list[int]:
    """The numbers that are left out within a run of them, which may go on from 65535 with 0."""
    if not sequences:
        return []
    ordered = sorted(sequences)
    gaps = [(b - a) % _NUMBERS or _NUMBERS for a, b in zip(ordered, [*ordered[1:], ordered[0]], strict=True)]
    first = ordered[(gaps.index(max(gaps)) + 1) % len(ordered)]
    length = _NUMBERS - max(gaps) + 1
    return [n for n in ((first + step) % _NUMBERS for step in range(length)) if n not in sequences]


def _listed(what: str, numbers: Collection[int]) -> str:
    shown = ", ".join(str(one) for one in [*numbers][:_SHOWN])
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return f"{what}{'s' * (len(numbers) > 1)} {shown}{more}"
