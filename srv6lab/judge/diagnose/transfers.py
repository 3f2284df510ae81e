"""Why a transfer doesn't come whole though its connection does: what is large is lost where what is small passes."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.prediction import Hop, Prediction, TooBig
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.everyday import packet_about
from srv6lab.judge.diagnose.first_break import Divergence
from srv6lab.judge.diagnose.suspects import suspects_of, unknown
from srv6lab.plan.nodes import Plan


def stalled(plan: Plan, prediction: Prediction, found: Found) -> Iterator[Suspect]:
    """The NIC that the model says is too small; else what happens where no data is seen any more."""
    for trace in prediction.largest:
        if trace.end.too_big:
            yield _mtu(trace.end.too_big, trace.hops[-1])
            continue
        before = None
        for hop in trace.hops:
            if not _has_data(found, hop):
                yield from _between(plan, Divergence(trace, (hop,), before))
                break
            before = hop


def _has_data(found: Found, hop: Hop) -> bool:
    spot = hop.point, hop.direction
    return any((one.point, one.direction) == spot and one.packet.payload for one in found.hops)


def _between(plan: Plan, broken: Divergence) -> Iterator[Suspect]:
    """Of data that a node doesn't send at all its other end refuses the connection."""
    hop, ends = broken.region[-1], {nic.point: nic for nic in plan.traced()}
    if broken.before is None:
        taker = broken.trace.hops[-1]
        yield suspect("firewall", taker.point.place, **packet_about(taker, None))
        yield unknown(broken)
        return
    for point in (hop.point, broken.before.point):
        yield _mtu(TooBig(point, hop.packet.ip_length, ends[point].mtu), hop)
    yield from suspects_of(plan, broken)
    yield unknown(broken)


def _mtu(big: TooBig, hop: Hop) -> Suspect:
    """The MTU counts for what leaves by a NIC, and on a veth for what comes in, too."""
    version = hop.packet.outer.destination.version
    return suspect("mtu", big.point.place, nic=big.point.nic, bytes=big.bytes, version=version)
