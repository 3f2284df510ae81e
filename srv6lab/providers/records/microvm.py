"""Network namespaces under another kernel: `microvm:VERSION`."""

from __future__ import annotations

from srv6lab.images import SUITES
from srv6lab.providers.base import Provider, Record
from srv6lab.render.day0 import render


def _make(record: Record) -> Provider:
    from srv6lab.providers.microvm import Microvm  # for Linux only

    return Microvm(record)


RECORDS = tuple(
    Record(
        name=f"microvm:{kernel}",
        kind="microvm",
        summary=f"network namespaces in a micro-VM, on Debian's kernel {kernel}",
        make=_make,
        rendering=render,
        doctor="netns",
        kernel=kernel,
        linux_only=True,
    )
    for kernel in SUITES
)
