"""Files of other tools: the frames of a capture, written in every way that a capture may come in.

Each writer takes the frames of one NIC, (microseconds since the epoch, bytes) each, and gives a file's bytes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable, Sequence

from tests.captures import frames
from tests.captures.frames import block, section

Timed = Sequence[tuple[int, bytes]]
Writer = Callable[[Timed], bytes]
Wrap = Callable[[bytes], bytes]

_CUSTOM = struct.pack("<I", 0xFFFFFFFF) + b"of no use here"


def pcap(timed: Timed, *, order: str = "<", magic: int = 0xA1B2C3D4, snaplen: int = 262144, link: int = 1,
         keep: int = 1 << 30, extra: bytes = b"", scale: int = 1) -> bytes:  # fmt: skip
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for time, frame in timed:
        kept = frame[:keep]
        seconds, fraction = divmod(time, 1_000_000)
        head = struct.pack(order + "IIII", seconds, fraction * scale, len(kept), len(frame))
        parts += [head, extra, kept]
    return b"".join(parts)


def interface(link: int = 1, options: bytes = b"") -> bytes:
    return block(1, struct.pack("<HHI", link, 0, 262144) + options)


def enhanced(time: int, frame: bytes, number: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame + b"\0" * (-len(frame) % 4) + options)


def obsolete(time: int, frame: bytes) -> bytes:
    return block(
        2, struct.pack("<HHIIII", 0, 0, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame
    )


def simple(_: int, frame: bytes) -> bytes:
    return block(3, struct.pack("<I", len(frame)) + frame)


def option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng(timed: Timed, *, before: bytes = b"", between: bytes = b"", behind: bytes = b"", options: bytes = b"",
           of: Callable[[int, bytes], bytes] | None = None) -> bytes:  # fmt: skip
    write = of or (lambda time, frame: enhanced(time, frame, options=options))
    packets = [
        write(time, frame) + (between if index == 1 else b"") for index, (time, frame) in enumerate(timed)
    ]
    return section() + before + interface() + b"".join(packets) + behind


def two_sections(timed: Timed) -> bytes:
    half = len(timed) // 2
    return pcapng(timed[:half]) + pcapng(timed[half:])


def two_byte_orders(timed: Timed) -> bytes:
    half = len(timed) // 2
    later = b"".join(_big_endian(time, frame) for time, frame in timed[half:])
    return pcapng(timed[:half]) + section(">") + frames.interface(">") + later


def _big_endian(time: int, frame: bytes) -> bytes:
    return block(
        6, struct.pack(">IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame, ">"
    )


def two_interfaces(timed: Timed) -> bytes:
    packets = b"".join(enhanced(time, frame, index % 2) for index, (time, frame) in enumerate(timed))
    return section() + interface() + interface() + packets


def an_interface_that_is_raw(timed: Timed) -> bytes:
    packets = b"".join(
        enhanced(time, raw(frame) if index % 2 else frame, index % 2)
        for index, (time, frame) in enumerate(timed)
    )
    return section() + interface() + interface(101) + packets


def no_interface(timed: Timed) -> bytes:
    return section() + b"".join(enhanced(time, frame) for time, frame in timed)


def each(wrap: Wrap, write: Writer) -> Writer:
    return lambda timed: write([(time, wrap(frame)) for time, frame in timed])


def tagged(*tags: tuple[int, int]) -> Wrap:
    """VLAN tags, the outermost first: the EtherType that says that it is one, and the tag."""
    inserted = b"".join(struct.pack("!HH", kind, tag) for kind, tag in tags)
    return lambda frame: frame[:12] + inserted + frame[12:]


def raw(frame: bytes) -> bytes:
    return frame[14:]


def null(frame: bytes) -> bytes:
    return struct.pack("<I", 2 if frame[12:14] == b"\x08\x00" else 24) + frame[14:]


def cooked(own: bytes | None) -> Wrap:
    """A Linux cooked header (LINKTYPE_LINUX_SLL); `own` is the MAC that sends what is outgoing."""

    def wrap(frame: bytes) -> bytes:
        kind = 4 if frame[6:12] == own else 0
        return struct.pack("!HHH", kind, 1, 6) + frame[6:12] + b"\0\0" + frame[12:]

    return wrap


def cooked_again(own: bytes | None, address: bool = True) -> Wrap:
    """LINKTYPE_LINUX_SLL2, with or without the sender's address."""

    def wrap(frame: bytes) -> bytes:
        kind = 4 if frame[6:12] == own else 0
        sender = frame[6:12] + b"\0\0" if address else b"\0" * 8
        return (
            frame[12:14]
            + b"\0\0"
            + struct.pack("!IHBB", 3, 1, kind, 6 if address else 0)
            + sender
            + frame[14:]
        )

    return wrap


