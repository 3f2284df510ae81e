"""Labs of the tests' own on the kernel: SIDs without a neighbor, SIDs of several nodes, segments outside of the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from tests.conftest import Up, silent

MORE = Path(__file__).parent / "more"
# What breaks each of them, in which exercise, and the cause that is named.
BROKEN = {
    "without-a-neighbor": ("ping", "r1", "ip -6 route replace fc00:1::a2 encap seg6local action End.DX6 nh6 2001:13::9 dev eth1", "sid-differs"),
    "anycast": ("ping", "r3", "ip -6 route del fc00:e::e", "sid-not-installed"),
    "segments-outside": ("push", "r1", "ip route replace 192.0.2.3 encap seg6 mode encap segs fcbb:bbbb:1:2:3:4:5:6,fcbb:bbbb:7:8:fe00:: dev eth1", "policy-differs"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_three_witnesses_agree_and_what_is_broken_is_named(bring_up: Callable[[str], Up], name: str) -> None:
    lab = bring_up(str(MORE / f"{name}.yml"))
    exercises = [one.name for one in lab.plan.exercises]
    for verdict in check(lab.running, lab.plan, exercises, silent):
        assert verdict.status is Status.PASS, verdict
    exercise, node, script, cause = BROKEN[name]
    lab.sh(node, script)
    (verdict,) = check(lab.running, lab.plan, [exercise], silent)
    assert verdict.status is Status.FAIL
    assert verdict.suspects[0].cause == cause, verdict.suspects
