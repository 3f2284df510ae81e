"""The bpf(2) system call: maps and programs of the kernel, found by id.

Pins are no use here: a bpffs mount vanishes in `ip netns exec` and is shared by nodes elsewhere.  So the
command follows the id of the program on an interface to the program's maps.  Nothing here knows SRv6.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import ToolError

SYSTEM_CALL = {"x86_64": 321, "aarch64": 280}
MAP_LOOKUP, MAP_UPDATE, MAP_DELETE, MAP_NEXT_KEY = 1, 2, 3, 4
PROG_BY_ID, MAP_BY_ID, INFO_BY_FD = 13, 14, 15
POSSIBLE_CPUS = Path("/sys/devices/system/cpu/possible")
ATTR_SIZE = 128
CLONE_NEWNET = 0x40000000
SO_NETNS_COOKIE = 71
PROG_INFO_SIZE, MAP_INFO_SIZE = 232, 88
PROG_INFO_ID = 4
PROG_INFO_MAPS = 52  # offset of nr_map_ids; map_ids follows at 56
PROG_INFO_NAME, NAME_SIZE = 64, 16
PER_CPU_TYPES = (5, 6, 10)  # per-CPU hash, array, LRU hash

Buffer = ctypes.Array[ctypes.c_char]

_libc = ctypes.CDLL(None, use_errno=True)


class Descriptor:
    """An open file of the kernel's, closed when nobody holds it any more."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.close(self._number)

    def fileno(self) -> int:
        return self._number


def call(command: int, attributes: bytes) -> tuple[int, bytes]:
    """What the system call returns, and the attributes as it leaves them."""
    number = SYSTEM_CALL.get(platform.machine())
    if number is None:
        raise ToolError(f"bpf(2) has no known number on {platform.machine()}; x86_64 and aarch64 are served")
    buffer = ctypes.create_string_buffer(attributes, ATTR_SIZE)
    result: int = _libc.syscall(number, command, buffer, ATTR_SIZE)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result, buffer.raw


def leave_network() -> None:
    """Put this process, which is about to become another program, into a network namespace of its own."""
    if _libc.unshare(CLONE_NEWNET):
        os.write(2, f"a network namespace failed: {os.strerror(ctypes.get_errno())}\n".encode())
        os._exit(1)


def namespace_cookie() -> int:
    """What tells this network namespace from every other one; 0 before Linux 5.14."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            cookie = any_socket.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
        except OSError:
            return 0
    return int.from_bytes(cookie, sys.byteorder)


def possible_cpus(text: str) -> int:
    """How many CPUs a list such as `0-3,8` names: the kernel keeps that many copies of a per-CPU value."""
    total = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        total += int(last or first) - int(first) + 1
    return total


@dataclass(frozen=True)
class Map:
    """One map; keys and values are bytes.  A per-CPU map's value is every CPU's, each padded to 8 bytes."""

    fd: Descriptor
    key_size: int
    value_size: int
    copies: int

    @property
    def _buffer_size(self) -> int:
        return self.value_size if self.copies == 1 else -(-self.value_size // 8) * 8 * self.copies

    def get(self, key: bytes) -> tuple[bytes, ...] | None:
        """The value, once for each CPU in a per-CPU map; None if the key isn't there."""
        keyed = ctypes.create_string_buffer(key, self.key_size)
        value = ctypes.create_string_buffer(self._buffer_size)
        try:
            self._element(MAP_LOOKUP, keyed, value)
        except FileNotFoundError:
            return None
        step = self._buffer_size // self.copies
        return tuple(value.raw[i * step : i * step + self.value_size] for i in range(self.copies))

    def put(self, key: bytes, *values: bytes) -> None:
        """Set the value: one, the same on every CPU, or one for each."""
        step = self._buffer_size // self.copies
        padded = b"".join(value.ljust(step, b"\0") for value in values) * (self.copies // len(values))
        keyed = ctypes.create_string_buffer(key, self.key_size)
        valued = ctypes.create_string_buffer(padded, self._buffer_size)
        self._element(MAP_UPDATE, keyed, valued)

    def remove(self, key: bytes) -> bool:
        """Whether the key was there."""
        keyed = ctypes.create_string_buffer(key, self.key_size)
        try:
            self._element(MAP_DELETE, keyed, None)
        except FileNotFoundError:
            return False
        return True

    def keys(self, limit: int) -> Iterator[bytes]:
        """At most `limit` keys: a map that changes under the walk may start it anew."""
        key: bytes | None = None
        for _ in range(limit):
            keyed = None if key is None else ctypes.create_string_buffer(key, self.key_size)
            following = ctypes.create_string_buffer(self.key_size)
            try:
                self._element(MAP_NEXT_KEY, keyed, following)
            except FileNotFoundError:
                return
            key = following.raw
            yield key

    def _element(self, command: int, key: Buffer | None, value: Buffer | None) -> None:
        pointers = (0 if buffer is None else ctypes.addressof(buffer) for buffer in (key, value))
        call(command, struct.pack("=IxxxxQQ", self.fd.fileno(), *pointers))


def program(number: int) -> Descriptor:
    """A loaded program by its id."""
    return Descriptor(call(PROG_BY_ID, struct.pack("=III", number, 0, 0))[0])


def program_id(opened: Descriptor) -> int:
    """The id of a program."""
    (number,) = struct.unpack_from("=I", _info(opened, bytes(PROG_INFO_SIZE)), PROG_INFO_ID)
    return int(number)


def program_name(opened: Descriptor) -> str:
    """The name of a program's function, its first 15 characters."""
    info = _info(opened, bytes(PROG_INFO_SIZE))
    return info[PROG_INFO_NAME : PROG_INFO_NAME + NAME_SIZE].split(b"\0")[0].decode(errors="replace")


def program_maps(opened: Descriptor) -> dict[str, Map]:
    """The maps of a program by their names."""
    (count,) = struct.unpack_from("=I", _info(opened, bytes(PROG_INFO_SIZE)), PROG_INFO_MAPS)
    ids = (ctypes.c_uint32 * count)()
    request = bytearray(PROG_INFO_SIZE)
    struct.pack_into("=IQ", request, PROG_INFO_MAPS, count, ctypes.addressof(ids))
    _info(opened, bytes(request))
    return dict(_open_map(number) for number in ids)


def _open_map(number: int) -> tuple[str, Map]:
    fd = Descriptor(call(MAP_BY_ID, struct.pack("=III", number, 0, 0))[0])
    info = _info(fd, bytes(MAP_INFO_SIZE))
    kind, _, key_size, value_size = struct.unpack_from("=IIII", info)
    name = info[24:40].split(b"\0")[0].decode()
    copies = possible_cpus(POSSIBLE_CPUS.read_text(encoding="ascii")) if kind in PER_CPU_TYPES else 1
    return name, Map(fd, key_size, value_size, copies)


def _info(fd: Descriptor, request: bytes) -> bytes:
    buffer = ctypes.create_string_buffer(request, len(request))
    try:
        call(INFO_BY_FD, struct.pack("=IIQ", fd.fileno(), len(request), ctypes.addressof(buffer)))
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise ToolError("this kernel is too old; Linux 5.10 or later is needed") from error
        raise
    return buffer.raw
