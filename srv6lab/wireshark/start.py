"""Starts Wireshark where it is there and has a display: apart from this process, with a configuration folder of its own.

A person's own configuration isn't touched: Wireshark writes what it remembers into the folder that it is given.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PLACES = (
    "/Applications/Wireshark.app/Contents/MacOS/Wireshark",
    "C:\\Program Files\\Wireshark\\Wireshark.exe",
)
_MOMENT = 1.0  # seconds in which a Wireshark that can't start ends


@dataclass(frozen=True, slots=True)
class Opening:
    """What is opened: the capture, with a profile of the folder `config`."""

    capture: Path
    config: Path
    profile: str

    def argv(self, program: str) -> list[str]:
        return [program, "-C", self.profile, "-r", str(self.capture)]

    def typed(self) -> str:
        """What a person types, here or where the folder was copied to."""
        config = shlex.quote(str(self.config))
        return f"WIRESHARK_CONFIG_DIR={config} {shlex.join(self.argv('wireshark'))}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who used sudo, and is given the window: Wireshark shouldn't run as root."""

    name: str
    uid: int
    gid: int
    home: str


def program(environ: Mapping[str, str] = os.environ) -> str | None:
    """Where Wireshark is, None where it isn't."""
    return shutil.which("wireshark", path=environ.get("PATH")) or next(
        (place for place in _PLACES if Path(place).is_file()), None
    )


def display(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> bool:
    """Whether there is something to show a window on."""
    return system in ("darwin", "win32") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def person(environ: Mapping[str, str] = os.environ) -> Person | None:
    """Who used sudo, if that is why this runs as root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    try:
        known = pwd.getpwnam(environ["SUDO_USER"])
    except KeyError:
        return None
    return Person(known.pw_name, known.pw_uid, known.pw_gid, known.pw_dir) if known.pw_uid else None


def give(paths: Iterable[Path], to: Person) -> None:
    """Let whoever looks at files and folders own them: Wireshark writes into its configuration folder."""
    for path in paths:
        os.chown(path, to.uid, to.gid, follow_symlinks=False)


def start(wireshark: str, opening: Opening, to: Person | None = None) -> str:
    """Start it apart from this process, as that person; "" if it runs, else why it ended at once."""
    environ = {**os.environ, "WIRESHARK_CONFIG_DIR": str(opening.config.resolve())}
    argv = [wireshark, "-C", opening.profile, "-r", str(opening.capture.resolve())]
    log = opening.config / "wireshark.log"
    as_whom = {"user": to.uid, "group": to.gid, "extra_groups": []} if to else {}
    if to:
        environ |= {"HOME": to.home, "USER": to.name, "LOGNAME": to.name}
    with log.open("wb") as said:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environ,
            cwd=opening.config, start_new_session=True, **as_whom,  # type: ignore[call-overload]
        )  # fmt: skip
    try:
        code = process.wait(_MOMENT)
    except subprocess.TimeoutExpired:
        return ""
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"it ended with status {code}" + (f": {last[-1]}" if last else "") if code else ""
