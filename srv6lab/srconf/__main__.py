"""`python3 -m srv6lab.srconf`: the same command as the script `srconf` in this folder."""

import sys
from typing import NoReturn

from .command import main


def script() -> NoReturn:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    script()
