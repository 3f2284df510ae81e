"""End all processes of a node that have a setting in their environment, as they were started, and wait until they are gone.

    python3 ender.py NAME=VALUE …

It runs inside nodes, so it imports the standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PATIENCE = 5.0  # seconds; what the kernel holds may not die


def marked(settings: set[bytes]) -> Iterator[int]:
    """The processes with one of them; this one has none."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if settings & set((process / "environ").read_bytes().split(b"\0")):
                yield int(process.name)


def main(*settings: str) -> int:
    asked, deadline = {os.fsencode(one) for one in settings}, time.monotonic() + PATIENCE
    while left := [*marked(asked)]:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            print(f"still there: {' '.join(map(str, left))}", file=sys.stderr)
            return 1
        time.sleep(0.005)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
