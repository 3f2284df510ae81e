"""What Python compiles is kept. `invoke` says that it isn't, and then each command compiles all that it imports."""

from __future__ import annotations

import os
import sys

from srv6lab.host.files import PACKAGE


def keep() -> None:
    """In a folder of one's own: what root leaves in somebody else's he couldn't remove."""
    ours = not hasattr(os, "geteuid") or PACKAGE.stat().st_uid == os.geteuid()
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode) or not ours