PASS: dict[str, Writer] = {
    "microseconds": pcap,
    "nanoseconds": lambda timed: pcap(timed, magic=0xA1B23C4D, scale=1000),
    "big endian": lambda timed: pcap(timed, order=">"),
    "nanoseconds, big endian": lambda timed: pcap(timed, order=">", magic=0xA1B23C4D, scale=1000),
    "modified": lambda timed: pcap(timed, magic=0xA1B2CD34, extra=bytes(8)),
    "no snapshot length": lambda timed: pcap(timed, snaplen=0),
    "a longer snapshot length": lambda timed: pcap(timed, snaplen=1 << 30),
    "an FCS, announced": each(
        lambda frame: frame + b"\x12\x34\x56\x78", lambda timed: pcap(timed, link=0x24000001)
    ),
    "an FCS, unannounced": each(lambda frame: frame + b"\x12\x34\x56\x78", pcap),
    "padded": each(lambda frame: frame.ljust(200, b"\0"), pcap),
    "tagged": each(tagged((0x8100, 100)), pcap),
    "tagged with a priority": each(tagged((0x8100, 7 << 13)), pcap),
    "tagged twice": each(tagged((0x88A8, 200), (0x8100, 100)), pcap),
    "time 0": lambda timed: pcap([(0, frame) for _, frame in timed]),
    "a far time": lambda timed: pcap([(4_294_967_295_000_000, frame) for _, frame in timed]),
    "no such microsecond": lambda timed: pcap([(time, frame) for time, frame in timed], scale=7),
    "the other way round": lambda timed: pcap(timed[::-1]),
    "gzip": lambda timed: gzip.compress(pcap(timed)),
    "xz": lambda timed: lzma.compress(pcap(timed)),
    "bzip2": lambda timed: bz2.compress(pcap(timed)),
    "pcapng in gzip": lambda timed: gzip.compress(pcapng(timed)),
    "pcapng": pcapng,
    "pcapng, two sections": two_sections,
    "pcapng, two byte orders": two_byte_orders,
    "pcapng, two interfaces": two_interfaces,
    "pcapng, obsolete packets": lambda timed: pcapng(timed, of=obsolete),
    "pcapng, simple packets": lambda timed: pcapng(timed, of=simple),
    "pcapng, a custom block before": lambda timed: pcapng(timed, before=block(0xBAD, _CUSTOM)),
    "pcapng, a custom block between": lambda timed: pcapng(timed, between=block(0xBAD, _CUSTOM)),
    "pcapng, an unknown block between": lambda timed: pcapng(timed, between=block(0x7777, _CUSTOM)),
    "pcapng, names": lambda timed: pcapng(timed, between=block(4, struct.pack("<HH", 0, 0))),
    "pcapng, statistics": lambda timed: pcapng(timed, behind=block(5, struct.pack("<III", 0, 0, 0))),
    "pcapng, a comment on each": lambda timed: pcapng(timed, options=option(1, b"seen") + option(0, b"")),
}
"""What is read as if a tracer of ours had written it."""

INCONCLUSIVE: dict[str, tuple[Writer, str]] = {
    "empty": (lambda timed: b"", "the file is empty"),
    "cut in its header": (lambda timed: pcap(timed)[:11], "the file ends within its header"),
    "cut in its last record": (lambda timed: pcap(timed)[:-3], "cut short in record"),
    "no packets": (lambda timed: pcap([]), "no ping between its ends"),
    "a web page": (lambda timed: b"<!DOCTYPE html><html>not found", "no capture that can be read"),
    "a zip": (lambda timed: b"PK\x03\x04" + bytes(40), "packed with zip"),
    "zstd": (lambda timed: b"\x28\xb5\x2f\xfd" + bytes(40), "packed with zstd"),
    "gzip, cut": (lambda timed: gzip.compress(pcap(timed))[:-30], "packed file is cut short or damaged"),
    "snapshot length 68": (lambda timed: pcap(timed, snaplen=68, keep=68), "clipped at 68 bytes"),
    "snapshot length 96": (lambda timed: pcap(timed, snaplen=96, keep=96), "clipped at 96 bytes"),
    "twice": (lambda timed: pcap([one for one in timed for _ in "12"]), "stand in it twice"),
    "NULL": (each(null, lambda timed: pcap(timed, link=0)), "directions can't be told"),
    "RAW": (each(raw, lambda timed: pcap(timed, link=101)), "directions can't be told"),
    "SLL2 without an address": (
        each(cooked_again(None, address=False), lambda timed: pcap(timed, link=276)), "directions can't be told",
    ),
    "a link type of other things": (lambda timed: pcap(timed, link=189), "link type is 189"),
    "no link type that there is": (lambda timed: pcap(timed, link=65000), "link type is 65000"),
    "pcapng, an interface that is RAW": (an_interface_that_is_raw, "directions can't be told"),
    "pcapng, no interface": (no_interface, "interface 0, which its section doesn't have"),
    "pcapng, a packet without its head": (lambda timed: pcapng(timed, behind=block(6, b"")), "damaged behind record"),
    "pcapng, a packet with half of its head": (
        lambda timed: pcapng(timed, between=block(6, bytes(8))), "damaged behind record",
    ),
    "pcapng, an interface without its link": (
        lambda timed: pcapng(timed, behind=block(1, b"")), "damaged behind record",
    ),
    "pcapng, cut": (lambda timed: pcapng(timed)[:-9], "cut short or damaged"),
}  # fmt: skip
"""What can't be judged, and what is said of it."""
