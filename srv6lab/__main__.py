"""`srv6lab`, the command of an installed one: the tasks of `tasks.py`, with no `invoke` that looks for them."""

from __future__ import annotations

import sys

COMPLETE, SCRIPT = "--complete", "--print-completion-script"


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == [COMPLETE]:  # in the time between two keys: nothing else is imported
        from srv6lab.cli import complete

        complete.main([word for word in words[1:] if word != "--"])
    elif words and words[0].partition("=")[0] == SCRIPT:
        from srv6lab.cli import complete

        complete.print_script("".join([words[0].partition("=")[2], *words[1:2]]))
    else:
        from srv6lab import start

        start.imported()  # before tasks import it
        from srv6lab.cli import program

        program.run()


if __name__ == "__main__":
    main()
