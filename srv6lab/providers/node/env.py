"""A copy of `env` that nobody can change, for the way into a node (see enter.py)."""

from __future__ import annotations

import errno
import os
from fcntl import fcntl

from .lean import suppress

NAME = "srv6lab-env"  # what a node's first process calls the memory with `env`, an open file of its own
_MAY_BE_SEALED = 2  # MFD_ALLOW_SEALING
_F_ADD_SEALS = 1033
_SEALED = 0xF  # F_SEAL_SEAL, _SHRINK, _GROW, _WRITE


def hold(lower: str) -> int:
    """Keep that of a root open, in this process and its children: the descriptor."""
    with open(f"{lower}/usr/bin/env", "rb") as file:
        program = file.read()
    memory = os.memfd_create(NAME, _MAY_BE_SEALED)
    os.write(memory, program)
    fcntl(memory, _F_ADD_SEALS, _SEALED)
    return memory


def held(files: str) -> int:
    """That of the open files of a node's first process, into which nobody of the node can put another."""
    for number in os.listdir(files):
        with suppress(FileNotFoundError):  # it was closed meanwhile
            if os.readlink(f"{files}/{number}").startswith(f"/memfd:{NAME} "):
                return os.open(f"{files}/{number}", os.O_RDONLY)
    raise FileNotFoundError(errno.ENOENT, "its first process holds no env", files)
