"""Times `invoke render` against `netlab create` on routers in a row: 7, 100 and 1,000 of them, in one run.

    .venv/bin/python benchmarks/render.py [--rounds N] [--sizes N,N] [--format text|json] [--out FILE]

Each is timed as a user waits for it: from the start of its interpreter until all files are written. netlab
is installed from PyPI into a virtualenv of its own, which is kept. No machine, no root and no network is used.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chain import netlab_topology, topology

REPO = Path(__file__).resolve().parents[1]
NETLAB = "26.10"
SIZES = (7, 100, 1000)
LIMIT = 600.0
PATIENCE = 150.0  # seconds in all that a contender gets for one size before it is asked no more
TARGET_RATIO, TARGET_RATIO_AT = 0.1, 100
TARGET_SECONDS, TARGET_SECONDS_AT = 5.0, 1000

# As on a machine of a learner: bytecode is kept, so that a second start of Python reads it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Contender:
    """`run` renders a topology of so many nodes in an empty folder."""

    name: str
    run: Callable[[Path, int], None]


class TooLong(Exception):
    """A contender has reached the limit."""


def call(command: Sequence[str | Path], folder: Path, limit: float = LIMIT) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        raise TooLong from None
    if done.returncode:
        words = " ".join(map(str, command))
        raise SystemExit(f"{words} exited {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def ours(*options: str) -> Callable[[Path, int], None]:
    """`invoke render` of the virtualenv that this runs in."""
    invoke = Path(sys.executable).with_name("invoke")

    def run(folder: Path, _: int) -> None:
        lab = f"lab={folder / 'topology.yml'}"
        call([invoke, "render", lab, "--out", str(folder / "out"), *options], REPO)

    return run


def netlab(program: Path, limit: float) -> Callable[[Path, int], None]:
    def run(folder: Path, size: int) -> None:
        own = folder / "netlab"
        own.mkdir()
        (own / "topology.yml").write_text(netlab_topology(size))
        start = time.perf_counter()
        call([program, "create"], own, limit)
        assert (own / "clab.yml").exists(), f"netlab wrote no clab.yml in {time.perf_counter() - start:.1f} s"

    return run


def install_netlab(folder: Path) -> Path:
    """netlab's program, with netlab in a virtualenv in `folder` that outlives this run."""
    program = folder / "bin" / "netlab"
    if not program.exists():
        print(f"benchmark: installing networklab {NETLAB} into {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, f"networklab=={NETLAB}"], check=True, stdout=sys.stderr)
    return program


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srv6lab" / f"netlab-{NETLAB}"


def once(contender: Contender, size: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topology.yml").write_text(topology(size))
        start = time.perf_counter()
        contender.run(folder, size)
        return time.perf_counter() - start


def measure(contenders: Sequence[Contender], size: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender by round, in turned order. Who took very long isn't asked again; who has
    reached the limit has no figure."""
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    out: set[str] = set()
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in [*contenders[turn:], *contenders[:turn]]:
            if contender.name in out:
                continue
            try:
                times[contender.name].append(once(contender, size))
            except TooLong:
                out.add(contender.name)
            if sum(times[contender.name]) > PATIENCE:
                out.add(contender.name)
        print(f"benchmark: {size} nodes, round {number + 1} of {rounds} done", file=sys.stderr)
    return times


def figures(times: Sequence[float]) -> dict[str, float]:
    return {
        "rounds": len(times),
        "median": statistics.median(times),
        "min": min(times),
        "max": max(times),
    }


def exponents(medians: dict[int, float]) -> dict[str, float]:
    """Of size, between the two largest: the whole time, and what is above the time of the smallest, in
    which the start of the interpreter is nearly all. 1 is linear."""
    start, low, high = sorted(medians)[0], *sorted(medians)[-2:]
    growth = {"whole": math.log(medians[high] / medians[low]) / math.log(high / low)}
    if start != low:
        above = [medians[size] - medians[start] for size in (low, high)]
        if min(above) > 0:  # else noise is larger than the difference
            by = math.log((high - start) / (low - start))
            growth["above the start"] = math.log(above[1] / above[0]) / by
    return growth


def summary(times: dict[int, dict[str, list[float]]], contenders: Sequence[Contender]) -> dict[str, Any]:
    theirs = contenders[-1].name
    sizes: dict[str, Any] = {}
    for size, each in times.items():
        seconds = {name: figures(taken) for name, taken in each.items() if taken}
        reference = seconds.get(theirs)
        ratios = {
            name: found["median"] / reference["median"]
            for name, found in seconds.items()
            if reference and name != theirs
        }
        sizes[str(size)] = {"seconds": seconds, "ratios": ratios}
    medians = {
        one.name: {size: statistics.median(each[one.name]) for size, each in times.items() if each[one.name]}
        for one in contenders
    }
    growth = {name: exponents(found) for name, found in medians.items() if len(found) > 1}
    return {"sizes": sizes, "exponents": growth, "targets": targets(sizes, contenders[:-1])}


def targets(sizes: dict[str, Any], contenders: Sequence[Contender]) -> dict[str, bool]:
    met = {}
    for name in (contender.name for contender in contenders):
        if ratio := sizes.get(str(TARGET_RATIO_AT), {}).get("ratios", {}).get(name):
            what = f"{name}: at most {TARGET_RATIO} of netlab's time at {TARGET_RATIO_AT} nodes"
            met[what] = ratio <= TARGET_RATIO
        if seconds := sizes.get(str(TARGET_SECONDS_AT), {}).get("seconds", {}).get(name):
            what = f"{name}: {TARGET_SECONDS_AT} nodes in less than {TARGET_SECONDS:g} s"
            met[what] = seconds["median"] < TARGET_SECONDS
    return met


def table(result: dict[str, Any], limit: float) -> str:
    lines = ["kernel {kernel}, {cores} cores, Python {python}, netlab {netlab}".format(**result["machine"])]
    names = list(result["times"][next(iter(result["times"]))])
    for size, found in result["sizes"].items():
        lines += ["", f"{size + ' nodes':34}{'median s':>10}{'min–max s':>18}{'rounds':>8}   of netlab's"]
        for name in names:
            one = found["seconds"].get(name)
            if one is None:
                lines.append(f"{name:34}   stopped after {limit:g} s")
                continue
            spread, ratio = f"{one['min']:.3f}–{one['max']:.3f}", found["ratios"].get(name)
            shown = f"{ratio:.3f}" if ratio else ""
            lines.append(f"{name:34}{one['median']:10.3f}{spread:>18}{one['rounds']:8}   {shown}")
    lines.append("")
    for name, growth in result["exponents"].items():
        shown = ", ".join(f"{what} {exponent:.2f}" for what, exponent in growth.items())
        lines.append(f"growth of {name}: exponent {shown}")
    lines += [f"{'met' if met else 'MISSED'}: {what}" for what, met in result["targets"].items()]
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    return {
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "netlab": NETLAB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="of each size (default: 7)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of nodes")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that netlab gets at most")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what goes to stdout")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    parser.add_argument("--netlab", type=Path, help="a netlab program that is installed already")
    options = parser.parse_args()

    program = options.netlab or install_netlab(cache())
    contenders = [
        Contender("invoke render", ours()),
        Contender("invoke render --target containerlab", ours("--target", "containerlab")),
        Contender("netlab create", netlab(program.resolve(), options.limit)),
    ]
    for contender in contenders:
        once(contender, min(SIZES))  # to warm up: caches of the disk, bytecode
    sizes = [int(size) for size in options.sizes.split(",")]
    times = {size: measure(contenders, size, options.rounds) for size in sizes}
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **summary(times, contenders),
        "times": {str(size): each for size, each in times.items()},
    }
    text = json.dumps(result, indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.format == "json" else table(result, options.limit))
    if not all(result["targets"].values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
