"""A SID that does something else than it should: another next hop, other segments, another end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        sid, node = scene.sid(visit), visit.place.node
        line = sid and scene.day0(node, f"route replace {sid.prefix}")
        for now in _others(line) if line else ():
            truth = f"SID {sid.sid if sid else ''} of {node} isn't bound as planned: {now.partition(' encap seg6local ')[2]}"
            yield Fault(node, truth, at(node, now), at(node, line or ""))


def _others(line: str) -> Iterator[str]:
    """What might have been typed instead."""
    if found := re.search(r" action End\.DX[46] nh[46] \S+", line):
        yield line.replace(found[0], " action End")
    if found := re.search(r" action End\.X nh6 (\S+)", line):
        yield line.replace(found[0], " action End")
        yield line.replace(f" nh6 {found[1]}", f" nh6 {_near(found[1])}")
    if found := re.search(r" srh segs (\S+)", line):
        segments = found[1].split(",")
        yield line.replace(found[1], ",".join(segments[::-1] if len(segments) > 1 else [_near(segments[0])]))
    if " action End dev " in line:
        yield line.replace(" action End dev ", " action End.DT6 table 254 dev ")


def _near(address: str) -> str:
    """An address beside it, on the same link."""
    return str(ip_address(address) + 40)


KIND = Kind(
    "sid-otherwise",
    2,
    "a SID is there, and does something else: it has another behavior, another next hop, or other segments",
    "That a SID is installed says nothing yet: its behavior and each of its parameters have to be right.",
    "bind the SID as it was planned",
    ("sid-differs",),
    _find,
)
