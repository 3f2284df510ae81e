"""A static route that comes, changes, or goes. Day0, run again, brings back what its prefix had before."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.plan.replaced import without_prefix
from srv6lab.topology.actions.route import RouteAction, RouteAt, RouteName


@changes.register
def _(action: RouteAction, plan: Plan) -> tuple[PlannedChange, ...]:
    given = _given(action)
    route = _planned(action, plan)
    of = f"{given.prefix}{f' in table {given.table}' if given.table else ''}"
    what = (
        f"{given.node} has a route to {of}{_words(route)}" if route else f"{given.node} has no route to {of}"
    )
    node = plan.node(given.node)
    before = [one for one in node.frr_routes() if one.prefix == given.prefix]
    of_frr = node.routing is not None and given.table is None
    of_prefix = {"prefix": given.prefix, "table": given.table}
    values = {**of_prefix, "route": route, "before": before, "of_frr": of_frr}
    return (PlannedChange(what, given.node, "route", values, again=True, renewed=True),)


def _words(route: PlannedRoute) -> str:
    if route.kind:
        return f" that says {route.kind}"
    if route.segments:
        return f" over {', '.join(map(str, route.segments))}"
    return f" via {route.via}" if route.via else f" on all of {route.nic}"


def _given(action: RouteAction) -> RouteAt | RouteName:
    given = action.route.put or action.route.delete
    assert given  # a check holds that there is one
    return given


def _planned(action: RouteAction, plan: Plan) -> PlannedRoute | None:
    """The route that there is then, None if there is none."""
    if (put := action.route.put) is None:
        return None
    return dict(plan.node(put.node).spare.routes)[put]


@changed.register
def _(action: RouteAction, lab: ChangedLab) -> ChangedLab:
    given, route = _given(action), _planned(action, lab.plan)

    def routed(node: PlannedNode) -> PlannedNode:
        node = without_prefix(node, given.prefix, given.table)
        return replace(node, routes=(*node.routes, route)) if route else node

    return lab.with_node(given.node, routed)
