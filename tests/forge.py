"""Captures made wrong by hand: a real one with some bytes of its packets changed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path

_HEADER, _RECORD = 24, struct.Struct("<IIII")
_ETHERNET, _IPV6 = 14, 40
_ROUTING, _IPV4 = 43, 4


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> int:
    """Change each frame of a pcap; how many are others now."""
    data = path.read_bytes()
    frames = list(_frames(data))
    changed = [change(frame) for _, frame in frames]
    records = (
        _RECORD.pack(*times, len(frame), len(frame)) + frame
        for (times, _), frame in zip(frames, changed, strict=True)
    )
    path.write_bytes(data[:_HEADER] + b"".join(records))
    return sum(before != after for (_, before), after in zip(frames, changed, strict=True))


def _frames(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = _HEADER
    while at < len(data):
        seconds, fraction, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        yield (seconds, fraction), data[at : at + length]
        at += length


def another_address(value: str) -> Callable[[bytes], bytes]:
    """Another address in the place of an IPv6 address, told by its first half: a locator has no more on the wire."""
    old = IPv6Address(value).packed[:8]
    new = old[:4] + bytes([old[4] ^ 0xFF]) + old[5:]
    return lambda frame: frame.replace(old, new)


def with_an_srh(frame: bytes) -> bytes:
    """An SRH with one segment between the outer IPv6 header of a tunnel and the IPv4 packet in it."""
    behind = _ETHERNET + _IPV6
    if frame[12:14] != b"\x86\xdd" or frame[_ETHERNET + 6] != _IPV4:
        return frame
    srh = bytes([_IPV4, 2, 4, 0, 0, 0, 0, 0]) + frame[_ETHERNET + 24 : behind]
    length = int.from_bytes(frame[_ETHERNET + 4 : _ETHERNET + 6]) + len(srh)
    head = frame[: _ETHERNET + 4] + length.to_bytes(2) + bytes([_ROUTING]) + frame[_ETHERNET + 7 : behind]
    return head + srh + frame[behind:]
