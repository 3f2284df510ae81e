"""What the administrator has to set for a proxy to pass packets; said, never done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .behaviors import IPV4
from .state import Interface, LocalSid

IPV4_CONF = Path("/proc/sys/net/ipv4/conf")
IPV6_CONF = Path("/proc/sys/net/ipv6/conf")


def advice(local_sid: LocalSid, links: Iterable[Interface]) -> list[str]:
    """One line for each setting that would drop the SID's packets.

    End.DX4 validates the inner source against the interface the SRv6 packet came in on, and no route leads
    there: strict and loose reverse path filtering both drop it.  The interfaces to and from the service don't
    matter: what comes back is IPv6 again before the filter sees it.
    """
    lines = []
    service = (local_sid.oif, local_sid.iif)
    ipv4 = local_sid.behavior.inner == IPV4
    filtered = [link.name for link in links if link not in service and _rp_filter(link.name)]
    if ipv4 and filtered:
        settings = " ".join(f"net.ipv4.conf.{name}.rp_filter=0" for name in ("all", *filtered))
        lines.append(f"rp_filter is on and may drop what {local_sid.sid} receives: sysctl -w {settings}")
    for family, path, needed in (("ipv4", IPV4_CONF, ipv4), ("ipv6", IPV6_CONF, True)):
        if needed and not _number(path / "all" / "forwarding"):
            lines.append(f"{family} forwarding is off: sysctl -w net.{family}.conf.all.forwarding=1")
    return lines


def _rp_filter(name: str) -> int:
    return max(_number(IPV4_CONF / "all" / "rp_filter"), _number(IPV4_CONF / name / "rp_filter"))


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except OSError:
        return 0
