"""`invoke watch`: a screen on a terminal, lines of text or JSON for everything else, until somebody has seen enough."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import TextIO

from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import Stopped, UsageError
from srv6lab.live.instance import Reference
from srv6lab.live.watch import Load, Watcher
from srv6lab.live.watch_state import Event, of_node
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.report import formats
from srv6lab.suggest import or_all

_LEAST, _MOST = 0.2, 3600.0


def watch(
    site: LabsFolder, lab: str, *, form: str, node: str = "", interval: str = "", instance: str = ""
) -> None:
    """Watch a lab until q, Ctrl-C, or whoever reads goes away. UsageError for what there isn't."""
    show = formats.chosen(formats.EVENTS, form)
    reference, seconds = site.refer(lab, instance), _seconds(interval)
    home = site.home(reference, instance)
    if not home.begun:
        site.known(reference)
    _refuse_unknown(site, reference, home, node)
    watcher = Watcher(home, _loader(site, reference), seconds)
    try:
        if form == "text" and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            from srv6lab.report.watch_screen import Screen

            Screen(watcher, sys.stdin, sys.stdout, node).run()
        else:
            _lines(watcher, show, node, sys.stdout)
    except Stopped:
        raise
    except KeyboardInterrupt:
        pass  # how one goes away
    finally:
        watcher.close()


def _lines(watcher: Watcher, show: Callable[[Event, str], str], node: str, out: TextIO) -> None:
    """Each event as a line; BrokenPipeError when nobody reads any more, also while nothing happens."""
    reader = _pipe(out)
    while True:
        _, told = watcher.look()
        time = datetime.now().astimezone().isoformat(timespec="milliseconds")
        for event in of_node(told, node):
            out.write(show(event, time))
        out.flush()
        if watcher.wait(reader):
            raise BrokenPipeError


def _pipe(out: TextIO) -> list[int]:
    """The descriptor, if it is a pipe: that "can be read" when its other end is closed, and never else."""
    number = out.fileno()
    return [number] if stat.S_ISFIFO(os.fstat(number).st_mode) else []


def _seconds(text: str) -> float | None:
    """Seconds from a look to the next; None where nothing is said of them."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not isfinite(seconds) or not _LEAST <= seconds <= _MOST:
        what = f"{text!r} is no interval"
        raise UsageError(what, f"--interval with seconds, from {_LEAST:g} to {_MOST:g}")
    return seconds


def _refuse_unknown(site: LabsFolder, reference: Reference, home: Home, node: str) -> None:
    if not node:
        return
    one = site.running_if_up(reference, home.path.name)
    names = list(one.nodes()) if one else [each.name for each in site.load(reference)[0].nodes]
    if node not in names:
        raise UsageError(f"there is no node {node} in {home.path.name}", or_all(node, names))


def _loader(site: LabsFolder, reference: Reference) -> Load:
    def load() -> Plan | None:
        return site.load(reference)[0] if reference.path.exists() else None

    return load
