"""What every header needs to be read and written: bounds, bit fields, the Internet checksum."""

from __future__ import annotations


class Malformed(ValueError):
    """Bytes that are no packet: `offset` is where the part begins that is wrong, `what` says how."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(f"byte {offset}: {what}")
        self.offset = offset
        self.what = what


def take(data: bytes, at: int, count: int, what: str) -> bytes:
    """`count` bytes from `at`."""
    if len(data) - at < count:
        raise Malformed(at, f"{what} takes {count} bytes, {max(len(data) - at, 0)} are left")
    return data[at : at + count]


def fit(value: int, bits: int, what: str) -> int:
    """A value that goes into a bit field; struct watches over whole bytes."""
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{what} has {bits} bits: {value}")
    return value


def aligned(data: bytes, unit: int, limit: int, what: str) -> bytes:
    """Bytes whose length a header counts in units, up to a limit."""
    if len(data) % unit or len(data) > limit:
        raise ValueError(f"{what}: {len(data)} bytes, not a multiple of {unit} up to {limit}")
    return data


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = int.from_bytes(data + b"\0" * (len(data) % 2))
    folded = total % 0xFFFF or (
        0xFFFF if total else 0
    )  # words added with their carries: all the number's digits
    return ~folded & 0xFFFF
