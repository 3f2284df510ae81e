"""Checks of IS-IS: what one needs of another."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.actions.withdraw import WithdrawAction
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, line_of
from srv6lab.topology.checks.routers import routers


@check
def net_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The system id is the three groups before the selector (ISO 10589 section 7.1)."""
    pairs = ((node.isis.net.split(".")[-4:-1], ("nodes", name)) for name, node in routers(view) if node.isis)
    for system, first, path in repeated((".".join(system), path) for system, path in pairs):
        what = f"{first[1]} already has the system id {system} ({line_of(locate, (*first, 'isis', 'net'))})"
        yield Problem(locate((*path, "isis", "net")), what, "give each router one of its own")


@check
def isis_link_without_isis(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        if item.value.isis is None:
            continue
        for endpoint in item.value.endpoints:
            node = view.nodes.get(endpoint.node)
            if node is not None and node.isis is None:
                what = f"link {item.value.name} runs IS-IS, and {endpoint.node} doesn't"
                mend = f"give {endpoint.node} `isis: {{instance: core, net: 49.0000.0000.0001.00}}`"
                yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def isis_on_a_bridge(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        if item.value.isis is not None and len(item.value.endpoints) > 2:
            what = (
                f"link {item.value.name} has {len(item.value.endpoints)} ends, and IS-IS runs on links of two"
            )
            mend = "take `isis` away, or connect each two of the nodes by a link of their own"
            yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def withdrawn_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        if not isinstance(item.value, WithdrawAction):
            continue
        node = item.value.withdraw.node
        found = view.nodes.get(node)
        if found is not None and (found.locator is None or not (found.isis or found.vpns)):
            what = f"{node} announces no locator, so there is none to withdraw"
            where = locate((*item.path, "withdraw", "node"))
            yield Problem(where, what, "name a node with `locator`, and `isis` or a VPN")
