"""What nodes have learned, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from srv6lab.plan.nodes import PlannedRoute
from srv6lab.topology.scalars import Network


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A prefix of another site, to be reached by the SID of the node that it is behind."""

    prefix: Network
    sid: IPv6Address


@dataclass(frozen=True, slots=True)
class ExpectedRoutes:
    """What one node has learned, a route for each way of a prefix. By the name of the VRF: `vpns` has what is behind the
    SIDs of other nodes, `over_links` what customers' routers have told, and what other VRFs of the node have."""

    routes: tuple[PlannedRoute, ...] = ()
    vpns: Mapping[str, tuple[VpnRoute, ...]] = field(default_factory=dict)
    over_links: Mapping[str, tuple[PlannedRoute, ...]] = field(default_factory=dict)
