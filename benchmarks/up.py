"""Times a warm `invoke up` against Mininet building the same lab, in one run, the two alternating.

    .venv/bin/python benchmarks/up.py lab=NAME [--rounds N] [--format text|json] [--out FILE]

Each round starts every contender once, in turned order, and times it from the start of its interpreter until
the lab is ready; what takes the lab down again isn't in the figure. It needs root, and Mininet (Debian's
package of that name) for the Python given by --mininet-python.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from srv6lab.cli.labs import LabsFolder
from srv6lab.plan.nodes import Plan

REPO = Path(__file__).resolve().parents[1]
INVOKE = REPO / ".venv/bin/invoke"
INSTANCE = "benchmark"

# As on a machine of a learner: bytecode is kept, so that a second start of Python reads it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Contender:
    """Who builds the lab; `build` returns seconds until ready, the lab being gone again."""

    name: str
    build: Callable[[], float]


def invoke(task: str, lab: str) -> None:
    command = [str(INVOKE), task, f"lab={lab}", "--instance", INSTANCE]
    done = subprocess.run(command, cwd=REPO, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"invoke {task} exited {done.returncode}:\n{done.stdout}{done.stderr}")


def invoke_up(lab: str) -> float:
    start = time.perf_counter()
    invoke("up", lab)
    took = time.perf_counter() - start
    invoke("destroy", lab)
    return took


# Day0 scripts write where they like, start daemons and name namespaces, for a node is a machine of its own. Mininet's
# nodes are not, so all of Mininet gets one such machine. Making it isn't timed: it says "begin" when it stands.
MACHINE = """
top=$(mktemp -d) && mount -t tmpfs tmpfs "$top" && cd "$top" && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
for folder in dev sys tmp; do mount --rbind /$folder root/$folder; done
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/run
mkdir -p root/usr/local/lib/srconf root/old
mount --bind "$1" root/usr/local/lib/srconf
shift
cd root && pivot_root . old && umount -l old
echo begin
exec "$@"
"""


def mininet_up(python: str, spec: Path, *captures: Path) -> float:
    command = [python, str(REPO / "benchmarks/mininet_lab.py"), *map(str, (spec, *captures))]
    namespaces = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]
    shell = [*namespaces, "sh", "-euc", MACHINE, "sh", str(REPO / "srv6lab/srconf"), *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        shell, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as lab:
        assert lab.stdin and lab.stdout
        said = lab.stdout.readline()
        start = time.perf_counter()
        if said == "begin\n":
            said = lab.stdout.readline()
        took = time.perf_counter() - start
        rest = lab.communicate("\n")[0]
    if said != "ready\n" or lab.returncode:
        raise SystemExit(f"Mininet exited {lab.returncode}:\n{said}{rest}")
    return took


def specification(plan: Plan, scripts: Path) -> dict[str, Any]:
    """What Mininet is to build: the plan's nodes and links with their MACs, and the rendered Day0 scripts."""
    ends = {nic.point: {"node": nic.point.node, "nic": nic.name, "mac": nic.mac} for nic in plan.nics()}
    pairs = {frozenset((nic.point, nic.peer)): (ends[nic.point], ends[nic.peer]) for nic in plan.nics()}
    nodes = [machine.name for machine in plan.nodes]
    return {
        "nodes": nodes,
        "links": list(pairs.values()),
        "scripts": {name: str(scripts / f"{name}.sh") for name in nodes},
        "tracers": [
            {"node": nic.point.node, "netns": nic.point.netns, "nic": nic.name} for nic in plan.traced()
        ],
        "probe": probe(plan),
    }


def probe(plan: Plan) -> dict[str, str]:
    """The two hosts at the ends of the lab, to prove that what Mininet built works."""
    hosts = [machine for machine in plan.nodes if machine.role == "host"]
    if len(hosts) < 2:
        return {}
    return {"from": hosts[0].name, "to": str(hosts[-1].nics[0].address.ip)}


def figures(times: list[float]) -> dict[str, float]:
    return {"median": statistics.median(times), "min": min(times), "max": max(times)}


def ratios(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Of the medians; and of the rounds, least and most."""
    rounds = [one / other for one, other in zip(ours, theirs, strict=True)]
    ratio = statistics.median(ours) / statistics.median(theirs)
    return {"median": ratio, "min": min(rounds), "max": max(rounds)}


def measure(contenders: list[Contender], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(-1, rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            took = contender.build()
            if number >= 0:
                times[contender.name].append(took)
        what = f"round {number + 1} of {rounds}" if number >= 0 else "warm-up"
        print(f"benchmark: {what} done", file=sys.stderr)
    return times


def table(result: dict[str, Any]) -> str:
    first = next(iter(result["seconds"]))
    lab = "{lab}: {nodes} nodes, {links} links, {tracers} tracers, {rounds} rounds".format(**result)
    lines = [
        lab + "; kernel {kernel}, {cores} cores, Python {python}".format(**result["machine"]),
        "",
        f"{'':34}{'median s':>9}{'min–max s':>16}   {first} takes",
    ]
    for name, each in result["seconds"].items():
        ratio = result["ratios"].get(name)
        shown = f"{ratio['median']:.2f} of it ({ratio['min']:.2f}–{ratio['max']:.2f})" if ratio else ""
        spread = f"{each['min']:.3f}–{each['max']:.3f}"
        lines.append(f"{name:34}{each['median']:9.3f}{spread:>16}   {shown}")
    return "\n".join(lines)


def report(plan: Plan, rounds: int, tracers: int, times: dict[str, list[float]]) -> dict[str, Any]:
    ours, *others = times
    return {
        "lab": plan.name,
        "nodes": len(plan.nodes),
        "links": len(list(plan.nics())) // 2,
        "tracers": tracers,
        "rounds": rounds,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "kernel": platform.release(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seconds": {name: figures(each) for name, each in times.items()},
        "ratios": {name: ratios(times[ours], times[name]) for name in others},
        "times": times,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", help="lab=NAME, NAME or a path")
    parser.add_argument("--rounds", type=int, default=12, help="after one for warming up (default: 12)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what goes to stdout")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    parser.add_argument("--mininet-python", default="/usr/bin/python3", help="the Python that has Mininet")
    options = parser.parse_args()

    reference = LabsFolder(REPO).refer(options.lab.removeprefix("lab="))
    plan, _ = LabsFolder(REPO).load(reference)
    lab = options.lab.removeprefix("lab=")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        invoke("up", lab)
        home = REPO / ".srv6lab" / INSTANCE
        shutil.copytree(home / "day0", folder / "day0")
        invoke("destroy", lab)
        spec, captures = folder / "lab.json", folder / "captures"
        spec.write_text(json.dumps(specification(plan, folder / "day0")))
        captures.mkdir()
        python = options.mininet_python
        tracers = len(list(plan.traced()))
        contenders = [
            Contender("invoke up (tracers live)", lambda: invoke_up(lab)),
            Contender("Mininet", lambda: mininet_up(python, spec)),
            Contender("Mininet, tracers live", lambda: mininet_up(python, spec, captures)),
        ]
        result = report(plan, options.rounds, tracers, measure(contenders, options.rounds))

    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.format == "json" else table(result))


if __name__ == "__main__":
    main()
