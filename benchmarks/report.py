"""How long `invoke report` takes beside the `invoke check` whose runs it shows, and how large its page is.

    .venv/bin/python benchmarks/report.py lab=NAME --out benchmarks/report.json

Brings a lab up under a name of its own and takes it away. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parent.parent
INVOKE = [str(Path(sys.executable).with_name("invoke"))]
INSTANCE = f"bench-report-{os.getpid()}"
SECONDS, BYTES = 1.5, 1_000_000  # targets, for a lab of some seven nodes and five exercises
STEPS = ("check", "check with a page", "report", "predict")


def timed(*words: str) -> tuple[float, float]:
    """Seconds until a task has ended, and seconds of processor that it took with all that it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*INVOKE, *words], cwd=REPOSITORY, capture_output=True, text=True)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"invoke {' '.join(words)}: {done.stderr}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(lab: str, rounds: int, page: Path) -> dict[str, list[tuple[float, float]]]:
    """Each step once a round; one round to warm up."""
    words = {
        "check": ["check", lab, "--instance", INSTANCE],
        "check with a page": ["check", lab, "--instance", INSTANCE, "--report", str(page)],
        "report": ["report", lab, "--instance", INSTANCE, "--out", str(page)],
        "predict": ["predict", lab],
    }
    found: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}
    for number in range(rounds + 1):
        for step in STEPS:
            figures = timed(*words[step])
            if number:
                found[step].append(figures)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab", help="lab=NAME")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count (9)")
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    page = REPOSITORY / ".srv6lab" / INSTANCE / "runs" / "walk.html"
    subprocess.run([*INVOKE, "up", options.lab, "--instance", INSTANCE], cwd=REPOSITORY, check=True)
    try:
        found = measured(options.lab, options.rounds, page)
        size = page.stat().st_size
    finally:
        subprocess.run([*INVOKE, "destroy", options.lab, "--instance", INSTANCE, "--purge"], cwd=REPOSITORY)
    middle = {step: [median(one) for one in zip(*figures, strict=True)] for step, figures in found.items()}
    for step, (took, processor) in middle.items():
        least, most = min(found[step])[0], max(found[step])[0]
        print(f"{step:17} {took:5.2f} s ({least:.2f} to {most:.2f}), {processor:5.2f} s of processor")
    ratio = middle["report"][0] / middle["check"][0]
    more = middle["check with a page"][0] - middle["check"][0]
    print(f"report takes {ratio:.2f} of check, and {more:.2f} s as a part of it (target: {SECONDS} s)")
    print(f"its page has {size:,} bytes (target: {BYTES:,})")
    if options.out:
        figures = {
            "lab": options.lab,
            "load": os.getloadavg()[0],
            "median": middle,
            "all": found,
            "bytes": size,
        }
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return int(more > SECONDS or size > BYTES)


if __name__ == "__main__":
    sys.exit(main())
