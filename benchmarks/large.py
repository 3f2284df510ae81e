"""Times `invoke validate`, `invoke render` and `invoke predict` on a short file against the long one that says the same.

    .venv/bin/python benchmarks/large.py [--rounds N] [--sizes N,N] [--format text|json] [--out FILE]

The lab is a ring of routers with an exercise, its links' addresses from a pool in the short file; the long one is what
`invoke validate --expanded` prints. Seconds are those of a processor, user and system, of the whole command: on a machine
that does other work the clock says nothing about the program. No machine, no root and no network is used.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from predict import ENVIRONMENT, REPO, of_command

SIZES = (100, 1000)
TARGET_RATIO, TARGET_SECONDS, TARGET_AT = 1.5, 5.0, 1000
COMMANDS = {
    "validate": ("validate",),
    "render": ("render", "--out", "out"),
    "predict": ("predict",),
}


def short_file(size: int) -> str:
    """A ring of so many routers: its ways lead to the neighbor alone, and a probe goes there."""
    return f"""\
name: ring
vars: {{size: {size}}}
pools: {{links: "2001:db8::/32"}}
groups: {{all: {{members: ["r[1-{{size}}]"], role: router, locator: "fc00:{{n}}::/64", loopback: "fc00:{{n}}::1/64"}}}}
nodes: {{"r[1-{{size}}]": }}
links:
  - r[1-{size - 1}] - r[2-{{size}}]
  - r{{size}} - r1
local_sids:
  - {{node: "r[1-{{size}}]", sid: "fc00:{{n}}::e", behavior: End}}
exercises:
  - name: near
    probes: [{{id: ping, from: r1, to: r2, icmp: 1}}]
    expect: {{elsewhere: any, packets: [{{at: "r2:eth1", direction: in, probe: ping}}]}}
"""


def invoke(folder: Path, *words: str) -> list[str]:
    """The command on the lab in a folder."""
    options = [str(folder / word) if word == "out" else word for word in words[1:]]
    return [
        str(Path(sys.executable).with_name("invoke")),
        words[0],
        f"lab={folder / 'topology.yml'}",
        *options,
    ]


def measure(size: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by command and file, one round after the other, in turned order; the first warms up."""
    taken: dict[str, dict[str, list[float]]] = {name: {"short": [], "long": []} for name in COMMANDS}
    with tempfile.TemporaryDirectory() as name:
        folders = {kind: Path(name) / kind for kind in ("short", "long")}
        for folder in folders.values():
            folder.mkdir()
        (folders["short"] / "topology.yml").write_text(short_file(size), encoding="utf-8")
        with (folders["long"] / "topology.yml").open("w", encoding="utf-8") as file:
            expanded = invoke(folders["short"], "validate", "--expanded")
            subprocess.run(expanded, cwd=REPO, env=ENVIRONMENT, stdout=file, check=True)
        for number in range(rounds + 1):
            for command, words in COMMANDS.items():
                for kind in ("short", "long") if number % 2 else ("long", "short"):
                    seconds, _ = of_command(*invoke(folders[kind], *words))
                    if number:
                        taken[command][kind].append(seconds)
            print(f"benchmark: {size} nodes, round {number} of {rounds} done", file=sys.stderr)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    options = parser.parse_args()

    sizes: dict[str, Any] = {}
    missed = []
    for size in map(int, options.sizes.split(",")):
        taken = measure(size, options.rounds)
        medians = {
            command: {kind: statistics.median(seconds) for kind, seconds in files.items()}
            for command, files in taken.items()
        }
        ratios = {
            command: statistics.median(map(float.__truediv__, files["short"], files["long"]))
            for command, files in taken.items()
        }
        sizes[str(size)] = {"seconds": medians, "ratios": ratios}
        missed += [
            f"{command}, {size}: {one:.2f} of the long file's"
            for command, one in ratios.items()
            if one > TARGET_RATIO
        ]
        if size == TARGET_AT and (seconds := medians["render"]["short"]) > TARGET_SECONDS:
            missed.append(f"render of {size} nodes: {seconds:.1f} s")
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"kernel": platform.release(), "python": platform.python_version()},
        "sizes": sizes,
        "missed": missed,
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    if options.format == "json":
        print(json.dumps(result, indent=2))
    else:
        for size_, found in sizes.items():
            for command, seconds_ in found["seconds"].items():
                ratio = found["ratios"][command]
                print(
                    f"{size_:>6} {command:9} {seconds_['short']:6.2f} s, long {seconds_['long']:6.2f} s, ratio {ratio:.2f}"
                )
        for one in missed:
            print(f"MISSED: {one}")
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
