"""Blocks of a pcapng file (draft-ietf-opsawg-pcapng), each from values to bytes: whoever writes them keeps their order.

A file or a stream is `section`, then `interface` for each NIC (numbered from 0 in that order), `names` wherever they are
known, and `packet` for each frame. Nothing is read here, and no frame is looked into. Every block is little-endian.
No kept library fits: python-pcapng builds an object for each block, and a stream of thousands of packets a second has
no time for that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from srv6lab.evidence.packets import Direction

_SECTION, _INTERFACE, _NAMES, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 4, 5, 6
_COMMENT, _HARDWARE, _SYSTEM, _APPLICATION = 1, 2, 3, 4
_IF_NAME, _IF_DESCRIPTION, _IF_MAC, _IF_RESOLUTION, _IF_SYSTEM = 2, 3, 6, 9, 12
_FLAGS, _RECEIVED, _DROPPED = 2, 4, 5
_DIRECTIONS = {Direction.IN: 1, Direction.OUT: 2}  # the lowest two bits of epb_flags
_RECORDS = {4: 1, 6: 2}  # of a Name Resolution Block, by IP version
_LONGEST_OPTION = 0xFFFF
_MORE = "…".encode()
_LONGEST_NAME = 255  # bytes
_LONGEST_NAMES = 1 << 16  # bytes of one Name Resolution Block; Wireshark refuses blocks of more than 16 MiB

_HEAD = struct.Struct("<II")
_TAIL = struct.Struct("<I")
_OPTION = struct.Struct("<HH")
_PACKET_HEAD = struct.Struct("<IIIIIII")


@dataclass(frozen=True, slots=True)
class Interface:
    """A NIC as the file has it: `link` is its LINKTYPE_ (tcpdump.org), `digits` how many of a second its times have
    (6 are microseconds, 9 nanoseconds), `snapshot` the most bytes of a frame that were kept, 0 for all."""

    name: str
    link: int
    description: str = ""
    mac: str = ""
    digits: int = 6
    snapshot: int = 0
    system: str = ""


def section(*, application: str, comment: str = "", system: str = "", hardware: str = "") -> bytes:
    """A Section Header Block, which begins a file: what wrote it, and of what it is. Its length isn't told, so that
    it can be streamed."""
    options = _texts(
        ((_COMMENT, comment), (_HARDWARE, hardware), (_SYSTEM, system), (_APPLICATION, application))
    )
    return _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _ended(options))


def interface(one: Interface) -> bytes:
    """An Interface Description Block."""
    options = _texts(((_IF_NAME, one.name), (_IF_DESCRIPTION, one.description)))
    if one.mac:
        options += _option(_IF_MAC, bytes.fromhex(one.mac.replace(":", "")))
    options += _option(_IF_RESOLUTION, bytes([one.digits])) + _texts(((_IF_SYSTEM, one.system),))
    return _block(_INTERFACE, struct.pack("<HHI", one.link, 0, one.snapshot) + _ended(options))


def packet(
    number: int,
    ticks: int,
    data: bytes,
    length: int,
    *,
    comment: str = "",
    direction: Direction | None = None,
) -> bytes:
    """An Enhanced Packet Block: a frame of `length` bytes of which `data` was kept, on the interface with that number.
    `ticks` are those of the interface's resolution since the epoch."""
    options = _option(_COMMENT, _text(comment)) if comment else b""
    if direction is not None:
        options += _option(_FLAGS, _TAIL.pack(_DIRECTIONS[direction]))
    body = len(data) + (-len(data) % 4)
    total = 12 + 20 + body + (len(options) + 4 if options else 0)
    head = _PACKET_HEAD.pack(
        _PACKET, total, number, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, len(data), length
    )
    return b"".join((head, data, b"\0" * (body - len(data)), _ended(options), _TAIL.pack(total)))


def names(known: Iterable[tuple[IPv4Address | IPv6Address, str]]) -> bytes:
    """Name Resolution Blocks: what each address is called. One name an address: of several Wireshark shows the last
    only. No block is long."""
    blocks, records = b"", b""
    for address, name in known:
        record = _option(_RECORDS[address.version], address.packed + _text(name, _LONGEST_NAME) + b"\0")
        if len(records) + len(record) > _LONGEST_NAMES:
            blocks, records = blocks + _names_block(records), b""
        records += record
    return blocks + (_names_block(records) if records else b"")


def statistics(number: int, ticks: int, *, received: int, dropped: int) -> bytes:
    """An Interface Statistics Block: how many frames a NIC's tracer was handed, and how many it lost."""
    options = _option(_RECEIVED, struct.pack("<Q", received)) + _option(_DROPPED, struct.pack("<Q", dropped))
    head = struct.pack("<III", number, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF)
    return _block(_STATISTICS, head + _ended(options))


def _names_block(records: bytes) -> bytes:
    return _block(_NAMES, records + _option(0, b""))


def _block(kind: int, body: bytes) -> bytes:
    total = len(body) + 12
    return _HEAD.pack(kind, total) + body + _TAIL.pack(total)


def _option(code: int, value: bytes) -> bytes:
    """One option, or one record of names: they have the same form."""
    return _OPTION.pack(code, len(value)) + value + b"\0" * (-len(value) % 4)


def _texts(options: Iterable[tuple[int, str]]) -> bytes:
    return b"".join(_option(code, _text(text)) for code, text in options if text)


def _ended(options: bytes) -> bytes:
    """Options with the one that ends them; nothing where there are none."""
    return options + _OPTION.pack(0, 0) if options else b""


def _text(text: str, most: int = _LONGEST_OPTION) -> bytes:
    """UTF-8 of at most so many bytes, cut between characters. What acts instead of showing (control characters but line
    breaks, marks of writing direction, separators of lines) becomes the sign of a character that was replaced."""
    if not text.replace("\n", "").isprintable():
        text = "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)
    encoded = text.encode(errors="replace")
    return encoded if len(encoded) <= most else encoded[: most - 3].decode(errors="ignore").encode() + _MORE
