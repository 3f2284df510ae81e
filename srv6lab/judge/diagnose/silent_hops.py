"""Why nobody answers a packet that is out of hops: its router doesn't tell, or what it tells is lost on its way."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.packets import Direction
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.first_break import Divergence
from srv6lab.judge.diagnose.suspects import suspects_of, unknown
from srv6lab.plan.nodes import Plan


def silent(plan: Plan, prediction: Prediction, found: Found) -> Iterator[Suspect]:
    """Of one packet of a traceroute: where the error about it, of which the model says that it comes back, isn't seen."""
    seen = {(hop.point, hop.direction) for hop in found.errors}
    for trace in prediction.told if any(one.number for one in prediction.told) else ():
        before = None
        for hop in trace.hops if trace.end.delivered else ():
            if (hop.point, hop.direction) not in seen:
                broken = Divergence(trace, (hop,), before)
                if before is None and hop.direction is Direction.OUT:
                    yield suspect("errors-limited", hop.point.place)
                yield from suspects_of(plan, broken)
                yield unknown(broken)
                break
            before = hop
