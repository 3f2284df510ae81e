"""`invoke` without what it imports and no task needs: half of the time that it takes to start.

Mocks are for who tests his tasks, with asyncio behind them; its version, with `email` behind it, for `invoke --version`; YAML
for settings of its own, which are read by the one that labs are read with. A signal meanwhile ends the command and says so.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def _safe_load(text: Any) -> Any:
    import yaml

    return yaml.safe_load(text)


_ASIDE: dict[str, dict[str, Any]] = {
    "unittest.mock": {"Mock": type("Mock", (), {})},  # of which nothing is an instance
    "importlib.metadata": {"version": lambda _: ""},
    "invoke.vendor.yaml": {"safe_load": _safe_load},
}

_OBJECTS = (
    50_000  # made before Python looks for circles among them: imports and plans make many, and keep them
)


@contextmanager
def _without() -> Iterator[None]:
    """Who asks for one of them later gets what it is."""
    aside = [name for name in _ASIDE if name not in sys.modules]
    for name in aside:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__dict__.update(_ASIDE[name])
    try:
        yield
    finally:
        for name in aside:
            del sys.modules[name]


def _leave(number: int, _: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(1 if number == signal.SIGINT else 128 + number)


def _leave_at_once() -> None:
    """A signal ends what has begun nothing yet, until `host/interrupts.py` listens: no traceback of an import."""
    before = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    for name, handler in before.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == handler:
            signal.signal(number, _leave)


def imported() -> Any:
    """The program of `invoke`."""
    _leave_at_once()
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)  # what is there at the end is not looked through once more
    if "invoke" in sys.modules or {"--version", "-V"} & set(sys.argv[1:]):
        from invoke.main import program

        return program
    with _without():
        from invoke.main import program
    return program
