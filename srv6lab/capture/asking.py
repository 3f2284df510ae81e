"""How tshark is asked, whoever starts it: its settings, its errors, and the lines that it answers with.

What it says depends on the file alone: neither on a person's profile nor on the working directory. Nothing is imported
here that takes long.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError, MachineError, UsageError

# What one frame says has to depend on that frame alone, so nothing is put together across frames;
# the rest is set because a person's own preferences could change how the fields are laid out.
PREFERENCES = {
    "ip.check_checksum": "TRUE",
    "udp.check_checksum": "TRUE",
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "ipv6.exthdr_under_root_protocol_tree": "FALSE",
    "tcp.desegment_tcp_streams": "FALSE",
    "tcp.analyze_sequence_numbers": "FALSE",
}
SRH_BYTES = (
    "ipv6.routing"  # asked for beside routing protocols: all bytes of an SRH, since tshark knows no TLVs
)
_SHOWN = "frame eth sll vlan arp ip ipv6 icmp icmpv6 tcp udp data _ws.malformed _ws.short"
_EVERYTHING_OF_USE = "ip or ipv6 or arp"


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
        from srv6lab.host.packages import named, remedy

        what = "tshark isn't installed, and captures are read with it"
        raise MachineError(what, remedy([named("tshark")]))
    return Path(found)


def settings() -> list[str]:
    return [word for name, value in PREFERENCES.items() for word in ("-o", f"{name}:{value}")]


def environment(folder: Path) -> dict[str, str]:
    """It keeps a person's profile (preferences, disabled protocols) out of what is said."""
    return {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder / "profile")}


def selection(display_filter: str = "", messages: Sequence[str] = ()) -> list[str]:
    """Which frames tshark describes, and which of their layers; `messages` are routing protocols that are wanted, too, or
    SRH_BYTES."""
    wanted = f"({display_filter})" if display_filter else _EVERYTHING_OF_USE
    more = ["-x"] if SRH_BYTES in messages else []
    return ["-Y", " or ".join([wanted, *messages]), "-J", " ".join([_SHOWN, *messages]), *more]


def layers_of(line: bytes) -> dict[str, Any]:
    """A frame's layers, from tshark's line; of one that is no JSON only the frame's number."""
    try:
        layers: dict[str, Any] = json.loads(line.decode(errors="replace"))["layers"]
    except ValueError:
        found = re.search(rb'"frame_frame_number":"(\d+)"', line)
        return {"frame": {"frame_frame_number": found[1].decode() if found else "0"}}
    return layers


def frames_of(said: bytes) -> Iterator[dict[str, Any]]:
    """The layers of each frame, from all that tshark said: before each stands a line for those who index it."""
    return (layers_of(line) for line in said.split(b"\n") if line and not line.startswith(b'{"index"'))
