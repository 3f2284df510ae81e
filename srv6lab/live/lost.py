"""A probe that is lost by design isn't waited for: the model says behind which NIC, and a tracer tells when it was there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.live.instance import Instance
from srv6lab.live.watch_captures import Trace
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.netem import NetemAction
from srv6lab.topology.exercises import Probe

_TIME = 16  # bytes of a time in an echo's payload
_LOOK = 0.01  # seconds between two looks at the tracer's file
_ANSWERED = 0.1  # seconds in which a packet that isn't lost after all comes back
Result = TypeVar("Result")


def last_seen(probe: Probe, prediction: Prediction) -> Point | None:
    """The NIC at which all packets of a ping are seen last, by Linux; None where there are several, where an error tells
    somebody of the loss, or where its packets can't be told from others."""
    if not probe.icmp or probe.segments or prediction.told or len(prediction.linux) != 1:
        return None
    (walk,) = prediction.linux
    lost = walk.leg is Leg.THERE and walk.end.known and not walk.end.delivered
    return walk.hops[-1].point if lost and walk.hops else None


def delayed(actions: Sequence[Action]) -> float:
    """Seconds that a packet which isn't lost after all may be on its way for what an exercise applies: a chain may lead it
    over a slow link twice, and back."""
    return sum(4 * (one.netem.delay or 0) for one in actions if isinstance(one, NetemAction)) / 1000


def tracer(lab: Instance, point: Point) -> Trace | None:
    """What is traced at a NIC from now on, None where no file of it grows on this machine."""
    try:
        paths = {one.point: one.path for one in lab.traces() if not one.note}
    except MachineError:
        return None
    path = paths.get(point)
    return Trace.from_now(point, path) if path else None


def run(
    send: Callable[[], Result], trace: Trace, token: str, count: int, interrupt: Callable[[], object]
) -> Result:
    """What `send` returns: interrupted when `count` packets with the token have been traced and no answer came at once.
    Otherwise it ends by itself."""
    mark, seen = bytes.fromhex(token), set[bytes]()
    with ThreadPoolExecutor(max_workers=1) as pool:
        sending = pool.submit(send)
        try:
            while not sending.done() and len(seen) < count:
                seen |= {_sent_at(frame, mark) for _, frame in trace.read() if mark in frame}
                time.sleep(_LOOK)
            if len(seen) >= count:
                time.sleep(_ANSWERED)
        finally:  # by Ctrl-C too
            if not sending.done():
                interrupt()
        return sending.result()


def _sent_at(frame: bytes, mark: bytes) -> bytes:
    """The time that ping writes before the token: the same wherever a packet is seen, once or several times."""
    begin = frame.index(mark)
    return frame[max(0, begin - _TIME) : begin]
