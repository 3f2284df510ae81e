"""Which links are of one routing domain: one address then means one place. VRFs keep domains apart, and so do nodes that
no link connects."""

from __future__ import annotations

from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.model import Link

Router = tuple[str, str]  # a node with the VRF in which it forwards, "" for none


class Domains:
    """The routing domains of a topology, each known by one of its routers."""

    def __init__(self, view: Facts) -> None:
        self._view = view
        self._next: dict[Router, Router] = {}
        for item in view.links:
            first, *others = ((one.node, one.vrf or "") for one in item.value.endpoints)
            for other in others:
                self._next[self._found(other)] = self._found(first)

    def _found(self, router: Router) -> Router:
        while (there := self._next.get(router, router)) != router:
            router = there
        return router

    def of_link(self, link: Link) -> Router:
        first = link.endpoints[0]
        return self._found((first.node, first.vrf or ""))

    def of(self, path: Path, node: str) -> Router:
        """The domain of an address of a node by where it is written: at the end of a link, or at the node."""
        nics = (nic for nic in self._view.nics.get(node, ()) if nic.path == path[: len(nic.path)])
        return self._found((node, next((nic.vrf for nic in nics), "")))
