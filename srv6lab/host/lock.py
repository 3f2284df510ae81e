"""Files held locked: a lock ends with the last process that has the file open, however that ends."""

from __future__ import annotations

import sys
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
