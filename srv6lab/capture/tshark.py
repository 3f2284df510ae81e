"""Starts tshark, and hands over each frame as it describes it; what a frame says is for `fields`.

The only importer of pyshark, whose traps it keeps to itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from packaging.version import Version
from pyshark.capture.file_capture import FileCapture
from pyshark.tshark.output_parser.tshark_ek import TsharkEkJsonParser

from srv6lab.capture.asking import PREFERENCES, Failure, environment, layers_of, selection

_PATIENCE = 10.0  # seconds that tshark gets to end by itself after its output has ended


def describe(
    program: Path,
    path: Path,
    display_filter: str,
    messages: Sequence[str],
    take: Callable[[dict[str, Any]], None],
) -> Failure | None:
    """Hand the layers of each frame of a file to `take`, as tshark describes them; `messages` are
    routing protocols whose layers are wanted, too, or SRH_BYTES."""
    with closing(_Loop(path.parent)) as loop:
        reader = _Reader(program, path, loop, selection(display_filter, messages))
        reader.apply_on_packets(take)
    return Failure(reader.status, reader.said) if reader.status else None


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose child processes get an environment of their own.

    Given a loop, pyshark leaves asyncio's child watchers alone, which Python 3.14 no longer has.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._environment = environment(folder)

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return await super().subprocess_exec(*arguments, **{"env": self._environment, **options})


class _Frames(TsharkEkJsonParser):  # type: ignore[misc]
    """pyshark's own Packet loses the second IPv6 header: it keeps one layer a name."""

    def _parse_single_packet(self, packet: bytes) -> Any:
        return layers_of(packet)


class _Reader(FileCapture):  # type: ignore[misc]
    """pyshark's FileCapture without its traps."""

    def __init__(self, program: Path, path: Path, loop: _Loop, selected: Sequence[str]) -> None:
        self.status: int | None = None
        self.said = ""
        super().__init__(
            str(path),
            keep_packets=False,
            use_ek=True,
            eventloop=loop,
            tshark_path=str(program),
            override_prefs=PREFERENCES,
            custom_parameters=[*selected],
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
