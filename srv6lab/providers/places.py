"""The network namespaces that NICs are in, as files for `ip` and `nsenter`.

One inside a node has a name that the lab may lay anew at any time, and a link there leads whoever follows it as root
through this machine's root. So it is opened without following links, and handed on as an open file of this process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from srv6lab.providers import rootless
from srv6lab.providers.node import files

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Nic
    from srv6lab.providers.process import Process


class Places:
    """Of a lab's nodes. What it answers is good until it is left."""

    def __init__(self, nodes: Mapping[str, Process]) -> None:
        self._nodes = nodes
        self._opened: dict[tuple[int, str], int | None] = {}

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._opened.values():
            if file is not None:
                os.close(file)
        self._opened.clear()

    def of(self, nic: Nic) -> str:
        """The file: of its node's own namespace, of one inside it, or of its VPN's."""
        pid = self._nodes[nic.point.node].pid
        name = nic.point.netns or nic.vrf
        file = self._inside(pid, name)
        if file is None and not nic.point.netns:
            return f"/proc/{pid}/ns/net"
        if file is None or rootless.within(pid):  # who is alone has nothing that a link could lead to
            return f"/proc/{pid}/root/run/netns/{name}"
        return f"/proc/{os.getpid()}/fd/{file}"

    def in_vpn(self, nic: Nic) -> bool:
        """Whether it is in a namespace that stands in for a VRF."""
        return bool(nic.vrf) and self._inside(self._nodes[nic.point.node].pid, nic.vrf) is not None

    def _inside(self, pid: int, name: str) -> int | None:
        if not name:
            return None
        if (pid, name) not in self._opened:
            self._opened[pid, name] = files.network(pid, name)
        return self._opened[pid, name]
