"""The causes of frames that don't go into SRv6 as planned. See `causes`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from srv6lab.judge.diagnose import answers as ask
from srv6lab.judge.diagnose.cause import Cause

_TABLE = ("sh", "-c", "ip {version} rule show; ip {version} route show table {table}")


def _not_steered(output: str, code: int, about: Mapping[str, str]) -> bool:
    """No rule leads to the NIC's table, or that has no policy for the packet."""
    rule = re.search(rf"\biif {re.escape(about['nic'])} lookup {about['table']}\b", output)
    routes = [line for line in output.splitlines() if line.split(" ", 1)[0] == about["prefix"]]
    return not rule or not any("encap seg6" in line for line in routes)


def _not_taken(output: str, code: int, about: Mapping[str, str]) -> bool:
    return "pkttype set" not in output


def _not_fixed(output: str, code: int, about: Mapping[str, str]) -> bool:
    return about["mac"] not in output or "PERMANENT" not in output


OF_FRAMES = (
    Cause(
        "frames-not-steered",
        "{node} doesn't put what comes in by {nic} into SRv6: a rule or a route of its table {table} is missing",
        _TABLE,
        _not_steered,
        differs=("rule", "route"),
    ),
    Cause(
        "frames-steered-otherwise",
        "what comes in by {nic} of {node} is steered over other segments, or in another mode",
        _TABLE,
        ask.other_policy,
        differs=("route",),
    ),
    Cause(
        "frames-not-taken",
        "{nic} of {node} takes only frames for its own MAC",
        ("sh", "-c", "nft list table netdev srv6lab-frames-{nic} 2>&1"),
        _not_taken,
        differs=("firewall",),
    ),
    Cause(
        "neighbor-not-fixed",
        "{node} isn't told the MAC of {neighbor}, and no ARP or ND passes an SRv6 tunnel of frames",
        ("ip", "neighbor", "show", "{neighbor}", "dev", "{nic}"),
        _not_fixed,
        differs=("neighbor",),
    ),
)
