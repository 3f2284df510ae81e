"""Times `invoke up` and `invoke destroy` of a ring of routers, and Mininet with the same one, in one run, and what memory each takes.

    .venv/bin/python benchmarks/scale.py NODES [--rounds N] [--mininet | --routed] [--out FILE]

It needs root, and for --mininet what up.py needs. Every router has a locator, an End SID and routes to its neighbors; `up` has two
tracers a router, which Mininet hasn't. With --routed each runs FRR and knows of no route but by IS-IS, and an L3VPN crosses the
ring: then `up` ends when all of it has converged, and is followed by `invoke check`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from large import short_file
from routed import routed_file
from up import ENVIRONMENT, INVOKE, MACHINE, REPO, specification

from srv6lab.cli.labs import LabsFolder
from srv6lab.providers.node import cgroups

INSTANCE = "benchmark-scale"
GROUPS = [path for path in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")) if path.is_dir()]
USED = ("memory.usage_in_bytes", "memory.current")


def memory(group: str) -> int:
    """MiB that processes of a control group have, with what the kernel keeps for them; 0 where that isn't counted."""
    files = [folder / group / name for folder in GROUPS for name in USED]
    return next((int(file.read_text()) >> 20 for file in files if file.exists()), 0)


def invoke(*words: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [INVOKE, *words, "--instance", INSTANCE], cwd=REPO, env=ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(
            f"invoke {' '.join(words)} exited {done.returncode}:\n{done.stdout}{done.stderr[-4000:]}"
        )
    return time.perf_counter() - began


def ours(lab: str, checked: bool) -> dict[str, float]:
    try:
        figures = {"up": invoke("up", lab)}
        figures["MiB"] = memory(cgroups.group(str((REPO / ".srv6lab" / INSTANCE).resolve())))
        if checked:
            figures["check"] = invoke("check", lab)
    finally:
        down = invoke("destroy", lab, "--purge")
    return {**figures, "down": down}


def mininet(python: str, spec: Path) -> dict[str, float]:
    """As `mininet_up` of up.py does, and until nothing of it is left; in a control group of its own."""
    group = next(folder for folder in GROUPS if folder.is_dir()) / INSTANCE
    group.mkdir(exist_ok=True)
    command = [python, str(REPO / "benchmarks/mininet_lab.py"), str(spec)]
    namespaces = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]
    shell = [*namespaces, "sh", "-euc", MACHINE, "sh", str(REPO / "srv6lab/srconf"), *command]
    enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', str(group)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*enter, *shell], env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as lab:
        assert lab.stdin and lab.stdout
        said = lab.stdout.readline()
        began = time.perf_counter()
        said = lab.stdout.readline() if said == "begin\n" else said
        up = time.perf_counter() - began
        taken = memory(INSTANCE)
        began = time.perf_counter()
        rest = lab.communicate("\n")[0]
    down = time.perf_counter() - began
    group.rmdir()
    if said != "ready\n" or lab.returncode:
        raise SystemExit(f"Mininet exited {lab.returncode}:\n{said}{rest}")
    return {"up": up, "down": down, "MiB": taken}


def shown(name: str, rounds: Sequence[dict[str, float]]) -> str:
    parts = []
    for what in rounds[0]:
        values = [one[what] for one in rounds]
        parts.append(f"{what} {statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})")
    return f"{name:10} {', '.join(parts)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("nodes", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    beside = parser.add_mutually_exclusive_group()
    beside.add_argument("--mininet", action="store_true")
    beside.add_argument("--routed", action="store_true", help="a ring with IS-IS, BGP and a VPN, by FRR")
    parser.add_argument("--mininet-python", default="/usr/bin/python3")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ring", "topology.yml")
        file.parent.mkdir()
        text = routed_file(asked.nodes) if asked.routed else short_file(asked.nodes)
        file.write_text(text, encoding="utf-8")
        spec = Path(folder, "lab.json")
        if asked.mininet:
            spec.write_text(json.dumps(rendered(file)), encoding="utf-8")
        for number in range(asked.rounds):
            found.setdefault("invoke", []).append(ours(f"lab={file}", asked.routed))
            if asked.mininet:
                found.setdefault("Mininet", []).append(mininet(asked.mininet_python, spec))
            print(f"benchmark: round {number + 1} of {asked.rounds} done", file=sys.stderr)
    for name, rounds in found.items():
        print(shown(name, rounds))
    if asked.out:
        asked.out.write_text(
            json.dumps({"nodes": asked.nodes, "cpus": os.cpu_count(), "rounds": found}, indent=1) + "\n"
        )


def rendered(file: Path) -> dict[str, Any]:
    """What Mininet is to build, with Day0 scripts beside it."""
    folder = file.parent.parent / "rendered"
    subprocess.run(
        [INVOKE, "render", f"lab={file}", "--out", str(folder)],
        cwd=REPO,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    )
    plan, _ = LabsFolder(REPO).load(LabsFolder(REPO).refer(str(file)))
    return specification(plan, folder / "day0")


if __name__ == "__main__":
    main()
