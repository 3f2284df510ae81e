"""Times `invoke up` of a lab that is up after one line of its file was changed, against destroying it and bringing it up
again, in one run, the two alternating.

    .venv/bin/python benchmarks/apply.py lab=NAME [--rounds N] [--out FILE]

Each is timed from the start of its interpreter. What a command takes that reads the same file and does nothing
(`invoke validate`) and the shortest one (`invoke --version`) stand beside it, so that what is above either can be told.
It needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from srv6lab.cli.labs import LabsFolder

REPO = Path(__file__).resolve().parents[1]
INVOKE = REPO / ".venv/bin/invoke"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
INSTANCE = "benchmark-apply"


def invoke(*words: str) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    done = subprocess.run([INVOKE, *words], cwd=REPO, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"invoke {' '.join(words)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab", help="lab=NAME, one whose first node with routes has a static one")
    parser.add_argument(
        "--rounds", type=int, default=9, help="that count, behind one to warm up (default: 9)"
    )
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    source = LabsFolder(REPO).refer(asked.lab.removeprefix("lab=")).path
    with tempfile.TemporaryDirectory() as folder:
        file = Path(shutil.copytree(source.parent, Path(folder) / source.parent.name)) / source.name
        figures = measured(file, asked.rounds)
    found = {"lab": source.parent.name, "kernel": platform.release(), "cpus": os.cpu_count(), **figures}
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measured(file: Path, rounds: int) -> dict[str, object]:
    lab, under = f"lab={file}", ("--instance", INSTANCE)
    metrics = iter(range(100, 1_000_000))

    def change() -> float:
        edit(file, next(metrics))
        return invoke("up", lab, *under)

    def anew() -> float:
        return invoke("destroy", lab, *under) + invoke("up", lab, *under)

    contenders: dict[str, Callable[[], float]] = {
        "up after an edit": change,
        "destroy and up": anew,
        "validate": lambda: invoke("validate", lab),
        "--version": lambda: invoke("--version"),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    invoke("up", lab, *under)
    try:
        for number in range(rounds + 1):
            for name, take in contenders.items():
                took = take()
                times[name] += [took] if number else []
    finally:
        invoke("destroy", lab, *under, "--purge")
    ratios = [
        one / other for one, other in zip(times["up after an edit"], times["destroy and up"], strict=True)
    ]
    for name, taken in times.items():
        print(f"{name:18} {spread(taken)} s")
    print(f"{'ratio':18} {spread(ratios)}")
    for name in ("validate", "--version"):
        above = [one - other for one, other in zip(times["up after an edit"], times[name], strict=True)]
        print(f"above {name:12} {spread(above)} s")
    return {"rounds": rounds, "seconds": times, "ratios": ratios}


def edit(file: Path, metric: int) -> None:
    """Another metric of the file's first route: one line of it."""
    data = yaml.safe_load(file.read_text("utf-8"))
    route = next(one for node in data["nodes"].values() for one in node.get("routes", ()))
    route["metric"] = metric
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):6.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
