"""Grading folders of captures: a run's own, parts of it, and what learners hand in from other machines."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import UsageError
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.host.files import write_whole
from srv6lab.judge.grade import grade
from srv6lab.plan.nodes import Nic, Plan
from tests.captures import frames
from tests.conftest import LABS, Up, silent
from tests.small import not_passed

NAME = LABS[0]


@dataclass(frozen=True)
class Run:
    """A run of a real lab's first exercise, copied away from where it was made."""

    plan: Plan
    exercise: str
    folder: Path
    verdict: Verdict

    @property
    def pcaps(self) -> list[Path]:
        return sorted((self.folder / "captures").iterdir())

    @property
    def observations(self) -> Path:
        return self.folder / "observations.json"

    def grade(self, folder: Path | None = None) -> Verdict:
        return grade(self.plan, self.exercise, folder or self.folder, silent)

    def judged(self) -> Nic:
        """A NIC where the author expects packets."""
        _, exercise = self.plan.exercise(self.exercise)
        at = next(one.at for one in exercise.expect.packets if not one.absent)
        return next(nic for nic in self.plan.nics() if str(nic.point) == at)

    def pcap(self, nic: Nic) -> Path:
        return self.folder / "captures" / f"{nic.trace}.pcap"

    def rewrite(self, **changes: Any) -> None:
        document = json.loads(self.observations.read_text())
        write_whole(self.observations, json.dumps({**document, **changes}))


@pytest.fixture(scope="module")
def recorded(bring_up: Callable[[str], Up]) -> Run:
    lab = bring_up(NAME)
    name = lab.plan.exercises[0].name
    (verdict,) = check(lab.running, lab.plan, [name], silent)
    assert verdict.status is Status.PASS, verdict
    return Run(lab.plan, name, lab.running.home.run(name), verdict)


@pytest.fixture
def run(recorded: Run, tmp_path: Path) -> Run:
    folder = tmp_path / "a run, from elsewhere"
    shutil.copytree(recorded.folder, folder)
    return replace(recorded, folder=folder)


@pytest.fixture
def alone(run: Run, tmp_path: Path) -> Run:
    """The pcaps and nothing else: what a learner hands in."""
    folder = tmp_path / "handed-in"
    shutil.copytree(run.folder / "captures", folder / "captures")
    return replace(run, folder=folder)


def test_a_run_is_graded_the_same_elsewhere(run: Run) -> None:
    assert run.grade() == run.verdict


def test_the_captures_folder_of_a_run_is_the_run(run: Run) -> None:
    assert run.grade(run.folder / "captures") == run.verdict


def test_the_captures_folder_is_the_run_from_within(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder / "captures")
    run.rewrite(exercise="another")
    with pytest.raises(UsageError, match="another"):
        run.grade(Path())


def test_pcaps_alone_are_graded_as_a_typed_ping(alone: Run) -> None:
    assert alone.grade().status is Status.PASS
    assert alone.grade(alone.folder / "captures").status is Status.PASS


def test_a_missing_file_is_inconclusive_and_named(run: Run) -> None:
    nic = run.judged()
    run.pcap(nic).unlink()
    verdict = run.grade()
    assert verdict.status is Status.INCONCLUSIVE
    assert {item.point for item in verdict.items if item.status is not Status.PASS} == {nic.point}
    assert any(f"no {nic.trace}.pcap" in item.note for item in verdict.items)


def test_only_what_was_handed_in_is_needed_for_what_it_shows(alone: Run) -> None:
    kept = alone.pcap(alone.judged())
    for path in alone.pcaps:
        if path != kept:
            path.unlink()
    verdict = alone.grade()
    assert verdict.status is Status.PASS
    count = len(list(alone.plan.traced()))
    assert verdict.items[-1].note.startswith(f"1 of {count} points judged; not handed in: ")
    strict = grade(alone.plan, alone.exercise, alone.folder, silent, strict=True)
    assert (strict.status, set(not_passed(strict))) == (Status.INCONCLUSIVE, {"missing", "tracer"})


@pytest.mark.parametrize("cut", [1, 60])
def test_a_file_cut_short_is_inconclusive_and_says_where(run: Run, cut: int) -> None:
    path = run.pcap(run.judged())
    path.write_bytes(path.read_bytes()[:-cut])
    verdict = run.grade()
    assert verdict.status is Status.INCONCLUSIVE
    assert any("cut short in record" in item.note for item in verdict.items)


def test_a_file_that_lost_whole_packets_is_inconclusive(run: Run) -> None:
    path = run.pcap(run.judged())
    path.write_bytes(frames.pcap(list(_frames(path.read_bytes()))[:-1]))
    verdict = run.grade()
    assert verdict.status is Status.INCONCLUSIVE
    assert any("packets of" in item.note for item in verdict.items)


