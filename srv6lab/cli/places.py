"""In which folder somebody works: a clone, a folder with labs of his own, or any other, whose labs then belong to none.

Where labs were brought up is remembered in this user's state, so that who looks for one in a wrong folder is told the
right one.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from srv6lab.host.files import SHARE, state

_STATE = ".srv6lab"
_NO_FOLDER = Path("/")  # from where no folder of labs is found


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with labs, the course's beside them, and where instances lie, unless that is in the folder."""

    root: Path
    shared: Path | None = None
    kept: Path | None = None


def place(called: str) -> Place:
    """The labs that are meant where this runs: those of the `tasks.py` that `invoke` reads; else those of the folder of
    one's own that this is in, else the course's, whose instances then lie in this user's state."""
    if root := folder_of_tasks() if called == "invoke" else own_folder(Path.cwd()):
        return Place(root, SHARE / "labs" if root != SHARE else None)
    return Place(SHARE, kept=user_instances())


def folder_of_tasks() -> Path:
    """The folder of the `tasks.py` that `invoke` reads; the checkout's, where none is read."""
    file = getattr(sys.modules.get("tasks"), "__file__", None)
    return Path(file).resolve().parent if file else SHARE


def own_folder(here: Path) -> Path | None:
    """The nearest folder, this one or above it, with labs in its `labs/`. One that a stranger made isn't taken: in /tmp
    everybody may make one."""
    trusted = {_owner(here), *_we()}
    for folder in (here, *here.parents):
        labs = folder / "labs"
        if any(labs.glob("*/topology.yml")) and {_owner(folder), _owner(labs)} <= trusted:
            return folder
    return None


def _we() -> Iterator[int]:
    """Who runs this: also who asked sudo for it; and root, who may do everything anyhow."""
    yield 0
    if hasattr(os, "geteuid"):
        yield os.geteuid()
    if (asked := os.environ.get("SUDO_UID", "")).isdecimal():
        yield int(asked)


def _owner(path: Path) -> int:
    return path.stat().st_uid


def user_instances() -> Path:
    """Where instances lie that belong to no folder of labs."""
    return state("labs")


def remember(instances: Path) -> None:
    """That labs are brought up there. A state that can't be written is no reason to bring none up."""
    if instances == user_instances():
        return
    place = instances.parent.resolve()
    link = state("places") / hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    with suppress(OSError):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(place)


def elsewhere(instances: Path, name: str) -> str:
    """Where else an instance of that name was brought up, and how to get there; "" where it is not."""
    here = instances.resolve()
    with suppress(OSError):
        known = {_NO_FOLDER: user_instances()}
        known |= {place: place / _STATE for place in map(Path.readlink, state("places").glob("*"))}
        for place, folder in sorted(known.items()):
            if folder.resolve() != here and (folder / name / "state.json").exists():
                return f"it was brought up elsewhere: cd {shlex.quote(str(place))}, and type the same there"
    return ""
