"""`route`: a static route that comes, changes, or goes."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.route import Route
from srv6lab.topology.scalars import Model, Name, Network, Table


class RouteAt(Route):
    """A static route of a node."""

    node: Name


class RouteName(Model):
    """The static routes of a node to a prefix, in its main table or in another."""

    node: Name
    prefix: Network
    table: Table | None = None


class RouteChange(Model):
    """One of the three: `add` one to a prefix that has none, `replace` all that a prefix has, `delete` them."""

    add: RouteAt | None = None
    replace: RouteAt | None = None
    delete: RouteName | None = None

    @property
    def put(self) -> RouteAt | None:
        """The route that there is then."""
        return self.add or self.replace


class RouteAction(Action):
    """Change the static routes of a node to a prefix; taken back, Day0 runs again."""

    route: RouteChange

    def mentions(self) -> Iterator[Mention]:
        for key in ("add", "replace", "delete"):
            if one := getattr(self.route, key):
                yield Mention("node", one.node, ("route", key, "node"))
