"""Network namespaces on this machine."""

from __future__ import annotations

from srv6lab.providers.base import Provider, Record
from srv6lab.render.day0 import render


def _make(record: Record) -> Provider:
    from srv6lab.providers.netns import Netns  # for Linux only; what needs no provider runs anywhere

    return Netns(record)


RECORDS = (
    Record(
        name="netns",
        kind="netns",
        summary="network namespaces on this machine, on its own kernel",
        make=_make,
        rendering=render,
        doctor="netns",
        linux_only=True,
    ),
)
