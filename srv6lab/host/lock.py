"""Files held locked: a lock ends with the last process that has the file open, however that ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any


def hold(file: int | IO[Any], *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file until it is closed; BlockingIOError if somebody else has it, unless `wait`."""
    descriptor = file if isinstance(file, int) else file.fileno()
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            raise BlockingIOError from None
    else:
        import fcntl

        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, how if wait else how | fcntl.LOCK_NB)


def is_free(file: int | IO[Any]) -> bool:
    """Whether nobody else held the file; it is ours then."""
    try:
        hold(file)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether somebody has the file locked, found out without locking it; False where the system doesn't tell."""
    with suppress(OSError, AttributeError):  # Windows has no numbers of devices
        found = path.stat()
        place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        return any(
            place in line.split()
            for line in Path("/proc/locks").read_text("ascii").splitlines()
            if "->" not in line
        )
    return False