def test_a_file_that_is_no_capture_is_inconclusive_and_told_with_its_name(run: Run) -> None:
    path = run.pcap(run.judged())
    path.write_text("<html>404</html>")
    verdict = run.grade()
    assert verdict.status is Status.INCONCLUSIVE
    assert any(f"{path.name}: it is no capture" in item.note for item in verdict.items)


def test_an_empty_file_is_inconclusive(run: Run) -> None:
    run.pcap(run.judged()).write_bytes(b"")
    assert run.grade().status is Status.INCONCLUSIVE


def test_pcapng_is_as_good(alone: Run) -> None:
    for path in alone.pcaps:
        path.with_suffix(".pcapng").write_bytes(frames.pcapng(list(_frames(path.read_bytes()))))
        path.unlink()
    assert alone.grade().status is Status.PASS


def test_files_of_other_names_do_not_matter(alone: Run) -> None:
    (alone.folder / "captures" / "notes.txt").write_text("mine")
    (alone.folder / "captures" / "other.pcap").write_text("no capture")
    assert alone.grade().status is Status.PASS


def test_a_folder_without_captures_of_the_lab_says_which_names_it_looks_for(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=f"{run.judged().trace}.pcap"):
        run.grade(empty)


def test_a_folder_that_is_none_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="no folder"):
        run.grade(run.folder / "nowhere")
    with pytest.raises(UsageError, match="no folder"):
        run.grade(run.observations)


def test_a_dropping_tracer_is_inconclusive(run: Run) -> None:
    document = json.loads(run.observations.read_text())
    for one in document["tracers"]:
        one["dropped"] = 1
    run.rewrite(tracers=document["tracers"])
    assert run.grade().status is Status.INCONCLUSIVE


@pytest.mark.parametrize("key", ["exercise", "lab"])
def test_observations_of_another_run_are_refused(run: Run, key: str) -> None:
    run.rewrite(**{key: "of-something-else"})
    with pytest.raises(UsageError, match="of-something-else"):
        run.grade()


def test_observations_of_another_schema_are_refused(run: Run) -> None:
    run.rewrite(schema=99)
    with pytest.raises(UsageError, match="another version"):
        run.grade()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"schema": 2}',
        '{"schema": 2, "lab": "x", "exercise": "y"}',
        '{"schema": 2, "lab": "x", "exercise": "y", "probes": 7, "tracers": []}',
        '{"schema": 2, "lab": "x", "exercise": "y", "probes": [{"probe": "p", "sentt": 1}], "tracers": []}',
        '{"schema": 2, "lab": "x", "exercise": "y", "probes": [], "tracers": [{"point": "nowhere"}]}',
        '{"schema": 2, "lab": "x", "exercise": "y", "probes": [], "tracers": [{"point": 7}]}',
    ],
)
def test_garbage_for_observations_is_refused_with_its_name(run: Run, text: str) -> None:
    run.observations.write_text(text)
    with pytest.raises(UsageError, match=r"observations\.json"):
        run.grade()


def test_observations_in_another_encoding_are_refused(run: Run) -> None:
    run.observations.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"observations\.json"):
        run.grade()


class TestAForeignMachine:
    """The same packets as VirtualBox would have shown them: other MACs, neighbors that ask for each
    other, and a ping that a person typed, some time after another one."""

    @pytest.fixture
    def foreign(self, alone: Run) -> Run:
        macs = {nic.mac: f"08:00:27:{nic.mac[9:]}" for nic in alone.plan.nics()}
        nics = {nic.point: nic for nic in alone.plan.nics()}
        for nic in nics.values():
            path = alone.pcap(nic)
            seen = [_with_macs(frame, macs) for frame in _frames(path.read_bytes())]
            asked = list(_neighbors(nic, nics[nic.peer], macs))
            path.write_bytes(frames.pcap([*asked, *map(_earlier, seen), *seen, *asked]))
        return alone

    def test_it_passes(self, foreign: Run) -> None:
        verdict = foreign.grade()
        assert verdict.status is Status.PASS, [item for item in verdict.items if item.status != "pass"]

    def test_no_packet_has_a_mac_of_the_plan(self, foreign: Run) -> None:
        planned = {frames.mac(nic.mac) for nic in foreign.plan.nics()}
        for path in foreign.pcaps:
            assert not planned & {
                half for frame in _frames(path.read_bytes()) for half in (frame[:6], frame[6:12])
            }

    def test_it_fails_for_a_wrong_packet(self, foreign: Run) -> None:
        """The last frame before the neighbors' is an answer; with one more hop it is another packet."""
        nic = next(nic for nic in foreign.plan.nics() if nic.address.version == 4)
        path = foreign.pcap(nic)
        found = list(_frames(path.read_bytes()))
        last = max(index for index, frame in enumerate(found) if frame[12:14] == b"\x08\x00")
        found[last] = _with_hop_limit(found[last], 3)
        path.write_bytes(frames.pcap(found))
        items = [item for item in foreign.grade().items if item.status is Status.FAIL]
        assert {(item.point, item.field, item.captured) for item in items} == {(nic.point, "hop_limit", "3")}


