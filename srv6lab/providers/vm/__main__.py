"""Run a command under another kernel: python -m srv6lab.providers.vm KERNEL [--share DIR]… -- COMMAND …"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from srv6lab.errors import LabError
from srv6lab.images import SUITES
from srv6lab.images.kernel import fetch
from srv6lab.providers.vm.boot import booted
from srv6lab.providers.vm.machine import Machine, native


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m srv6lab.providers.vm", description=__doc__)
    parser.add_argument("kernel", choices=SUITES)
    parser.add_argument("--share", action="append", default=[], type=Path)
    parser.add_argument("--memory", type=int, default=2048)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    try:
        kernel = fetch(options.kernel, native(), say)
        shares = {path.resolve(): str(path.resolve()) for path in options.share}
        with booted(Machine(kernel, shares=shares, memory=options.memory), say) as machine:
            return subprocess.run(machine.command(options.command), check=False).returncode
    except LabError as error:
        say(f"error: {error}")
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
