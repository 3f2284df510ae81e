"""What `invoke watch` costs while nothing happens: seconds of processor in a minute, with all that it starts.

    .venv/bin/python benchmarks/watch.py lab=NAME --out benchmarks/watch.json

Brings a lab up under a name of its own, watches it on a terminal and as ndjson, and takes it away. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
INVOKE = [sys.executable, "-m", "invoke"]
INSTANCE = f"bench-watch-{os.getpid()}"
TICKS = os.sysconf("SC_CLK_TCK")
TARGET = 5.0  # percent of a core


def spent(pid: int) -> float:
    """Seconds of processor of a process, of its threads, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def watched(lab: str, words: list[str], warm: float, seconds: float) -> float:
    """Percent of a core that watching takes, when it has seen all at first."""
    ours, theirs = pty.openpty()
    command = [*INVOKE, "watch", lab, "--instance", INSTANCE, *words]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    threading.Thread(target=swallow, args=[ours], daemon=True).start()
    try:
        time.sleep(warm)
        before, began = spent(process.pid), time.monotonic()
        time.sleep(seconds)
        return 100 * (spent(process.pid) - before) / (time.monotonic() - began)
    finally:
        process.terminate()
        process.wait()


def swallow(descriptor: int) -> None:
    """Read all that is said: a terminal that nobody reads would stop who writes."""
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab", help="lab=NAME")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is measured (60)")
    parser.add_argument("--warm", type=float, default=15.0, help="and how long it was watched before (15)")
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    subprocess.run([*INVOKE, "up", options.lab, "--instance", INSTANCE], cwd=REPOSITORY, check=True)
    try:
        forms = {"screen": [], "ndjson": ["--format", "ndjson"]}
        found = {
            name: watched(options.lab, words, options.warm, options.seconds) for name, words in forms.items()
        }
    finally:
        subprocess.run([*INVOKE, "destroy", options.lab, "--instance", INSTANCE, "--purge"], cwd=REPOSITORY)
    for name, percent in found.items():
        print(f"{name:7} {percent:5.2f} % of a core (target: at most {TARGET:g})")
    if options.out:
        options.out.write_text(json.dumps({"lab": options.lab, "percent_of_a_core": found}, indent=1) + "\n")
    return int(any(percent > TARGET for percent in found.values()))


if __name__ == "__main__":
    sys.exit(main())
