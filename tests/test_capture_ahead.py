"""What is read ahead is what is read: the same of each file, and nothing of a file that isn't as it was then."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import srv6lab.capture.tshark
from srv6lab.capture import ahead, reading
from srv6lab.capture.ahead import Ahead, Waiting
from srv6lab.capture.asking import SRH_BYTES, find
from tests.captures import frames


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    """Two files with what the seed has, one that ends within a record, one without any, and some of other kinds."""
    built = {
        "plain": frames.pcap(frames.seed()),
        "again": frames.pcap(frames.seed()),
        "none": frames.pcap([]),
        "cut": frames.pcap([frames.ping(1), frames.ping(2)])[:-1],
        "wide": frames.pcap([frames.ping(number) for number in range(9)], snaplen=400),
    }
    for name, data in built.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in built}


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that tsharks were started for, after others had read ahead."""
    found: list[Path] = []
    describe = srv6lab.capture.tshark.describe

    def counted(program: Path, path: Path, *others: Any) -> Any:
        found.append(path)
        return describe(program, path, *others)

    monkeypatch.setattr(srv6lab.capture.tshark, "describe", counted)
    return found


def test_it_is_what_is_read_without(paths: dict[str, Path], starts: list[Path]) -> None:
    (paths["plain"].parent / "strange").write_bytes(b"no capture")
    (paths["plain"].parent / "folder").mkdir()
    with Ahead(find(), [*paths["plain"].parent.iterdir(), Path("/nonexistent")]) as told:
        found = reading.read_all(dict(reversed(paths.items())), ahead=told)
        some = reading.read_all({"wide": paths["wide"]}, ahead=told)
    assert starts == []
    assert found == reading.read_all(paths) and len(starts) == 1
    assert some == {"wide": found["wide"]} and len(some["wide"].packets) == 9
    assert "cut short" in found["cut"].note and len(found["cut"].packets) == 1


def test_one_that_waited_says_the_same_once(paths: dict[str, Path], starts: list[Path]) -> None:
    with closing(Waiting(find())) as told:
        found = reading.read_all(paths, ahead=told)
        assert starts == []
        assert found == reading.read_all(paths, ahead=told) and len(starts) == 1


def test_one_that_was_ended_says_nothing_and_another_reads(
    paths: dict[str, Path], starts: list[Path]
) -> None:
    with closing(Waiting(find())) as told:
        told._process.kill()
        found = reading.read_all(paths, ahead=told)
    assert len(starts) == 1 and found == reading.read_all(paths)


def test_of_a_file_that_was_changed_nothing_is_known(paths: dict[str, Path], starts: list[Path]) -> None:
    with Ahead(find(), paths.values()) as told:
        paths["plain"].write_bytes(frames.pcap([frames.ping(3)]))
        found = reading.read_all(paths, ahead=told)
    assert len(starts) == 1 and len(found["plain"].packets) == 1
    assert found == reading.read_all(paths)


@pytest.mark.parametrize("asked", [{"messages": (SRH_BYTES,)}, {"display_filter": "icmp"}])
def test_what_else_is_asked_for_is_read(
    asked: dict[str, Any], paths: dict[str, Path], starts: list[Path]
) -> None:
    with Ahead(find(), paths.values()) as told:
        found = reading.read_all(paths, ahead=told, **asked)
    assert len(starts) == 1 and found == reading.read_all(paths, **asked)


def test_files_that_can_not_be_joined_are_read_on_their_own(
    paths: dict[str, Path], starts: list[Path]
) -> None:
    others = {"packed": gzip.compress(frames.pcap(frames.seed())), "next": frames.pcapng(frames.seed())}
    for name, data in others.items():
        paths[name] = paths["plain"].parent / name
        paths[name].write_bytes(data)
    with Ahead(find(), paths.values()) as told:
        found = reading.read_all(paths, ahead=told)
    assert found == reading.read_all(paths)
    assert found["packed"].packets == found["plain"].packets != ()


@pytest.mark.parametrize("why", ["tshark fails", "too large", "no room"])
def test_a_tshark_that_knows_nothing_is_done_without(
    why: str, paths: dict[str, Path], starts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if why == "too large":
            patched.setattr(ahead, "_MOST", 100)
        if why == "no room":
            patched.setattr(ahead.pcap, "join", full)
        told = Ahead(Path("/bin/false") if why == "tshark fails" else find(), paths.values())
    with told:
        found = reading.read_all(paths, ahead=told)
    assert len(starts) == 1 and len(found["plain"].packets) == 7
