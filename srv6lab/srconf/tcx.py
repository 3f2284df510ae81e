"""Programs at the ingress of an interface itself, without a qdisc and a filter: tcx, from Linux 6.6.

A packet spends less time on its way to such a program.  Nothing here knows SRv6.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from .bpf import Descriptor, call
from .errors import ToolError

PROG_ATTACH, PROG_DETACH, PROG_QUERY = 8, 9, 16
TCX_INGRESS = 46
PROGRAMS_MAX = 64  # the kernel takes fewer
CHANGE = struct.Struct("=IIII")  # interface, program, where, flags
QUERY = struct.Struct("=IIIIQI")  # interface, where, flags twice, address of the ids, their number
QUERY_COUNT = 24


def programs(index: int) -> tuple[int, ...] | None:
    """The ids of the programs there; None if the kernel has no tcx."""
    ids = (ctypes.c_uint32 * PROGRAMS_MAX)()
    request = QUERY.pack(index, TCX_INGRESS, 0, 0, ctypes.addressof(ids), PROGRAMS_MAX)
    try:
        answer = call(PROG_QUERY, request)[1]
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        if error.errno in (errno.ENODEV, errno.ENOENT):
            return ()
        raise
    (count,) = struct.unpack_from("=I", answer, QUERY_COUNT)
    return tuple(ids[:count])


def attach(index: int, program: Descriptor) -> None:
    """Put a program behind those that are there."""
    try:
        call(PROG_ATTACH, CHANGE.pack(index, program.fileno(), TCX_INGRESS, 0))
    except OSError as error:
        if error.errno == errno.ERANGE:
            what = f"interface {index} has as many tcx programs as the kernel takes"
            raise ToolError(f"{what}: detach one, or leave SRCONF_HOOK out") from error
        raise


def detach(index: int, program: Descriptor) -> None:
    """Take a program away; none of others."""
    call(PROG_DETACH, CHANGE.pack(index, program.fileno(), TCX_INGRESS, 0))
