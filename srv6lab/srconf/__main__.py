"""`python3 -m srv6lab.srconf`: the same command as the script `srconf` in this folder."""

import sys

from .command import main

sys.exit(main(sys.argv[1:]))
