"""Runs the long repeats (`pytest -m prove`), part by part, and writes what came out of each to prove/PART.json, naming
the commit. Parts can be run alone: together they take hours.

Part `faults` runs all faults of all labs, and keeps which cause `diagnose` named for each in prove/confusion.txt, and
the table of the fault corpus, which it prints as well, in prove/corpus.txt. Part `campaign` breaks all labs by 200 seeds,
and keeps what came of each in prove/campaign.txt. Part `captures` changes right captures of
all labs, and keeps what was judged of them in prove/mutants.txt.

Part `snort` runs a real Snort, of the trees that $SNORT names, and part `default-box` builds SREXT in virtual machines, from
the clone that $SREXT names. Without these variables the parts are left out of all, and that is said.

It refuses a work tree with changes, whose result would belong to no commit, unless told --allow-dirty: then
the file says so. It decides nothing: every test and its assertions are in tests/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "prove"
# What tests keep where a variable says: which cause was named for which fault, and what came of the fault corpus, of the
# mutated captures and of labs that were broken.
KEPT = {
    "SRV6LAB_CONFUSION": "confusion.txt",
    "SRV6LAB_CORPUS": "corpus.txt",
    "SRV6LAB_MUTANTS": "mutants.txt",
    "SRV6LAB_CAMPAIGN": "campaign.txt",
}
# Which tests, and where, each place a word; what is nowhere is the last part's.
PARTS = {
    "faults": ("confusion", "tests/labs"),
    "captures": ("prove", "tests/test_captures_mutated.py"),
    "labs": ("prove and not confusion", "tests/labs"),
    "tasks": ("", "tests/labs/test_tasks_of_labs.py"),
    "campaign": ("prove", "tests/campaign"),
    "model": ("prove", "tests/srv6"),
    "proxy": ("prove", "tests/srconf"),
    "srext": ("prove", "tests/srext"),
    "userlands": ("prove", "tests/userlands"),
    "machines": ("prove", "tests/providers"),
    "vagrant": ("prove", "tests/vagrant/test_restored.py"),
    "default-box": ("prove", "tests/vagrant/test_like_default.py"),
    "class": ("prove", "tests/classroom"),
    "snort": ("prove", "tests/snort"),
    "packages": ("prove", "tests/packages"),
    "guests": ("", "tests/guests tests/test_fuzz.py"),
    "rest": ("prove", ""),
}
# Parts that need a tree that only a person can name.
NAMED = {"snort": "SNORT", "default-box": "SREXT"}
# Which take more workers than one, as `make test` does: what tests/aside.py names needn't wait for the rest.
WORKERS = {"guests": 3}
RAN_TO_THE_END = (0, 1)  # pytest's exit codes: all passed, some failed


def git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=REPO, check=True, capture_output=True, text=True
    ).stdout.strip()


def changes() -> list[str]:
    """What makes the work tree differ from its commit, but for what a run writes itself."""
    return git("status", "--porcelain", "--", ".", f":!{RESULTS.relative_to(REPO)}").splitlines()


def machine() -> dict[str, Any]:
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
    debian = Path("/etc/debian_version")
    return {
        "system": release.get("PRETTY_NAME", "unknown"),
        "debian": debian.read_text().strip() if debian.exists() else None,
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def outcome(case: ET.Element) -> str:
    for tag in ("failure", "error", "skipped"):
        if case.find(tag) is not None:
            return tag
    return "passed"


def reasons(case: ET.Element) -> str:
    """The first line of why a test didn't pass; of this machine's paths only what is below the repository or the place for
    temporary files."""
    texts = [child.get("message", "") for child in case if child.tag in ("failure", "error", "skipped")]
    said = "".join(texts).partition("\n")[0]
    return said.replace(f"{REPO}/", "").replace(f"{tempfile.gettempdir()}/", "…/")


def tests(junit: Path) -> list[dict[str, Any]]:
    """One entry a test, in the order they ran; properties that a test recorded (its figures) come along."""
    return [
        {
            "test": f"{case.get('classname')}::{case.get('name')}",
            "outcome": outcome(case),
            "seconds": round(float(case.get("time", 0)), 3),
            **({"reason": reasons(case)} if reasons(case) else {}),
            **{str(each.get("name")): each.get("value") for each in case.iterfind("properties/property")},
        }
        for case in ET.parse(junit).iter("testcase")
    ]


def count(results: list[dict[str, Any]]) -> dict[str, int]:
    outcomes = [each["outcome"] for each in results]
    return {name: outcomes.count(name) for name in dict.fromkeys(outcomes)}


def chosen(part: str) -> list[str]:
    """What pytest is told to run."""
    marked, places = PARTS[part]
    others = sorted({f"--ignore={other}" for _, all_of in PARTS.values() for other in all_of.split()})
    spread = ("--dist", "loadscope", "--no-loadscope-reorder")
    workers = ["-n", str(WORKERS[part]), *spread] if part in WORKERS else []
    return [*workers, "-m", marked, *(places.split() or ["tests", *others])]


def prove(part: str, dirty: list[str]) -> int:
    """Run one part and write its result; pytest's exit code, or 2 if there is no result."""
    commit, start = git("rev-parse", "HEAD"), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-v", f"--junitxml={junit}", *chosen(part)]
        environment = os.environ | {variable: f"{folder}/{name}" for variable, name in KEPT.items()}
        code = subprocess.run(command, cwd=REPO, env=environment).returncode
        if code not in RAN_TO_THE_END:
            print(f"prove: {part} did not run to its end, so nothing is written", file=sys.stderr)
            return code
        results = tests(junit)
        kept = {name: path.read_text() for name in KEPT.values() if (path := Path(folder) / name).exists()}
    if git("rev-parse", "HEAD") != commit or changes() != dirty:
        print("prove: the work tree changed meanwhile, so nothing is written", file=sys.stderr)
        return 2
    report = {
        "part": part,
        "commit": commit,
        "changes": dirty,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "seconds": round(time.monotonic() - start, 1),
        "outcomes": count(results),
        "exit": code,
        "tests": results,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{part}.json").write_text(json.dumps(report, indent=2) + "\n")
    for name, text in kept.items():
        print(text, end="")
        (RESULTS / name).write_text(f"commit {commit}\n\n{text}")
    print(f"prove: wrote {RESULTS.name}/{part}.json", file=sys.stderr)
    return code


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--allow-dirty", action="store_true", help="run although the work tree has changes")
    options = parser.parse_args()

    if unknown := [part for part in options.part if part not in PARTS]:
        parser.error(f"no part is called {' or '.join(unknown)}: {', '.join(PARTS)}")
    dirty = changes()
    if dirty and not options.allow_dirty:
        told = "prove: the work tree has changes, so its result would name no commit:"
        mend = "prove: commit them, or try it with: .venv/bin/python scripts/prove.py --allow-dirty"
        print(told, *(f"  {line}" for line in dirty), mend, sep="\n", file=sys.stderr)
        return 2
    parts = options.part or list(PARTS)
    for part, variable in () if options.part else NAMED.items():
        if not os.environ.get(variable):
            parts.remove(part)
            print(f"prove: left out: {variable}=/path make prove part={part}", file=sys.stderr)
    codes = [prove(part, dirty) for part in parts]
    return next((abs(code) for code in codes if code), 0)  # below 0 where a signal ended pytest


if __name__ == "__main__":
    sys.exit(main())
