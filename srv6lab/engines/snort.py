"""Snort: alerts in `alert.csv`, with the columns timestamp, generator, signature, message, protocol, source, destination.

2.9 and 3 write the same columns there; 3 calls the file `alert_csv.txt`, which is a link to it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from srv6lab.engines.engine import Dialect, Engine, LoggedAlert, shortest

_BY_RULES = "1"  # the generator of alerts by rules; decoders and preprocessors number theirs anew

_MODIFIERS = ("nocase", "rawbytes", "offset", "depth", "distance", "within", "fast_pattern")
_TWO = Dialect(
    "Snort 2.9",
    "snort-2.9",
    actions=frozenset(("alert", "log", "pass", "drop", "reject")),
    protocols=frozenset(("ip", "icmp", "tcp", "udp")),
    instead={
        "noalert": "flowbits:noalert",
        "regex": "pcre",
        "rem": "metadata",
        "tcp.ack": "ack",
        "tcp.flags": "flags",
        "tcp.seq": "seq",
        "tcp.window": "window",
    },
)
_THREE = Dialect(
    "Snort 3",
    "snort-3",
    actions=_TWO.actions,
    protocols=frozenset(),
    instead={
        **{one: f'content:"…", {one}' for one in _MODIFIERS},
        "bsize": "bufferlen",
        "tcp.flags": "flags",
        "threshold": "detection_filter",
        "uricontent": "http_uri; content",
        "urilen": "http_uri; bufferlen",
    },
    archived=False,
    services=True,
)


def read(log: str) -> Iterator[LoggedAlert]:
    """A last line that is still being written is left for the next look."""
    whole = log[: log.rfind("\n") + 1]
    for row in csv.reader(whole.splitlines(), skipinitialspace=True):
        if len(row) == 7 and row[1].strip() == _BY_RULES:
            yield LoggedAlert(int(row[2]), shortest(row[5].strip()), shortest(row[6].strip()))


ENGINE = Engine(
    "snort",
    "snort",
    in_debian=False,
    log="alert.csv",
    started="",
    daemon=False,
    read=read,
    dialects=(_TWO, _THREE),
)
