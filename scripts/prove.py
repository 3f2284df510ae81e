"""Runs the long repeats (`pytest -m prove`) and writes what came out to prove/last.json, naming the commit.

It runs all faults of all labs too, and keeps which cause `diagnose` named for each in prove/confusion.txt.

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
RESULT = REPO / "prove/last.json"
CONFUSION = REPO / "prove/confusion.txt"  # which cause was named for which fault, by a test of the labs
RAN_TO_THE_END = (0, 1)  # pytest's exit codes: all passed, some failed


def git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=REPO, check=True, capture_output=True, text=True
    ).stdout.strip()


def changes() -> list[str]:
    """What makes the work tree differ from its commit, but for what a run writes itself."""
    written = (f":!{path.relative_to(REPO)}" for path in (RESULT, CONFUSION))
    return git("status", "--porcelain", "--", ".", *written).splitlines()


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
    """The first line of why a test didn't pass."""
    texts = [child.get("message", "") for child in case if child.tag in ("failure", "error", "skipped")]
    return "".join(texts).partition("\n")[0]


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--allow-dirty", action="store_true", help="run although the work tree has changes")
    parser.add_argument("pytest", nargs="*", help="handed on to pytest, after --; nothing is written then")
    options = parser.parse_args()

    dirty = changes()
    if dirty and not options.allow_dirty:
        print(
            "prove: the work tree has changes, so its result would name no commit:",
            *dirty,
            sep="\n  ",
            file=sys.stderr,
        )
        print(
            "prove: commit them, or try it with: .venv/bin/python scripts/prove.py --allow-dirty",
            file=sys.stderr,
        )
        return 2

    commit = git("rev-parse", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "prove or confusion",
            "-v",
            f"--junitxml={junit}",
            *options.pytest,
        ]
        start = time.monotonic()
        confusion = Path(folder) / CONFUSION.name
        environment = os.environ | {"SRV6LAB_CONFUSION": str(confusion)}
        code = subprocess.run(command, cwd=REPO, env=environment).returncode
        seconds = time.monotonic() - start
        if code not in RAN_TO_THE_END or options.pytest:
            print("prove: not a whole run, so nothing is written", file=sys.stderr)
            return code
        results, matrix = tests(junit), confusion.read_text()

    if git("rev-parse", "HEAD") != commit or changes() != dirty:
        print("prove: the work tree changed meanwhile, so nothing is written", file=sys.stderr)
        return 2
    report = {
        "commit": commit,
        "changes": dirty,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "seconds": round(seconds, 1),
        "outcomes": count(results),
        "exit": code,
        "tests": results,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    CONFUSION.write_text(f"commit {commit}\n\n{matrix}")
    print(f"prove: wrote {RESULT.relative_to(REPO)} and {CONFUSION.relative_to(REPO)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
