"""What FRR of a node is told of IS-IS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Link, Node, Topology
from srv6lab.topology.routing.isis import Isis, IsisLink, Password, adjacency, levels, levels_of

CIRCUITS = {(1,): "level-1", (2,): "level-2-only", (1, 2): "level-1-2"}


@dataclass(frozen=True, slots=True)
class PlannedPassword:
    kind: str
    secret: str


@dataclass(frozen=True, slots=True)
class IsisNeighbor:
    """A node with which there is an adjacency, by its NIC there, of these levels."""

    node: str
    nic: str
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IsisNic:
    """A NIC that IS-IS knows of. Over one that isn't passive there are adjacencies with its neighbors."""

    nic: str
    neighbors: tuple[IsisNeighbor, ...]
    network: str
    metric: int
    levels: tuple[int, ...]
    versions: tuple[int, ...]
    passive: bool = False
    password: PlannedPassword | None = None

    @property
    def circuit(self) -> str:
        return CIRCUITS[self.levels]


@dataclass(frozen=True, slots=True)
class PlannedIsis:
    """IS-IS of a node: its levels, and the IP versions that it has routes of. `area_password` is that of level 1,
    `domain_password` that of level 2."""

    instance: str
    net: str
    nics: tuple[IsisNic, ...]
    redistribute: tuple[str, ...]
    levels: tuple[int, ...] = (2,)
    versions: tuple[int, ...] = (6,)
    overload: bool = False
    area_password: PlannedPassword | None = None
    domain_password: PlannedPassword | None = None

    @property
    def area(self) -> str:
        """All of the NET but the system id and the selector (ISO 10589 section 7.1)."""
        return self.net.rsplit(".", 4)[0]

    @property
    def router_type(self) -> str:
        return CIRCUITS[self.levels]


def plan_isis(topology: Topology, name: str, node: Node) -> PlannedIsis | None:
    if node.isis is None:
        return None
    links = [(link, end, link.isis) for link, end in links_of(topology, name) if link.isis]
    versions = spoken(link for link, _, isis in links if not isis.passive)
    nics = tuple(_nic(topology, node.isis, link, end, isis, versions) for link, end, isis in links)
    secrets = node.isis.authentication
    return PlannedIsis(
        instance=node.isis.instance,
        net=node.isis.net,
        nics=nics,
        redistribute=node.isis.redistribute,
        levels=tuple(sorted(levels(node.isis.level))),
        versions=versions,
        overload=node.isis.overload,
        area_password=_password(secrets.area),
        domain_password=_password(secrets.domain),
    )


def spoken(links: Iterator[Link]) -> tuple[int, ...]:
    """The IP versions that a node with adjacencies on these links has routes of: IPv6 always, for SRv6."""
    return tuple(sorted({6}.union(*(link.versions for link in links))))


def _nic(
    topology: Topology, node: Isis, link: Link, end: int, isis: IsisLink, versions: tuple[int, ...]
) -> IsisNic:
    on_lan = isis.network == "broadcast" or len(link.endpoints) > 2
    return IsisNic(
        nic=link.endpoints[end].nic,
        neighbors=tuple(_neighbors(topology, node, link, end, isis)),
        network="broadcast" if on_lan or isis.passive else "point-to-point",
        metric=isis.metric(end),
        levels=tuple(sorted(levels_of(node, isis))),
        versions=tuple(one for one in versions if one in link.versions),
        passive=isis.passive,
        password=_password(isis.password(end)),
    )


def _neighbors(
    topology: Topology, node: Isis, link: Link, end: int, isis: IsisLink
) -> Iterator[IsisNeighbor]:
    for index, there in enumerate(link.endpoints):
        other = topology.nodes[there.node].isis
        if index != end and other and (common := adjacency(isis, node, other)):
            yield IsisNeighbor(there.node, there.nic, tuple(sorted(common)))


def _password(said: Password | None) -> PlannedPassword | None:
    return PlannedPassword(said.type, said.secret) if said else None
