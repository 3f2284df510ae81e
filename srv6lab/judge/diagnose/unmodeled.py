"""Where a node isn't modeled the plan proves nothing against it: what it accuses there is dropped, and the node named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.verdict import Item, Status, Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.nodes import Plan
from srv6lab.plan.own import unmodeled

# What is wrong by whatever Day0 and the lab's own commands have left, or by itself.
_EVIDENT = {
    "agent-not-running",
    "daemon-not-running",
    "differs",
    "frozen",
    "service-not-running",
    "service-rules",
    "tracer",
}


def without_unmodeled(
    plan: Plan, suspects: Iterable[Suspect], predicted: Mapping[str, Prediction]
) -> Iterator[Suspect]:
    """The suspects, but those that accuse a node of not being as the model has it, which doesn't know it."""
    unknown = {*unmodeled(plan), *(node for one in predicted.values() for node, _ in _ends(one))}
    return (one for one in suspects if one.node not in unknown or one.cause in _EVIDENT)


def beyond_the_model(items: Sequence[Item], predicted: Mapping[str, Prediction]) -> Iterator[Suspect]:
    """The nodes from which on the model doesn't know the packets of probes of which something is wrong."""
    wrong = {item.probe for item in items if item.status is not Status.PASS}
    for probe, prediction in predicted.items():
        if not wrong.isdisjoint({probe, ""}):  # what is of no probe may be of any
            yield from (suspect("not-modeled", node, why=why) for node, why in _ends(prediction))


def _ends(prediction: Prediction) -> Iterator[tuple[str, str]]:
    ends = (trace.end for trace in prediction.linux)
    return ((end.place.node, end.reason) for end in ends if not end.known)
