"""Compressed captures, unpacked beside where tshark reads: never more than is told here, whatever they claim to hold."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO

from srv6lab.host.files import opened

MOST = 256 << 20  # bytes: a lab's captures have some 100 kB, and a file of 1 MB can unpack to 1 GB
_CHUNK = 1 << 20
_OPENERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"BZh": bz2.open,
}
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7-Zip",
}


def unpacked(path: Path, folder: Path) -> tuple[Path, str]:
    """A file as it is or, if it is compressed, unpacked into the folder, which is made for it; and why it isn't whole, "" if it is.

    ValueError for a file that can't be unpacked here, OSError where it can't be read or written.
    """
    with opened(path) as source:
        magic = source.read(8)
    if name := next((name for begin, name in _OTHERS.items() if magic.startswith(begin)), ""):
        raise ValueError(f"it is packed with {name}, which isn't unpacked here")
    opener = next((one for begin, one in _OPENERS.items() if magic.startswith(begin)), None)
    if opener is None:
        return path, ""
    folder.mkdir(exist_ok=True)
    target = folder / "unpacked"
    with opened(path) as source, opener(source) as packed, target.open("wb") as written:
        return target, _copied(packed, written)


def _copied(packed: IO[bytes], written: IO[bytes]) -> str:
    size = 0
    while True:
        try:
            chunk = packed.read(_CHUNK)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError) as error:
            return f"the packed file is cut short or damaged: {error}"
        if not chunk:
            return ""
        size += len(chunk)
        if size > MOST:
            return f"it unpacks to more than {MOST >> 20} MiB, and only these were read"
        written.write(chunk)
