"""Times a routed lab from `invoke up` to the first ping between its sites that comes back.

    .venv/bin/python benchmarks/converge.py lab=NAME [--rounds N] [--root] [--format text|json] [--out FILE]

The ping is that of the lab's first exercise. With --root, the root file system with FRR is first built into an
empty cache and timed, and asked for once more. It needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from srv6lab.cli.labs import LabsFolder
from srv6lab.images import frr_root
from srv6lab.plan.nodes import Plan

REPO = Path(__file__).resolve().parents[1]
INVOKE = REPO / ".venv/bin/invoke"
INSTANCE = "benchmark"
TARGETS = {"up": 8.0, "first ping": 8.0, "root built": 120.0}
PATIENCE = 60.0

# As on a machine of a learner: bytecode is kept, so that a second start of Python reads it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def invoke(*words: str, check: bool = True) -> bool:
    done = subprocess.run([str(INVOKE), *words], cwd=REPO, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode and check:
        raise SystemExit(f"invoke {' '.join(words)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def first_ping(plan: Plan) -> list[str]:
    """`invoke exec` of one echo request as the first probe of the first exercise sends it."""
    probe = next(probe for exercise in plan.exercises for probe in exercise.probes)
    ping = ["ping", "-n", "-c", "1", "-W", "1", str(plan.target(probe))]
    return ["exec", plan.name, "--node", probe.source, "--instance", INSTANCE, "--", *ping]


def one_round(lab: str, ping: list[str]) -> dict[str, float]:
    start = time.perf_counter()
    invoke("up", lab, "--instance", INSTANCE)
    up = time.perf_counter() - start
    try:
        while not invoke(*ping, check=False):
            if time.perf_counter() - start > PATIENCE:
                raise SystemExit(f"no ping came back within {PATIENCE:g} s of up")
        return {"up": up, "first ping": time.perf_counter() - start}
    finally:
        invoke("destroy", lab, "--instance", INSTANCE)


def of_root() -> dict[str, float]:
    """The root file system built into an empty cache, and asked for when it is there."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        start = time.perf_counter()
        frr_root.built(lambda line: print(line, file=sys.stderr))
        built = time.perf_counter()
        frr_root.built(print)
        return {"root built": built - start, "root reused": time.perf_counter() - built}


def figures(times: list[float]) -> dict[str, float]:
    return {"median": statistics.median(times), "min": min(times), "max": max(times)}


def table(result: dict[str, Any]) -> str:
    lines = [
        "{lab}, {rounds} rounds; kernel {kernel}, {cores} cores".format(**result, **result["machine"]),
        "",
    ]
    for name, each in result["seconds"].items():
        target = f"   less than {TARGETS[name]:g}" if name in TARGETS else ""
        spread = f"({each['min']:.2f}–{each['max']:.2f})"
        lines.append(f"{name:12}{each['median']:8.2f} s {spread:>16}{target}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", help="lab=NAME, NAME or a path")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--root", action="store_true", help="build the root file system, too")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what goes to stdout")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    options = parser.parse_args()

    lab = options.lab.removeprefix("lab=")
    plan, _ = LabsFolder(REPO).load(LabsFolder(REPO).refer(lab))
    ping = first_ping(plan)
    times: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for name, took in one_round(lab, ping).items():
            times.setdefault(name, []).append(took)
        print(f"benchmark: round {number + 1} of {options.rounds} done", file=sys.stderr)
    if options.root:
        times |= {name: [took] for name, took in of_root().items()}
    seconds = {name: figures(each) for name, each in times.items()}
    missed = [name for name, target in TARGETS.items() if name in seconds and seconds[name]["max"] >= target]
    result = {
        "lab": plan.name,
        "rounds": options.rounds,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"kernel": platform.release(), "cores": os.cpu_count()},
        "seconds": seconds,
        "missed": missed,
    }
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.format == "json" else table(result))
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
