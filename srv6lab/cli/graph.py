"""What `invoke graph` does: a lab's picture, with the way of a probe's packet on it if asked."""

from __future__ import annotations

from srv6lab.errors import UsageError
from srv6lab.plan.nodes import Plan
from srv6lab.report import formats
from srv6lab.report.picture.ways import NOWHERE, Way, way
from srv6lab.suggest import or_all

from .tasks import exercise_names


def graph(plan: Plan, form: str, exercise: str, probe: str) -> str:
    """The picture in a format; UsageError for an exercise or a probe that isn't there."""
    show = formats.chosen(formats.PICTURES, form)
    return show(plan, _way(plan, exercise, probe) if exercise or probe else NOWHERE)


def _way(plan: Plan, exercise: str, probe: str) -> Way:
    """That of a probe, the first one that is called so, or the first of an exercise."""
    from srv6lab.predict import predict

    names = exercise_names(plan, [exercise] if exercise else [])
    known = [(name, one.id) for name in names for one in plan.exercise(name)[1].every_probe()]
    asked = [pair for pair in known if probe in ("", pair[1])]
    if not asked:
        raise UsageError(
            f"there is no probe {probe!r}", or_all(probe, list(dict.fromkeys(p for _, p in known)))
        )
    name, chosen = asked[0]
    return way(name, next(one for one in predict(plan, name) if one.probe == chosen))
