"""Times `invoke predict` on a lab, and walks of many probes through a tree of many routers.

    .venv/bin/python benchmarks/predict.py lab=NAME [--exercise NAME] [--rounds N] [--size N] [--out FILE]

Seconds are those of a processor, user and system, and of the clock in brackets: a machine that does other work
makes the clock run ahead. No machine, no root and no network is used.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tree import topology

from srv6lab.cli.labs import LabsFolder
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.predict import predict
from srv6lab.topology.load import loads

REPO = Path(__file__).resolve().parents[1]
SEGMENTS = 3
TARGET_WALK, TARGET_MANY = 0.2, 30.0
Seconds = tuple[float, float]  # of a processor, of the clock

# As on a machine of a learner: bytecode is kept, so that a second start of Python reads it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def of_command(*command: str) -> Seconds:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=REPO, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock


def of_call(call: Callable[[], object]) -> Seconds:
    processor, clock = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - processor, time.perf_counter() - clock


def median(taken: Sequence[Seconds]) -> Seconds:
    return statistics.median(one for one, _ in taken), statistics.median(one for _, one in taken)


def of_lab(name: str, exercise: str, rounds: int) -> dict[str, Seconds]:
    """One round to warm up, then medians; every round runs each once."""
    site = LabsFolder(REPO)
    found, _ = site.load(site.refer(name))
    exercise = exercise or found.exercises[-1].name
    invoke = str(Path(sys.executable).with_name("invoke"))
    contenders: dict[str, Callable[[], Seconds]] = {
        "python -c pass": lambda: of_command(sys.executable, "-c", "pass"),
        "invoke --list": lambda: of_command(invoke, "--list"),
        "invoke predict": lambda: of_command(invoke, "predict", f"lab={name}", "--exercise", exercise),
        "the walks alone": lambda: of_call(lambda: predict(found, exercise)),
    }
    taken = [{one: run() for one, run in contenders.items()} for _ in range(rounds + 1)][1:]
    return {one: median([each[one] for each in taken]) for one in contenders}


def of_tree(size: int) -> tuple[Seconds, int]:
    """Walking as many probes as routers, there and back, by the RFCs and by Linux; and how many NICs they cross."""
    lab = loads(topology(size, size, SEGMENTS), "tree.yml")
    found: Plan = plan(lab.topology, lab.source.locate)
    predictions: list[Any] = []
    taken = of_call(lambda: predictions.extend(predict(found, "across")))
    walks = [trace for one in predictions for trace in (*one.rfc, *one.linux)]
    assert len(walks) == 4 * size and all(trace.end.delivered for trace in walks)
    return taken, sum(len(trace.hops) for trace in walks)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", help="lab=NAME")
    parser.add_argument("--exercise", default="", help="default: the lab's last")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--size", type=int, default=1000, help="routers in the tree, and probes (default: 1000)"
    )
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    options = parser.parse_args()

    seconds = of_lab(options.lab.removeprefix("lab="), options.exercise, options.rounds)
    tree, crossed = of_tree(options.size)
    start = seconds["python -c pass"][0]
    listing = seconds["invoke --list"][0]
    targets = {
        f"the walks alone in less than {TARGET_WALK} s": seconds["the walks alone"][0] < TARGET_WALK,
        f"`invoke predict` less than {TARGET_WALK} s beside `invoke --list`": seconds["invoke predict"][0]
        - listing
        < TARGET_WALK,
        f"`invoke predict` less than {TARGET_WALK} s beside `python -c pass`": seconds["invoke predict"][0]
        - start
        < TARGET_WALK,
        f"{options.size} routers, as many probes, in less than {TARGET_MANY:g} s": tree[0] < TARGET_MANY,
    }
    machine = {"kernel": platform.release(), "cores": os.cpu_count(), "python": platform.python_version()}
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "seconds": seconds,
        "tree": {"size": options.size, "seconds": tree, "nics_crossed": crossed},
        "targets": targets,
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    print("kernel {kernel}, {cores} cores, Python {python}".format(**machine))
    for name, (processor, clock) in seconds.items():
        print(f"{name:20}{processor:8.3f} s ({clock:.3f})")
    print(f"{options.size} in a tree{tree[0]:>13.3f} s ({tree[1]:.3f}), {crossed} NICs crossed")
    for what, met in targets.items():
        print(f"{'met' if met else 'MISSED'}: {what}")
    if not all(targets.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
