"""`vagrant up` of a lab's machines: one after the other, or several at once.

One Vagrant brings up one machine of VirtualBox at a time, but several of them can work in one folder: Vagrant locks what
they share (the machine that others are cloned from, the ports of this computer). The first machine comes up alone all
the same, since with it comes what the others stand on, their box above all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from srv6lab.errors import UsageError
from srv6lab.providers.vagrant.command import Failure, Vagrant

VARIABLE = "SRV6LAB_VAGRANT_AT_ONCE"


def at_once() -> int:
    """How many machines come up at once; UsageError if the variable says no number."""
    told = os.environ.get(VARIABLE) or "1"
    if not told.isdecimal() or int(told) < 1:
        raise UsageError(
            f"{VARIABLE} is {told!r}", "it is the number of machines that come up at once: 1 or more"
        )
    return int(told)


def bring_up(
    vagrants: Mapping[str, Vagrant], bring: Callable[[str], None], many: int, up: Callable[[str], None]
) -> Mapping[str, Failure]:
    """Bring machines up by `bring`, which asks a machine's Vagrant, at most `many` at once; return those that failed.
    `up` is told of each that is up, in the caller's thread.

    After a failure no other is begun, and those under way are waited for. What interrupts this ends them all.
    """
    nodes = list(vagrants)
    failed = _together(nodes[:1], vagrants, bring, 1, up)
    return failed or _together(nodes[1:], vagrants, bring, many, up)


def _together(
    nodes: Sequence[str],
    vagrants: Mapping[str, Vagrant],
    bring: Callable[[str], None],
    many: int,
    up: Callable[[str], None],
) -> Mapping[str, Failure]:
    stop = threading.Event()

    def one(node: str) -> Failure | bool:
        """Whether it was brought up, or why not."""
        if stop.is_set():
            return False
        try:
            bring(node)
        except Failure as failure:
            stop.set()
            return failure
        return True

    failed: dict[str, Failure] = {}
    with ThreadPoolExecutor(many) as pool:
        jobs = {pool.submit(one, node): node for node in nodes}
        try:
            for job in as_completed(jobs):
                answer = job.result()
                if isinstance(answer, Failure):
                    failed[jobs[job]] = answer
                elif answer:
                    up(jobs[job])
        except BaseException:
            stop.set()
            with ThreadPoolExecutor() as ending:
                list(ending.map(Vagrant.end, map(vagrants.__getitem__, nodes)))
            raise
    return failed
