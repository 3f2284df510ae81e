"""A folder of one's own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from srv6lab.called import CALLED
from srv6lab.host.files import shown
from srv6lab.tasks.words import SITE


@task(
    help={
        "folder": "the folder to make; one that is there gets what it lacks",
        "from": "a lab to copy into it, to change it (default: a small first lab)",
    },
    positional=["folder"],
)
def init(_: Context, folder: str, from_: str = "") -> None:
    """Make a folder of your own: a first lab, CI that checks it, an editor that knows topology files.

    Overwrites nothing. In it srv6lab finds its labs, and the course's beside them.
    """
    from srv6lab.cli.init import make

    made = make(Path(folder), SITE.known(SITE.refer(from_)).path if from_ else None)
    for path in made.files:
        print(shown(path))
    for path in made.left:
        print(f"{shown(path)} is there already: left as it is", file=sys.stderr)
    go = "" if Path(folder).resolve() == Path.cwd() else f"cd {shlex.quote(folder)}, then "
    print(f"Next: {go}{CALLED} up {made.lab}, and {CALLED} check {made.lab}", file=sys.stderr)
