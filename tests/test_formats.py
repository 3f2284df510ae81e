"""The captures of a right run, written as other tools write them: judged as they were, or inconclusive and told why."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from srv6lab.capture import reading, unpack
from srv6lab.capture.pcap import packets
from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.judge.grade import grade
from srv6lab.plan.nodes import Nic, Plan
from tests.captures import formats, frames
from tests.captures.formats import Timed, Writer
from tests.conftest import SITE, Up, sampled, silent


@dataclass(frozen=True)
class Recorded:
    """A right run of a lab's first exercise: what each NIC's tracer wrote."""

    plan: Plan
    exercise: str
    traced: dict[str, Timed]

    def written(self, folder: Path, write: Callable[[Nic], Writer]) -> Verdict:
        for nic in self.plan.traced():
            (folder / f"{nic.trace}.pcap").write_bytes(write(nic)(self.traced[nic.trace]))
        return grade(self.plan, self.exercise, folder, silent)


@pytest.fixture(scope="module")
def recorded(bring_up: Callable[[str], Up]) -> Recorded:
    lab = bring_up(SITE.course()[0][0].name)
    name = lab.plan.exercises[0].name
    (verdict,) = check(lab.running, lab.plan, [name], silent)
    assert verdict.status is Status.PASS, verdict
    folder = lab.running.home.run(name) / "captures"
    begin = 1_700_000_000_000_000
    traced = {
        nic.trace: [(begin + n, frame) for n, frame in enumerate(packets(folder / f"{nic.trace}.pcap"))]
        for nic in lab.plan.traced()
    }
    return Recorded(lab.plan, name, traced)


def why(verdict: Verdict) -> str:
    return "\n".join(f"{item.point}: {item.note}" for item in verdict.items if item.status is not Status.PASS)


@pytest.mark.parametrize("kind", sampled([*formats.PASS], 3))
def test_a_right_run_passes_in_every_kind_of_file(kind: str, recorded: Recorded, tmp_path: Path) -> None:
    verdict = recorded.written(tmp_path, lambda _: formats.PASS[kind])
    assert verdict.status is Status.PASS, why(verdict)


@pytest.mark.parametrize("kind", sampled([*formats.INCONCLUSIVE], 3))
def test_what_can_not_be_read_is_inconclusive_and_told(kind: str, recorded: Recorded, tmp_path: Path) -> None:
    write, reason = formats.INCONCLUSIVE[kind]
    verdict = recorded.written(tmp_path, lambda _: write)
    assert verdict.status is Status.INCONCLUSIVE, verdict
    assert reason in why(verdict)


@pytest.mark.parametrize("address", [True, False])
@pytest.mark.parametrize("link", [113, 276])
def test_cooked_captures_are_judged(link: int, address: bool, recorded: Recorded, tmp_path: Path) -> None:
    """By the senders' addresses or, where the tracer kept none, by its word of what was outgoing."""

    def write(nic: Nic) -> Writer:
        own = frames.mac(nic.mac)
        wrap = formats.cooked(own) if link == 113 else formats.cooked_again(own, address)
        return formats.each(wrap, lambda timed: formats.pcap(timed, link=link))

    verdict = recorded.written(tmp_path, write)
    assert verdict.status is Status.PASS, why(verdict)


def test_a_wrong_packet_is_seen_in_a_tagged_frame(recorded: Recorded, tmp_path: Path) -> None:
    """The same files with one bit of each hop limit and TTL turned."""

    def turned(frame: bytes) -> bytes:
        at = {b"\x86\xdd": 21, b"\x08\x00": 22}.get(frame[12:14])
        return frame if at is None else frame[:at] + bytes([frame[at] ^ 16]) + frame[at + 1 :]

    write = formats.each(turned, formats.PASS["tagged"])
    assert recorded.written(tmp_path, lambda _: write).status is Status.FAIL


def test_what_is_wrong_in_a_malformed_frame_is_told(tmp_path: Path) -> None:
    path = tmp_path / "malformed.pcap"
    broken = frames.srh(41, ["fc00:3::a"], 255, b"", tag=1)[:4] + b"\x50" + bytes(19)
    path.write_bytes(
        frames.pcap([frames.ping(), frames.ether(frames.ipv6("::1", "::2", 43, broken + bytes(76)))])
    )
    note = reading.read(path).note
    assert "1 frame malformed (2): tshark stops in ipv6.routing" in note
    assert "segments left" in note.lower()


def test_a_file_that_unpacks_to_too_much_is_read_as_far_as_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MOST", 3 << 20)
    path = tmp_path / "bomb.pcap.gz"
    record = struct.pack("<IIII", 0, 0, 200_000, 200_000) + bytes(200_000)
    path.write_bytes(gzip.compress(frames.pcap([frames.ping()]) + record * 40))
    found = reading.read(path)
    assert "more than 3 MiB" in found.note
    assert len(found.packets) == 1


def test_one_file_of_another_kind_leaves_the_others_judged(recorded: Recorded, tmp_path: Path) -> None:
    odd = next(iter(recorded.plan.traced()))
    verdict = recorded.written(
        tmp_path, lambda nic: (lambda _: b"<html>") if nic == odd else formats.PASS["pcapng"]
    )
    assert verdict.status is Status.INCONCLUSIVE
    assert {item.point for item in verdict.items if item.status is not Status.PASS} == {odd.point}
