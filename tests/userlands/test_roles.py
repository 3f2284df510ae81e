"""Day0 of every role of a lab, as a box of each Debian and Ubuntu meets it: tools come from that one's own archive, then the
script runs to its end in a network namespace with the NICs of its node. The kernel is this machine's."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.render.day0 import day0_path, render
from tests.srext.test_day0 import lab_of_srext
from tests.userland import inside

SUITES = ("bookworm", "trixie", "jammy", "noble")
# Where Day0 has what it needs from an archive, and begins to lay something.
PACKAGED = "# A NIC is known by its MAC"


def of_each_role(plan: Plan) -> Iterator[PlannedNode]:
    """A node of each kind: with a proxy or without, with services or without, by its role."""
    kinds = {(node.role, bool(node.proxies), bool(node.services)): node for node in plan.nodes}
    yield from kinds.values()


def script(plan: Plan) -> str:
    files, nics = render(plan), list(plan.nics())
    lines = ["set -euo pipefail", "export SRV6LAB_GUEST=yes SRV6LAB_SRCONF=/mnt/srv6lab/srconf"]
    for node in of_each_role(plan):
        path = f"/run/{node.name}.sh"
        mine = [nic for nic in nics if nic.point.node == node.name]
        wires = [
            f"ip link add {nic.name} address {nic.mac} type veth peer name far{number}; ip link set far{number} up"
            for number, nic in enumerate(mine)
        ]
        laid = "\n".join(
            ["set -e", "mount -t sysfs sys /sys", "mount -t bpf bpf /sys/fs/bpf", *wires, f"bash {path}"]
        )
        lines += [
            f"printf %s {shlex.quote(files[day0_path(node)])} >{path}",
            f'bash -c "$(sed "/^{PACKAGED}/,\\$d" {path})" || {{ tail -n 20 /var/log/srv6lab-packages.log; exit 1; }}',
            f"unshare --net --mount bash -c {shlex.quote(laid)} >/run/said 2>&1 || {{ cat /run/said; exit 1; }}",
            f"echo {node.name}: done",
        ]
    lines += [
        "cat /var/lib/srv6lab/proxy",
        "cat /var/lib/srv6lab/services/*/engine | sort -u",
        "python3 -c 'import sys; print(*sys.version_info[:2], sep=\".\")'",
        "ip -V",
        "suricata -V || snort -V 2>&1 | grep -o 'Version [0-9.]*'",
    ]
    return "\n".join(lines)


@pytest.mark.prove
@pytest.mark.parametrize("suite", SUITES)
def test_day0_of_every_role(
    suite: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    plan = lab_of_srext()
    nodes = [node.name for node in of_each_role(plan)]
    assert len({node.role for node in plan.nodes}) <= len(nodes) < len(plan.nodes)
    done = inside(suite, ["bash", "-c", script(plan)], tmp_path, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[: len(nodes)] == [f"{node}: done" for node in nodes]
    proxy, *engines, python, iproute2, sensor = said[len(nodes) :]
    assert proxy == "srconf on eBPF", "SREXT has no hook in a namespace"
    assert engines in (["suricata"], ["snort"])
    record_property("python", python)
    record_property("iproute2", iproute2)
    record_property("sensor", sensor)
