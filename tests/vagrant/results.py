"""What a run in virtual machines leaves behind: its record, and what in it is not as it has to be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from srv6lab.cli.labs import LabsFolder
from srv6lab.images import OUR_BOX
from srv6lab.live.lifecycle import with_box
from srv6lab.render.vagrant import SINGLE_VM, single_vm, vagrant

SITE = LabsFolder(Path(__file__).resolve().parents[2])
Said = dict[str, Any]


def rendered(name: str, box: str = OUR_BOX) -> dict[str, str]:
    """The SHA-256 of every file that the lab renders to, with that box in it, or the file's own where it is ""."""
    plan = with_box(SITE.load(SITE.refer(name))[0], box)
    files = {**vagrant(plan), **{f"{SINGLE_VM}/{path}": one for path, one in single_vm(plan).items()}}
    return {path: sha256(one if isinstance(one, bytes) else one.encode()) for path, one in files.items()}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def failures(result: Said) -> list[str]:
    """What of a result is not as it has to be."""
    found = [f"{name}: {line}" for name, lines in result["differences_from_netns"].items() for line in lines]
    for which in ("machines",) if "snapshot" in result else ("machines", "single_vm"):
        if code := result[which]["check"]["exit"]:
            found.append(f"{which}: check exits {code}")
        for name, one in result[which]["exercises"].items():
            if one["status"] != ["pass"]:
                found.append(f"{which}: {name} is {one['status']}")
        if result[which]["destroy"] != {"exit": 0, "left": []}:
            found.append(f"{which}: destroy left {result[which]['destroy']}")
    return found


def remember(file: Path, provider: str, result: Said) -> None:
    """Put a result beside the other provider's."""
    file.parent.mkdir(exist_ok=True)
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**known, provider: result}, indent=1) + "\n", "utf-8")
