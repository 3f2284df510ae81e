"""What a run observed beside its captures, if it is a run of the lab as it is now."""

from __future__ import annotations

from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.evidence.observations import Observations, read_observations
from srv6lab.plan.nodes import Plan


def observed_run(plan: Plan, exercise: str, folder: Path) -> Observations:
    """What the run observed; UsageError if it was another's, or of a lab that was another then."""
    observed, path = read_observations(folder)
    if path:
        refuse_others(plan, exercise, observed, str(folder), path)
    return observed


def refuse_others(plan: Plan, exercise: str, observed: Observations, folder: str, path: str) -> None:
    """UsageError if what a run observed, in a folder and a file there, is another's, or of a lab that was another then."""
    ran = observed.lab, observed.exercise
    if ran != (plan.name, exercise):
        what = f"{folder} holds a run of exercise {ran[1]} of lab {ran[0]}, not of {exercise} of {plan.name}"
        raise UsageError(what, f"lab={ran[0]} --exercise {ran[1]}")
    nodes = {node.name for node in plan.nodes}
    services = {service.name for node in plan.nodes for service in node.services}
    gone = [f"node {name}" for name in sorted(observed.nodes() - nodes)]
    gone += [f"service {name}" for name in sorted(observed.services() - services)]
    if gone:
        what = f"{path} names {', '.join(gone)}, and lab {plan.name} has no such thing now"
        raise UsageError(what, "run the exercise again, or grade it by the topology that it ran with")
