"""A SID that looks into another table."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        sid, node = scene.sid(visit), visit.place.node
        line = sid and scene.day0(node, f"route replace {sid.prefix}")
        for word, table in sid.parameters if sid and line else ():
            if sid and line and word in ("table", "vrftable"):
                other = line.replace(f" {word} {table} ", f" {word} {ANOTHER} ")
                truth = f"SID {sid.sid} of {node} looks into table {ANOTHER}, not {table}"
                yield Fault(node, truth, at(node, other), at(node, line))


ANOTHER = 77

KIND = Kind(
    "other-table",
    2,
    "a SID looks the packet up in another table than it should",
    "A SID with a table is a door to one customer's routes: behind another number is another customer, or nobody.",
    "bind the SID to its table",
    ("sid-differs", "sid-in-no-vrf", "table-route-missing"),
    _find,
)
