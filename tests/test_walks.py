"""Two folders of pcaps, made by hand: what no two runs share is not told, and everything else is."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.errors import UsageError
from srv6lab.plan.nodes import Plan
from tests.run_diff import differences, normalized
from tests.small import planned

TOKENS = {
    "one": bytes.fromhex("a1" * 3 + "5c" * 13),
    "other": bytes.fromhex("00112233445566778899aabbccddeeff"),
}
Change = Callable[[dict[str, object]], None]


def frame(token: bytes, **changed: object) -> bytes:
    """An echo request behind an SRH, field by field; what `changed` names is otherwise."""
    said: dict[str, object] = {
        "macs": b"\x02\0\0\0\0\x0a\x02\0\0\0\0\x0b",
        "flow": 0x12345,
        "hop_limit": 63,
        "left": 1,
        "tag": 0,
        "identification": 77,
        "ttl": 64,
        "checksum": 0xBEEF,
        "icmp_id": 4711,
        "sequence": 1,
        "time": b"\x11" * 16,
        "tail": b"",
    }
    said |= changed
    payload = (said["time"] + (token * 4)[:40])[:56]  # type: ignore[operator]
    icmp = struct.pack("!BBHHH", 8, 0, said["checksum"], said["icmp_id"], said["sequence"]) + payload
    inner = struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(icmp), said["identification"], 0, said["ttl"], 1, 0xABCD
    )
    inner += bytes([10, 0, 1, 1]) + bytes([10, 0, 2, 1]) + icmp
    segments = bytes.fromhex("fc00000b" + "0" * 20 + "00d4") + bytes.fromhex("fc00000b" + "0" * 20 + "000e")
    srh = struct.pack("!BBBBBBH", 4, 4, 4, said["left"], 1, 0, said["tag"]) + segments
    outer = struct.pack("!IHBB", 6 << 28 | said["flow"], len(srh + inner), 43, said["hop_limit"])  # type: ignore[operator]
    outer += bytes.fromhex("200100ab" + "0" * 23 + "1") + segments[16:]
    return said["macs"] + b"\x86\xdd" + outer + srh + inner + said["tail"]  # type: ignore[operator,no-any-return]


def run(folder: Path, plan: Plan, token: bytes, frames: dict[str, list[bytes]]) -> Path:
    """A run's folder with those frames at those traces, and a stranger's frame in each."""
    (folder / "captures").mkdir(parents=True)
    (folder / "observations.json").write_text(
        json.dumps({"probes": [{"probe": "echo", "token": token.hex()}]})
    )
    for nic in plan.traced():
        data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        for one in [b"\xff" * 60, *frames.get(nic.trace, [])]:
            data += struct.pack("<IIII", 1, 2, len(one), len(one)) + one
        (folder / "captures" / f"{nic.trace}.pcap").write_bytes(data)
    return folder


def compared(tmp_path: Path, first: list[bytes], second: list[bytes]) -> list[str]:
    plan = planned()
    one = run(tmp_path / "one", plan, TOKENS["one"], {"middle": first})
    other = run(tmp_path / "other", plan, TOKENS["other"], {"middle": second})
    return differences(plan, one, other)


NOT_TOLD = {
    "macs": b"\x02\0\0\0\0\x0a\x02\0\0\0\0\x0c",
    "flow": 0xFFFFF,
    "identification": 0,
    "checksum": 0,
    "icmp_id": 1,
    "time": b"\x99" * 16,
}
TOLD = {
    "hop_limit": 62,
    "left": 0,
    "tag": 9,
    "ttl": 63,
    "sequence": 2,
    "tail": b"\0",
}


@pytest.mark.parametrize("name", NOT_TOLD)
def test_what_no_two_runs_share_is_no_difference(tmp_path: Path, name: str) -> None:
    other = frame(TOKENS["other"], **{name: NOT_TOLD[name]})
    assert compared(tmp_path, [frame(TOKENS["one"])], [other]) == []


@pytest.mark.parametrize("name", TOLD)
def test_everything_else_is(tmp_path: Path, name: str) -> None:
    other = frame(TOKENS["other"], **{name: TOLD[name]})
    told = compared(tmp_path, [frame(TOKENS["one"])], [other])
    assert [line.split(": ")[0] for line in told] == ["echo at gate:eth2 in"] * 2
    assert "1 only in " in told[0] and "1 only in " in told[1]


def test_the_same_packet_once_more_is_a_difference(tmp_path: Path) -> None:
    mine, theirs = frame(TOKENS["one"]), frame(TOKENS["other"])
    assert compared(tmp_path, [mine, mine], [theirs, theirs]) == []
    assert len(compared(tmp_path / "more", [mine, mine], [theirs])) == 1


def test_order_is_free_and_direction_is_not(tmp_path: Path) -> None:
    """Two answers may overtake each other; a packet that goes the other way is another one."""
    first, second = frame(TOKENS["one"], sequence=1), frame(TOKENS["one"], sequence=2)
    theirs = [frame(TOKENS["other"], sequence=number) for number in (2, 1)]
    assert compared(tmp_path, [first, second], theirs) == []
    own = next(nic.mac for nic in planned().traced() if nic.trace == "middle")
    back = frame(TOKENS["other"], macs=bytes(6) + bytes.fromhex(own.replace(":", "")))
    assert len(compared(tmp_path / "back", [frame(TOKENS["one"])], [back])) == 2


def test_a_byte_of_the_payload_is_told(tmp_path: Path) -> None:
    """The token's pattern is taken away byte by byte, so that one wrong byte stays."""
    theirs = bytearray(frame(TOKENS["other"]))
    theirs[-1] ^= 1
    assert len(compared(tmp_path, [frame(TOKENS["one"])], [bytes(theirs)])) == 2


def test_a_token_in_any_phase_is_taken_away() -> None:
    token = TOKENS["one"]
    turned = token[5:] + token[:5]
    assert normalized(frame(token), token) == normalized(frame(turned), turned)
    shifted = frame(turned)
    assert token in shifted and bytes(40) in normalized(shifted, token)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    plan = planned()
    whole = run(tmp_path / "whole", plan, TOKENS["one"], {})
    with pytest.raises(UsageError, match=r"observations\.json isn't as a run writes it"):
        differences(plan, whole, tmp_path)
    next((whole / "captures").iterdir()).unlink()
    with pytest.raises(UsageError, match="has no "):
        differences(plan, whole, whole)
