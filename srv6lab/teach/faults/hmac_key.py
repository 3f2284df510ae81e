"""Another secret under the same number."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        srh, node = visit.out.packet.outer.srh if visit.out else None, scene.node(visit)
        for key in (key for key in node.hmac_keys if srh and visit.pushes and srh.hmac == key.number):
            do, mend = (
                f"setsid --wait ip sr hmac set {key.number} {key.algorithm} <<<{shlex.quote(secret)}"
                for secret in ("mistyped", key.secret.decode())
            )
            truth = f"{node.name} has another secret for key {key.number}"
            yield Fault(node.name, truth, at(node.name, do), at(node.name, mend))


KIND = Kind(
    "hmac-key",
    2,
    "a node has another secret for the key of its HMACs",
    "An HMAC says that somebody who has the key wrote the segment list: with another secret nobody believes it.",
    "give the key its secret again",
    ("hmac-key",),
    _find,
)
