"""What this program is called by who types it: messages name commands by it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "SRV6LAB_CALLED"  # tells it to what runs inside a machine
_OURS, _INVOKE = "srv6lab", "invoke"
_ROOTS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what sudo looks through


def called_by(program: str) -> str:
    """`srv6lab` for the command of that name and for `python -m srv6lab`; `invoke` for all else, as in a clone."""
    path = Path(program)
    ours = path.stem == _OURS or path.parts[-2:] == (_OURS, "__main__.py")
    return _OURS if ours else _INVOKE


def _called() -> str:
    told = os.environ.get(VARIABLE)
    return told if told in (_OURS, _INVOKE) else called_by(sys.argv[0] if sys.argv else "")


def _for_sudo() -> str:
    """The program as sudo finds it, which doesn't look into a user's own folders."""
    if CALLED == _INVOKE:
        return ".venv/bin/invoke"
    return CALLED if shutil.which(CALLED, path=_ROOTS_PATH) else f'"$(command -v {CALLED})"'


CALLED = _called()
FOR_SUDO = _for_sudo()
WITH_SUDO = "run the same command with sudo"
if FOR_SUDO.startswith('"'):
    WITH_SUDO += f": sudo {FOR_SUDO} …"