def _frames(data: bytes) -> Iterator[bytes]:
    offset = 24
    while offset < len(data):
        (length,) = struct.unpack_from("<I", data, offset + 8)
        yield data[offset + 16 : offset + 16 + length]
        offset += 16 + length


def _with_macs(frame: bytes, macs: dict[str, str]) -> bytes:
    for old, new in macs.items():
        frame = frame.replace(frames.mac(old), frames.mac(new))
    return frame


def _earlier(frame: bytes) -> bytes:
    """The same echo of another ping: its identifier is another one, and its checksum is right."""
    found = _echo_at(frame)
    if found is None:
        return frame
    head, body = frame[:found], bytearray(frame[found:])
    body[4:6] = struct.pack("!H", struct.unpack_from("!H", body, 4)[0] ^ 0x5555)
    body[2:4] = b"\0\0"
    body[2:4] = struct.pack("!H", frames.checksum(bytes(body)))
    return head + bytes(body)


def _echo_at(frame: bytes) -> int | None:
    """Where the ICMP echo begins that is the last thing in an IPv4 packet, alone or in IPv6."""
    for at in (14, *range(54, len(frame) - 28, 8)):
        if frame[at : at + 2] == b"\x45\x00" and frame[at + 9] == 1 and frame[at + 20] in (0, 8):
            (length,) = struct.unpack_from("!H", frame, at + 2)
            if at + length == len(frame):
                return at + 20
    return None


def _with_hop_limit(frame: bytes, hop_limit: int) -> bytes:
    head = bytearray(frame[14:34])
    head[8], head[10:12] = hop_limit, b"\0\0"
    head[10:12] = struct.pack("!H", frames.checksum(bytes(head)))
    return frame[:14] + bytes(head) + frame[34:]


def _neighbors(nic: Nic, peer: Nic, macs: dict[str, str]) -> Iterator[bytes]:
    """Each end of a link asks for the other one."""
    for one, other in ((nic, peer), (peer, nic)):
        mac, ours, theirs = macs[one.mac], str(one.address.ip), str(other.address.ip)
        if one.address.version == 4:
            yield frames.arp(mac, ours, theirs)
        else:
            yield frames.mac(macs[other.mac]) + frames.neighbor(135, ours, theirs, theirs, 1, mac)[6:]


def test_every_exercise_is_graded_the_same_elsewhere(light_lab: Up, tmp_path: Path) -> None:
    """Alerts and counters travel with the captures."""
    names = [exercise.name for exercise in light_lab.plan.exercises]
    for name, verdict in zip(names, check(light_lab.running, light_lab.plan, names, silent), strict=True):
        shutil.copytree(light_lab.running.home.run(name), tmp_path / name)
        assert grade(light_lab.plan, name, tmp_path / name, silent) == verdict


def test_files_with_other_names_are_found_by_what_is_in_them(alone: Run) -> None:
    """All but those in which there is nothing."""
    spoken = sum(bool(list(_frames(path.read_bytes()))) for path in alone.pcaps)
    for number, path in enumerate(alone.pcaps):
        path.rename(path.with_name(f"mine {number}.pcap"))
    verdict = alone.grade()
    assert verdict.status is Status.PASS, verdict
    words = " ".join(item.note for item in verdict.items if item.kind == "not-handed-in")
    whole = len(list(alone.plan.traced()))
    assert spoken == whole or f"{spoken} of {whole} points" in words


def test_a_file_is_of_the_nic_that_it_is_mapped_to(alone: Run) -> None:
    nic = alone.judged()
    alone.pcap(nic).rename(alone.folder / "captures" / "mine.pcap")
    said = [f"mine.pcap={nic.point}"]
    verdict = grade(alone.plan, alone.exercise, alone.folder, silent, mapped=said)
    assert verdict.status is Status.PASS
    with pytest.raises(UsageError, match=r"absent\.pcap can't be read"):
        grade(alone.plan, alone.exercise, alone.folder, silent, mapped=[f"absent.pcap={nic.point}"])
