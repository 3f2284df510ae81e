"""The files of a zip that somebody hands in, read into memory and never unpacked by name.

Such a file may be made to harm whoever opens it: names that leave the folder, links, entries that unpack to gigabytes,
entries within each other. All that a hand-in needs is small, so what is otherwise is refused, and nothing is mended.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.host.files import opened

MOST_PACKED = 32 << 20  # bytes of the file
MOST_UNPACKED = 96 << 20  # bytes of all that is in it
MOST_RATIO = 250  # how often an entry may be its packed size: deflate alone gets to 1032
SMALL = 1 << 20  # bytes of an entry up to which no ratio is looked at: captures repeat themselves
MOST_ENTRIES = 4000

_CENTRAL, _ZIP64 = b"PK\x01\x02", b"PK\x06\x07"
_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 1 << 16
_LOCAL_SIZE = 30
_ENCRYPTED, _PATCHED, _MASKED, _UTF8 = 0x1, 0x20, 0x2000, 0x800
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MEND = f"ask for the file that {CALLED} submit wrote, as it was written"
_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    OSError, ValueError, OverflowError, IndexError,
)  # fmt: skip


def read(path: Path, wanted: Callable[[str], bool]) -> tuple[dict[str, bytes], list[str]]:
    """The bytes of a zip's files by their names, and the names of those that weren't `wanted`, which aren't unpacked.

    UsageError for what is no such file, and for one that is made to harm.
    """
    data = read_file(path)
    try:
        return _entries(data, wanted)
    except _Refused as refused:
        raise UsageError(str(refused), _MEND) from None
    except _FAULTS as error:
        raise UsageError(f"it is no zip that can be read: {error}", _MEND) from None


def read_file(path: Path, most: int = MOST_PACKED) -> bytes:
    """A file's bytes; UsageError for what is no file of its own (a pipe would be waited for, a device never ends, a link is
    to something else), or is too large."""
    try:
        with opened(path) as source:
            data = source.read(most + 1)
    except OSError as error:
        raise UsageError(
            f"it can't be read: {error.strerror}" if error.strerror else f"{error}", _MEND
        ) from None
    if len(data) > most:
        raise UsageError(f"it is larger than {most >> 20} MiB", _MEND)
    return data


class _Refused(Exception):
    """Why a zip isn't read, for people."""


def _entries(data: bytes, wanted: Callable[[str], bool]) -> tuple[dict[str, bytes], list[str]]:
    _refuse_shape(data)
    with zipfile.ZipFile(BytesIO(data)) as packed:
        entries = packed.infolist()
        _refuse_overlaps(entries, packed.start_dir)
        for one in entries:
            _refuse_entry(one)
        _refuse_doubles([one.filename for one in entries])
        files = [one for one in entries if not one.is_dir()]
        if (size := sum(one.file_size for one in files if wanted(one.filename))) > MOST_UNPACKED:
            raise _Refused(
                f"it would unpack to {size >> 20} MiB, and {MOST_UNPACKED >> 20} MiB are read at most"
            )
        taken = {one.filename: _unpacked(packed, one) for one in files if wanted(one.filename)}
    return taken, [one.filename for one in files if not wanted(one.filename)]


def _refuse_shape(data: bytes) -> None:
    """What is looked at before the entries are: their number first, since a list of millions takes long to read."""
    if not data:
        raise _Refused("it is empty")
    if not data.startswith((b"PK\x03\x04", _END)):
        raise _Refused(f"it is no zip: it begins with {data[:4]!r}")
    end = data.rfind(_END, max(0, len(data) - _END_SIZE - _LONGEST_COMMENT))
    if end < 0:
        raise _Refused("it is cut short: the list of its files is missing")
    if data.count(_CENTRAL) > MOST_ENTRIES:
        raise _Refused(f"it has more than {MOST_ENTRIES} files")
    if _ZIP64 in data[max(0, end - 64) : end]:
        raise _Refused("it is a zip64, which no hand-in needs")


def _refuse_overlaps(entries: Sequence[zipfile.ZipInfo], end: int) -> None:
    """Entries stand one after the other: those that share bytes unpack to more than there is."""
    begin = 0
    for one in sorted(entries, key=lambda one: one.header_offset):
        if one.header_offset < begin:
            raise _Refused(f"{_shown(one.filename)} shares its bytes with another file")
        begin = one.header_offset + _LOCAL_SIZE + len(one.orig_filename) + one.compress_size
    if begin > end:
        raise _Refused("a file in it claims bytes behind the last one")


def _refuse_entry(one: zipfile.ZipInfo) -> None:
    name = _shown(one.filename)
    kind = stat.S_IFMT(one.external_attr >> 16)
    if one.flag_bits & (_ENCRYPTED | _PATCHED | _MASKED):
        raise _Refused(f"{name} is encrypted, or a patch")
    if one.compress_type not in _METHODS:
        raise _Refused(f"{name} is packed by method {one.compress_type}, which no hand-in needs")
    if not one.flag_bits & _UTF8 and not one.orig_filename.isascii():
        raise _Refused(f"the name {name} isn't UTF-8")
    if "\0" in one.orig_filename or any(ord(letter) < 32 for letter in one.filename):
        raise _Refused(f"the name {name} holds a control character")
    if one.filename.startswith("/") or "\\" in one.filename or ".." in one.filename.split("/"):
        raise _Refused(f"the name {name} leads out of the folder")
    if kind not in (0, stat.S_IFDIR if one.is_dir() else stat.S_IFREG):
        raise _Refused(f"{name} is no file, but a link or a device")
    if one.file_size > SMALL and one.file_size > MOST_RATIO * max(1, one.compress_size):
        raise _Refused(f"{name} would unpack to {one.file_size // max(1, one.compress_size)} times its size")


def _refuse_doubles(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _Refused(f"it holds {_shown(name)} twice")
        seen.add(name)


def _unpacked(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """No more than the entry claims, whatever is in it; its checksum is looked at."""
    with packed.open(one) as source:
        data = source.read(one.file_size + 1)
    if len(data) != one.file_size:
        raise _Refused(f"{_shown(one.filename)} isn't as long as it claims")
    return data


def _shown(name: str) -> str:
    """A name of somebody else's, for people."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")


def hand_ins(folder: Path, most: int = 10_000) -> Iterator[Path]:
    """What is called .zip in a folder and those in it, in the order of their names: learning platforms give a folder a
    learner. No link is followed. UsageError for more than anybody teaches."""
    found = 0
    for place, folders, files in os.walk(folder):
        folders.sort()
        called = [name for name in (*files, *folders) if name.lower().endswith(".zip")]
        folders[:] = [name for name in folders if name not in called]
        for name in sorted(called):
            found += 1
            if found > most:
                raise UsageError(f"more than {most} hand-ins are in {folder}", "grade a folder a class")
            yield Path(place, name)
