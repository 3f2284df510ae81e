"""Blocks of pcapng as tshark, capinfos and our own framing read them."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from srv6lab.capture import pcap, pcapng
from srv6lab.evidence.packets import Direction

ETHERNET = 1
SECOND = 1_700_000_000


def frame(source: str, payload: bytes = b"x" * 8) -> bytes:
    """A datagram in Ethernet, with no checksum."""
    udp = struct.pack(">HHHH", 1000, 2000, 8 + len(payload), 0) + payload
    addresses = IPv4Address(source).packed + IPv4Address("192.0.2.9").packed
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
    return bytes.fromhex("0200000000020200000000010800") + ip + udp


def file_of(*blocks: bytes, folder: Path) -> Path:
    path = folder / "made.pcapng"
    path.write_bytes(b"".join(blocks))
    return path


def fields(path: Path, *names: str, more: tuple[str, ...] = ()) -> list[list[str]]:
    """tshark's words for some fields of each frame; its complaints are a failure."""
    argv = [
        "tshark",
        "-r",
        str(path),
        *more,
        "-T",
        "fields",
        *(word for name in names for word in ("-e", name)),
    ]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = [line for line in ran.stderr.splitlines() if "Running as user" not in line]
    assert (ran.returncode, said) == (0, []), ran.stderr
    return [line.split("\t") for line in ran.stdout.splitlines()]


def test_frames_keep_their_nic_time_length_direction_and_comment(tmp_path: Path) -> None:
    data = frame("192.0.2.1")
    path = file_of(
        pcapng.section(application="srv6lab 1", comment="lab a, exercise b", system="Linux"),
        pcapng.interface(pcapng.Interface("east:one", ETHERNET, "link a", "02:00:00:00:00:01")),
        pcapng.interface(pcapng.Interface("west:one", ETHERNET, digits=9, snapshot=64)),
        pcapng.packet(0, SECOND * 10**6 + 1, data, len(data), comment="first\nsecond line"),
        pcapng.packet(1, SECOND * 10**9 + 2, data[:33], len(data), direction=Direction.IN),
        pcapng.packet(0, SECOND * 10**6 + 3, data, len(data), comment="out", direction=Direction.OUT),
        pcapng.statistics(0, SECOND * 10**6 + 4, received=2, dropped=0),
        folder=tmp_path,
    )
    rows = fields(
        path, "frame.interface_name", "frame.interface_description", "frame.time_epoch", "frame.len",
        "frame.cap_len", "frame.packet_flags_direction", "frame.comment",
    )  # fmt: skip
    size = str(len(data))
    assert rows == [
        ["east:one", "link a", f"{SECOND}.000001000", size, size, "", "first\\nsecond line"],
        ["west:one", "", f"{SECOND}.000000002", size, "33", "0x00000001", ""],
        ["east:one", "link a", f"{SECOND}.000003000", size, size, "0x00000002", "out"],
    ]
    assert pcap.whole_file(path).records == 3
    told = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True).stdout
    assert "srv6lab 1" in told and "lab a, exercise b" in told


def with_names(known: Sequence[tuple[Any, str]], data: bytes, folder: Path) -> Path:
    """A file with names and a frame."""
    return file_of(
        pcapng.section(application="srv6lab"),
        pcapng.interface(pcapng.Interface("a", ETHERNET)),
        pcapng.names(known),
        pcapng.packet(0, 0, data, len(data)),
        folder=folder,
    )


def test_names_are_resolved(tmp_path: Path) -> None:
    known: list[tuple[Any, str]] = [
        (ip_address("192.0.2.1"), "east"),
        (ip_address("2001:db8::1"), "west"),
    ]
    path = with_names(known, frame("192.0.2.1"), tmp_path)
    assert fields(path, "ip.src_host", "ip.dst_host", more=("-N", "n")) == [["east", "192.0.2.9"]]
    assert pcapng.names([]) == b""


def test_many_names_become_several_blocks(tmp_path: Path) -> None:
    known = [(IPv4Address(0x0A000000 + n), f"node-{n}") for n in range(20_000)]
    path = with_names(known, frame("10.0.78.31"), tmp_path)
    assert fields(path, "ip.src_host", more=("-N", "n")) == [["node-19999"]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x00c", "a�[31mb�c"),
        ("left\u202eright\u2028end", "left�right�end"),
        ("half \ud800 pair", "half � pair"),
        ("</script>'\"`$(x)", "</script>'\"`$(x)"),
    ],
)
def test_hostile_texts_show_and_dont_act(text: str, shown: str, tmp_path: Path) -> None:
    data = frame("192.0.2.1")
    path = file_of(
        pcapng.section(application=text, comment=text),
        pcapng.interface(pcapng.Interface(text, ETHERNET, text)),
        pcapng.names([(ip_address("192.0.2.1"), text)]),
        pcapng.packet(0, 0, data, len(data), comment=text),
        folder=tmp_path,
    )
    argv = ["tshark", "-r", str(path), "-T", "json", "-N", "n"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    layers = json.loads(ran.stdout)[0]["_source"]["layers"]
    assert layers["frame"]["frame.interface_id_tree"]["frame.interface_name"] == shown
    assert layers["ip"]["ip.src_host"] == shown
    assert layers["pkt_comment"]["frame.comment"] == shown


@pytest.mark.parametrize("size", [65_535, 65_536, 200_000])
def test_a_comment_that_is_too_long_is_cut_between_characters(size: int, tmp_path: Path) -> None:
    data = frame("192.0.2.1")
    path = file_of(
        pcapng.section(application="srv6lab"),
        pcapng.interface(pcapng.Interface("a", ETHERNET)),
        pcapng.packet(0, 0, data, len(data), comment="é" * (size // 2), direction=Direction.OUT),
        pcapng.packet(0, 1, data, len(data), comment="next"),
        folder=tmp_path,
    )
    first, second = fields(path, "frame.comment")
    assert set(first[0]) <= {"é", "…"} and second == ["next"]
    assert first[0].endswith("…") == (size > 65_535)
