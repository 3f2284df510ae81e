"""One command at a time in a network namespace.

An abstract Unix socket is the lock: its name belongs to the network namespace and vanishes with its process.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import Refused

NAME = "\0srconf"
PATIENCE = 20.0


@contextmanager
def alone() -> Iterator[None]:
    """Hold the namespace's lock; wait for another command to end."""
    deadline = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        while True:
            try:
                lock.bind(NAME)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                if time.monotonic() > deadline:
                    raise Refused(f"another srconf works in this namespace since {PATIENCE:.0f} s") from None
                time.sleep(0.02)
        yield
