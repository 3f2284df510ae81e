"""`srv6lab`, the command of an installed one: the tasks of `tasks.py`, with no `invoke` that looks for them."""

from __future__ import annotations

from srv6lab.cli import program


def main() -> None:
    program.run()


if __name__ == "__main__":
    main()
