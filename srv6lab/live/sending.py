"""What sends a probe in nodes ends with the check that began it: at once where that is stopped, and where it was killed,
when the next check or `up` begins. So what runs is written down before it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock

from srv6lab.errors import MachineError
from srv6lab.host.command import Completed
from srv6lab.host.files import write_whole
from srv6lab.live.changes import Changes
from srv6lab.live.instance import Instance
from srv6lab.live.send import program

_MARK = "SRV6LAB_PROBE"  # in the environment of all that a probe starts
_one_at_a_time = Lock()  # a probe may be sent while others are


@contextmanager
def begun(lab: Instance, nodes: Sequence[str], token: str, probe: str = "") -> Iterator[None]:
    """While the probe of that token runs in these nodes; its name is for who watches."""
    _note(lab, add=[(node, token, probe) for node in nodes])
    try:
        yield
    except BaseException:
        end(lab, token)
        raise
    _note(lab, gone=token)


def run(lab: Instance, node: str, argv: Sequence[str], token: str, timeout: float) -> Completed:
    """Run a command of the probe in a node."""
    return lab.exec(node, ["env", f"{_MARK}={token}", *argv], timeout)


def interrupt(lab: Instance, node: str, token: str) -> None:
    """As Ctrl-C does: it says what came of it so far, and ends."""
    script = 'kill -INT $(grep -ls -- "$1" /proc/[0-9]*/environ | cut -d/ -f3)'
    with suppress(MachineError):  # it may have ended
        lab.exec(node, ["sh", "-c", script, "sh", f"{_MARK}={token}"], timeout=10)


def end(lab: Instance, token: str = "") -> None:
    """End what still runs of a probe, or of all probes. A node that doesn't answer has nothing to end."""
    for node, of, _ in _noted(lab):
        if token in ("", of):
            with suppress(MachineError):
                lab.exec(node, program("ender", f"{_MARK}={of}"), timeout=10)
    _note(lab, gone=token)


def take_back(lab: Instance) -> None:
    """What a check that died has left: its probes are ended, and its changes taken back."""
    end(lab)
    Changes(lab).take_back()


def _noted(lab: Instance) -> list[tuple[str, str, str]]:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return [
            (node, token, probe) for node, token, probe in json.loads(lab.home.sending.read_text("utf-8"))
        ]
    return []


def _note(lab: Instance, add: Sequence[tuple[str, str, str]] = (), gone: str | None = None) -> None:
    """Write down what runs; with `gone` without that token, "" for all of them."""
    with _one_at_a_time:
        noted = [*_noted(lab), *add]
        if gone is not None:
            noted = [one for one in noted if gone and one[1] != gone]
        if noted:
            write_whole(lab.home.sending, json.dumps(noted) + "\n")
        else:
            lab.home.sending.unlink(missing_ok=True)
