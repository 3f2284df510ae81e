"""Snort: alerts in `alert.csv`, with the columns timestamp, sig_id, msg, proto, src, dst."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from srv6lab.engines.engine import Engine, LoggedAlert, shortest


def read(log: str) -> Iterator[LoggedAlert]:
    """A last line that is still being written is left for the next look."""
    whole = log[: log.rfind("\n") + 1]
    for row in csv.reader(whole.splitlines()):
        if len(row) >= 6:
            yield LoggedAlert(int(row[1]), shortest(row[4].strip()), shortest(row[5].strip()))


ENGINE = Engine(
    "snort",
    "snort",
    in_debian=False,
    log="alert.csv",
    started="Commencing packet processing",
    daemon=False,
    read=read,
)
