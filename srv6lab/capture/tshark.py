"""Starts tshark, and hands over each frame as it describes it; what a frame says is for `fields`.

The only importer of pyshark, whose traps it keeps to itself. What tshark says depends on the file
alone: neither on a person's profile nor on the working directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version
from pyshark.capture.file_capture import FileCapture
from pyshark.tshark.output_parser.tshark_ek import TsharkEkJsonParser

from srv6lab.errors import LabError, MachineError, UsageError
from srv6lab.host.packages import named, remedy

# What one frame says has to depend on that frame alone, so nothing is put together across frames;
# the rest is set because a person's own preferences could change how the fields are laid out.
_PREFERENCES = {
    "ip.check_checksum": "TRUE",
    "udp.check_checksum": "TRUE",
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "ipv6.exthdr_under_root_protocol_tree": "FALSE",
    "tcp.desegment_tcp_streams": "FALSE",
    "tcp.analyze_sequence_numbers": "FALSE",
}
_SHOWN = "frame eth sll vlan arp ip ipv6 icmp icmpv6 tcp udp data _ws.malformed _ws.short"
SRH_BYTES = (
    "ipv6.routing"  # asked for beside routing protocols: all bytes of an SRH, since tshark knows no TLVs
)
_EVERYTHING_OF_USE = "ip or ipv6 or arp"
_PATIENCE = 10.0  # seconds that tshark gets to end by itself after its output has ended


@dataclass(frozen=True, slots=True)
class Failure:
    """tshark ended with an error; its status and what it said."""

    status: int
    said: str

    @property
    def of_the_file(self) -> bool:
        """Whether it is the file that tshark can't read, whatever the machine."""
        return any(
            word in self.said
            for word in ("damaged or corrupt", "cut short", "isn't a capture file", "unsupported")
        )

    def explained(self, path: Path, display_filter: str) -> LabError:
        if display_filter and display_filter in self.said:
            return UsageError(f"tshark can't use the display filter {display_filter!r}: {self.said}")
        how = f"status {self.status}" + (f": {self.said}" if self.said else "")
        return MachineError(f"tshark failed on {path} with {how}", f"see what it says: tshark -n -r {path}")


def find() -> Path:
    found = shutil.which("tshark")
    if found is None:
        what = "tshark isn't installed, and captures are read with it"
        raise MachineError(what, remedy([named("tshark")]))
    return Path(found)


def describe(
    program: Path,
    path: Path,
    display_filter: str,
    messages: Sequence[str],
    take: Callable[[dict[str, Any]], None],
) -> Failure | None:
    """Hand the layers of each frame of a file to `take`, as tshark describes them; `messages` are
    routing protocols whose layers are wanted, too, or SRH_BYTES."""
    wanted = f"({display_filter})" if display_filter else _EVERYTHING_OF_USE
    wanted = " or ".join([wanted, *messages])
    shown = " ".join([_SHOWN, *messages])
    with closing(_Loop(path.parent)) as loop:
        reader = _Reader(program, path, loop, wanted, shown, ["-x"] if SRH_BYTES in messages else [])
        reader.apply_on_packets(take)
    return Failure(reader.status, reader.said) if reader.status else None


class Pdml:
    """A tshark that waits for a capture, so that its start, which takes longest, takes no time of whoever has the
    capture later. It says in PDML where each field of a frame stands."""

    def __init__(self, program: Path) -> None:
        settings = [word for name, value in _PREFERENCES.items() for word in ("-o", f"{name}:{value}")]
        self._folder = tempfile.TemporaryDirectory(prefix="srv6lab-")
        self._process = subprocess.Popen(
            [str(program), "-n", "-r", "-", "-T", "pdml", *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(Path(self._folder.name)),
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


def _environment(folder: Path) -> dict[str, str]:
    """It keeps a person's profile (preferences, disabled protocols) out of what is said."""
    return {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder / "profile")}


def layers_of(line: bytes) -> dict[str, Any]:
    """A frame's layers, from tshark's line; of one that is no JSON only the frame's number."""
    try:
        layers: dict[str, Any] = json.loads(line.decode(errors="replace"))["layers"]
    except ValueError:
        found = re.search(rb'"frame_frame_number":"(\d+)"', line)
        return {"frame": {"frame_frame_number": found[1].decode() if found else "0"}}
    return layers


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose child processes get an environment of their own.

    Given a loop, pyshark leaves asyncio's child watchers alone, which Python 3.14 no longer has.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._environment = _environment(folder)

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return await super().subprocess_exec(*arguments, **{"env": self._environment, **options})


class _Frames(TsharkEkJsonParser):  # type: ignore[misc]
    """pyshark's own Packet loses the second IPv6 header: it keeps one layer a name."""

    def _parse_single_packet(self, packet: bytes) -> Any:
        return layers_of(packet)


class _Reader(FileCapture):  # type: ignore[misc]
    """pyshark's FileCapture without its traps."""

    def __init__(
        self, program: Path, path: Path, loop: _Loop, wanted: str, shown: str, more: Sequence[str]
    ) -> None:
        self.status: int | None = None
        self.said = ""
        super().__init__(
            str(path),
            keep_packets=False,
            use_ek=True,
            eventloop=loop,
            tshark_path=str(program),
            override_prefs=_PREFERENCES,
            custom_parameters=["-Y", wanted, "-J", shown, *more],
        )

    def _get_tshark_path(self) -> str:
        # pyshark would trust a file named config.ini in the working directory.
        return str(self.tshark_path)

    def _get_tshark_version(self) -> Any:
        # Asking costs a second start of tshark, and only decides what every tshark can by now.
        return Version("4.0")

    def _setup_tshark_output_parser(self) -> Any:
        return _Frames()

    async def _handle_process_stderr_forever(self, stderr: Any) -> None:
        said = (await stderr.read()).decode(errors="replace").splitlines()
        self.said = "\n".join(line for line in said if not line.startswith("Running as user"))

    async def _cleanup_subprocess(self, process: Any) -> None:
        # pyshark kills a tshark that is about to end, and so never learns its status.
        if self._eof_reached:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), _PATIENCE)
        self.status = process.returncode
        if process.returncode is None:
            await super()._cleanup_subprocess(process)
