"""What nodes have learned, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from srv6lab.plan.nodes import PlannedRoute
from srv6lab.topology.scalars import Network


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A prefix of another site, to be reached by the End.DT4 of the node that it is behind."""

    prefix: Network
    sid: IPv6Address


@dataclass(frozen=True, slots=True)
class ExpectedRoutes:
    """What one node has learned, a route for each way of a prefix; `vpns` by the name of the VRF."""

    routes: tuple[PlannedRoute, ...] = ()
    vpns: Mapping[str, tuple[VpnRoute, ...]] = field(default_factory=dict)
