"""tsharks that are begun before it is known what is asked of them, since their start takes longest.

Nothing is believed of a file's name or time: what was read ahead is told of a file with the same bytes alone.
"""

from __future__ import annotations

import shutil
import subprocess
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any

from srv6lab.capture import pcap
from srv6lab.capture.asking import Failure, environment, frames_of, selection, settings
from srv6lab.capture.fields import frame_number
from srv6lab.host.files import opened
from srv6lab.host.scratch import Scratch

Frames = list[tuple[int, dict[str, Any]]]  # numbers within a file, and layers

_MOST = 8 << 20  # bytes: where captures are larger, tshark's start is little of the time that they take


class Pdml:
    """A tshark that waits for a capture. It says in PDML where each field of a frame stands."""

    def __init__(self, program: Path) -> None:
        self._folder = Scratch()
        self._process = subprocess.Popen(
            [str(program), "-n", "-r", "-", "-T", "pdml", *settings()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(Path(self._folder.name)),
        )

    def __enter__(self) -> Pdml:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def said(self, capture: bytes) -> bytes:
        """Of a whole capture, once; MachineError where tshark can't."""
        said, errors = self._process.communicate(capture)
        if self._process.returncode:
            failure = Failure(self._process.returncode, errors.decode(errors="replace").strip())
            raise failure.explained(Path("frames that it was handed"), "")
        return said


class Waiting:
    """A tshark that waits for a capture, and reads one: as many files, joined, as it is then asked for."""

    def __init__(self, program: Path) -> None:
        self._folder = Scratch()
        self._process = subprocess.Popen(
            [str(program), "-n", "-T", "ek", "-r", "-", *settings(), *selection()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(Path(self._folder.name)),
        )
        self._waits = True

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def said(self, parts: Sequence[tuple[Path, pcap.Framing]]) -> list[Frames] | None:
        """Of each file the number and the layers of each frame, with no filter and no messages; None if it can't, or has
        read already."""
        if not self._waits:
            return None
        self._waits = False
        joined = BytesIO()
        pcap.join([(path, framing.end) for path, framing in parts], joined)
        said, _ = self._process.communicate(joined.getvalue())
        ends = [*accumulate(framing.records for _, framing in parts)]
        return None if self._process.returncode else _by_file(ends, said)


class Ahead:
    """A tshark that reads a copy of those of some files that can be joined; of what it can't read it knows nothing."""

    def __init__(self, program: Path, files: Iterable[Path]) -> None:
        self._folder = Scratch()
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: list[int] = []  # the number of each file's last frame
        self._known: dict[bytes, int] = {}  # which of them has these bytes
        with suppress(OSError):  # no room, say: whoever reads the files then says so
            if parts := _alike(Path(self._folder.name), files):
                self._begin(program, parts)

    def _begin(self, program: Path, parts: Sequence[tuple[Path, pcap.Framing]]) -> None:
        folder = Path(self._folder.name)
        self._ends = list(accumulate(framing.records for _, framing in parts))
        self._known = {_digest(*part): index for index, part in enumerate(parts)}
        with Path(folder, "capture").open("wb") as joined:
            pcap.join([(path, framing.end) for path, framing in parts], joined)
        with Path(folder, "said").open("wb") as said:
            self._process = subprocess.Popen(
                [str(program), "-n", "-T", "ek", "-r", joined.name, *settings(), *selection()],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                env=environment(folder),
            )

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def said(self, parts: Sequence[tuple[Path, pcap.Framing]]) -> list[Frames] | None:
        """Of each file the number and the layers of each frame, with no filter and no messages; None if it hasn't read them
        all."""
        asked = [self._known.get(_digest(*part)) for part in parts]
        if self._process is None or None in asked or self._process.wait():
            return None
        found = _by_file(self._ends, Path(self._folder.name, "said").read_bytes())
        return [found[index] for index in asked if index is not None]


def _by_file(ends: Sequence[int], said: bytes) -> list[Frames]:
    """What is said of joined files, of which `ends` are the numbers of the last frames."""
    found: list[Frames] = [[] for _ in ends]
    for layers in frames_of(said):
        number = frame_number(layers)
        index = min(bisect_left(ends, number), len(ends) - 1)
        found[index].append((number - (ends[index - 1] if index else 0), layers))
    return found


def _alike(folder: Path, files: Iterable[Path]) -> list[tuple[Path, pcap.Framing]]:
    """Copies of those that have records and can be joined with the first, each with its framing: nobody writes these."""
    found: list[tuple[Path, pcap.Framing]] = []
    size, key = 0, None
    for number, path in enumerate(files):
        copy = folder / str(number)
        try:
            size += path.lstat().st_size
            if size > _MOST:
                return []
            with opened(path) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            framing = pcap.whole_file(copy)
        except (OSError, ValueError):
            continue
        mine = pcap.joinable_file(copy)
        if framing.records and mine and mine == (key or mine):
            key = mine
            found.append((copy, framing))
    return found


def _digest(path: Path, framing: pcap.Framing) -> bytes:
    """Of a file's whole records, and what says how they are to be read."""
    with path.open("rb") as source:
        return blake2b(source.read(framing.end), digest_size=16).digest()
