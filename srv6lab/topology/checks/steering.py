"""Checks of which traffic is steered: by its source, the NIC that it comes in by, or a table."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, warning
from srv6lab.topology.sr_policy import ColorTarget

_NARROW = ("source", "nic", "table")


@check
def steered_by_source(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        match, headend = item.value.match, item.value.headend
        if item.value.of_frames or match.prefix is None:
            continue
        where = (*item.path, "match")
        given = [key for key in _NARROW if getattr(match, key) is not None]
        if given and isinstance(item.value.to, ColorTarget):
            what = f"a headend's agent steers by the prefix alone, and not by `{given[0]}`"
            mend = "steer by `segments`, or color flows under `headend.flows`"
            yield Problem(locate((*where, given[0]), key=True), what, mend)
            continue
        if match.vrf and given:
            what = f"what is steered in a VRF is all of it, and not chosen by `{given[0]}`"
            yield Problem(locate((*where, given[0]), key=True), what, f"take `{given[0]}` away, or `vrf`")
        elif match.table is not None and len(given) > 1:
            what = f"what is chosen by `{given[0]}` comes to a table of its own"
            yield Problem(locate((*where, "table"), key=True), what, "take `table` away")
        if match.source and match.source.version != match.prefix.version:
            what = f"{match.source} and {match.prefix} are of two families, so nothing matches both"
            mend = f"give an IPv{match.prefix.version} source"
            yield Problem(locate((*where, "source")), what, mend)
        known = {nic.endpoint.nic for nic in view.nics.get(headend, ())}
        if match.nic and view.clear(headend) and match.nic not in known:
            mend = did_you_mean(match.nic, known, f"connect {headend} first")
            yield Problem(locate((*where, "nic")), f"{headend} has no NIC {match.nic}", mend)


@check
def steered_in_a_table(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        match, node = item.value.match, view.nodes.get(item.value.headend)
        if match.table is None or node is None or match.source or match.nic:
            continue
        sids = (one.value for one in view.local_sids if one.value.node == item.value.headend)
        led = {rule.table for rule in node.rules} | {one.table for one in sids}
        if match.table not in led:
            what = f"nothing of {item.value.headend} looks into table {match.table}"
            mend = f"add `{{priority: 100, from: …, table: {match.table}}}` under nodes.{item.value.headend}.rules"
            yield warning(locate((*item.path, "match", "table")), what, mend)
