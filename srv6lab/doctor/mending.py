"""Install what this machine lacks, if its packages are known here: by `scripts/setup`, which knows backports and sudo."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.errors import MachineError, UsageError
from srv6lab.host.packages import SETUP, Tool, listed, remedy, where
from srv6lab.host.system import System, this_system
from srv6lab.providers.records import RECORDS

from .findings import Diagnosis, State


def packages(found: Diagnosis) -> tuple[Tool, ...]:
    """The tools of the list that are missing, each package once: those that the lab needs which was asked for; without
    one, all that this provider's labs may need."""
    group = "lab" if RECORDS[found.provider].doctor == "netns" else found.provider
    needed = {one.name for one in found.findings if one.state is State.LACKING and found.needed(one)}
    asked = [one for one in listed() if one.group == group and ":" not in one.how]
    if found.lab and group == "lab":
        asked = [one for one in asked if one.how in needed]
    return tuple({one.package: one for one in asked if not _is_there(one.how)}.values())


def install(missing: Sequence[Tool], *, yes: bool, system: System | None = None) -> None:
    """Name them, ask, and install them; MachineError where that isn't possible here, UsageError where nobody answers."""
    if not missing:
        print("all packages that are known for it are there", file=sys.stderr)
        return
    print("missing here:", file=sys.stderr)
    for one in missing:
        print(f"  {one.package:14} {one.purpose}", file=sys.stderr)
    system = system or this_system()
    if system.family != "debian" or not shutil.which("apt-get"):
        raise MachineError(f"{system.name} has no apt to install them by", remedy(missing, system))
    if not yes and not _agreed():
        raise UsageError("nothing is installed", f"{CALLED} doctor --mend --yes asks nothing")
    line = ["sh", str(SETUP), "packages", *(one.package for one in missing)]
    done = subprocess.run(line, env={**os.environ, "PYTHON": sys.executable}, stdout=sys.stderr)
    if done.returncode:
        raise MachineError("not all of them could be installed", "mend what is said above, and type it again")


def _agreed() -> bool:
    """Whether who sits there says yes."""
    if not sys.stdin.isatty():
        return False
    print("Install them with apt-get? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _is_there(how: str) -> bool:
    return Path(how).exists() if how.startswith("/") else where(how) is not None
