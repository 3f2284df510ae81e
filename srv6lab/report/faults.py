"""Planted faults, what was answered, and campaigns: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from srv6lab.called import CALLED
from srv6lab.plan.nodes import Plan
from srv6lab.report.table import aligned
from srv6lab.teach.breaking import Broken
from srv6lab.teach.campaign import Figures, Round
from srv6lab.teach.diagnosis import Judged, Standing
from srv6lab.teach.faults import KINDS, Fault


def broken_text(plan: Plan, broken: Broken) -> str:
    """What a user would report, how many faults there are, and how to go on; not what they are."""
    many = "a fault is" if len(broken.faults) == 1 else f"{len(broken.faults)} faults are"
    lines = [f"{plan.name} is broken: {many} in it (level {broken.level}, seed {broken.seed})", ""]
    lines += [f"  users report of {broken.exercise}: {one}" for one in broken.symptoms]
    lines += [
        "",
        f"{CALLED} check {plan.running} shows what is wrong, and tells no cause",
        f"{CALLED} answer {plan.running} --node NODE --cause CAUSE judges what you have found; --cause list says what there is",
        f"{CALLED} answer {plan.running} --node NODE --mend 'COMMANDS' mends it, and checks",
        f"{CALLED} solve {plan.running} --seed {broken.seed} shows the truth, and costs all points",
    ]
    return "\n".join(lines) + "\n"


def causes_text(causes: Mapping[str, str]) -> str:
    """All causes that there are, each with its words."""
    return "\n".join(aligned([("CAUSE", "WHAT IT IS"), *causes.items()])) + "\n"


def judged_text(judged: Judged, standing: Standing) -> str:
    """What came of an answer, and how it stands."""
    left = standing.count - standing.found
    if judged.fault:
        again = ", which you have found before" if judged.again else ""
        more = f"; {left} more to find" if left else ""
        said = f"right: place and cause of fault {judged.fault}{again}{more}"
    elif judged.place and judged.cause:
        said = "not quite: the place is right of one fault, and the cause is another one's"
    elif judged.place:
        said = "half right: it is there, but that isn't the cause"
    elif judged.cause:
        said = "half right: that is the cause, but it isn't there"
    else:
        said = "wrong: it is neither there, nor is that the cause"
    return f"{said}\n"


def standing_text(plan: Plan, standing: Standing) -> str:
    """The score so far, with its reasons."""
    parts = [f"{standing.found} of {standing.count} named", "mended" if standing.mended else "not mended yet"]
    parts += [f"wrong {standing.tries} times"] if standing.tries else []
    parts += [f"{standing.looks} looks at the causes"] if standing.looks else []
    parts += ["the solution was shown"] if standing.solved else []
    lines = [f"score: {standing.percent}% ({', '.join(parts)})"]
    if standing.found == standing.count and standing.mended:
        lines.append(f"all is found and mended: {CALLED} finish {plan.running}")
    return "\n".join(lines) + "\n"


def truth_text(faults: Sequence[Fault]) -> str:
    """What was planted, what mends it command by command, and what there is to learn from it."""
    lines = []
    for number, fault in enumerate(faults, 1):
        kind = KINDS[fault.kind]
        lines += [f"fault {number}: {fault.truth}", f"  {kind.learns}", f"  to mend it, {kind.mends}:"]
        lines += [f"    {node}# {command}" for node, command in fault.mend]
        lines.append(f"  answer: --node {fault.node} --cause {' or '.join(fault.causes)}")
    return "\n".join(lines) + "\n"


def campaign_text(rounds: Sequence[Round]) -> str:
    """A line a round, and the figures."""
    rows: list[tuple[str, ...]] = [
        ("SEED", "LEVEL", "EXERCISE", "FAULTS", "CHECK", "NAMED", "MENDED", "SECONDS")
    ]
    rows += [_row(one) for one in rounds]
    return "\n".join([*aligned(rows), "", str(Figures.of([*rounds]))]) + "\n"


def _row(one: Round) -> tuple[str, ...]:
    check, first = "red" if one.red else "not red", "first" if one.first else "not first"
    mended = f"left: {one.left}" if one.left else "yes" if one.mended else "no"
    if not one.faults:
        return (
            str(one.seed),
            str(one.level),
            "-",
            one.note.splitlines()[0],
            "-",
            "-",
            "-",
            f"{one.seconds:.1f}",
        )
    faults = ", ".join(one.faults)
    return (str(one.seed), str(one.level), one.exercise, faults, check, first, mended, f"{one.seconds:.1f}")


def campaign_json(rounds: Sequence[Round]) -> str:
    said = {"schema": 1, "figures": asdict(Figures.of([*rounds])), "rounds": [asdict(one) for one in rounds]}
    return json.dumps(said, indent=2) + "\n"
