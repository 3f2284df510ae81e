"""`python3 -m srv6lab.agent CONFIG STATE`"""

from __future__ import annotations

import sys
from pathlib import Path

from .loop import main

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python3 -m srv6lab.agent CONFIG STATE")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
