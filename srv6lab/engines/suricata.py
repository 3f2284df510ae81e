"""Suricata: alerts in `eve.json`, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from srv6lab.engines.engine import Engine, LoggedAlert, shortest


def read(log: str) -> Iterator[LoggedAlert]:
    """A last line that is still being written is left for the next look."""
    for line in log.splitlines(keepends=True):
        if not line.endswith("\n"):
            return
        event = json.loads(line)
        if event.get("event_type") == "alert":
            tunnel = event.get("tunnel", {})
            yield LoggedAlert(
                int(event["alert"]["signature_id"]),
                shortest(event.get("src_ip", "")),
                shortest(event.get("dest_ip", "")),
                shortest(tunnel.get("src_ip", "")),
                shortest(tunnel.get("dest_ip", "")),
            )


ENGINE = Engine(
    "suricata",
    "suricata",
    in_debian=True,
    log="eve.json",
    started="Engine started",
    daemon=True,
    read=read,
    tells_tunnel=True,
)
