"""Checks of what an exercise puts in and of what that must have done: firewalls, counters, alerts."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.topology.actions.firewall import Firewall
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.network import no_node, repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.places import Place

OWN = "srv6lab-"  # what the chain of a rule begins with
LONGEST_CHAIN = 28  # iptables(8)
FAMILIES = {"iptables": 4, "ip6tables": 6}  # what they see


def _firewalls(view: Facts) -> Iterator[Item[Firewall]]:
    for exercise in view.exercises:
        yield from exercise.firewalls


@check
def action_names_what_is_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    unknown = {"node": no_node, "link": _unknown_link, "nic": _unknown_nic, "place": _unknown_place}
    for item in view.actions:
        for one in item.value.mentions():
            if words := unknown[one.kind](view, one.name):
                yield Problem(locate((*item.path, *one.path)), *words)


def _unknown_link(view: Facts, name: str) -> tuple[str, str] | None:
    known = {item.value.name for item in view.links}
    if name in known or not view.links_known or view.unsound_nics:
        return None
    return f"there is no link {name}", did_you_mean(name, known, "name one under `links`")


def _unknown_nic(view: Facts, name: str) -> tuple[str, str] | None:
    node, _, nic = name.partition(":")
    known = {one.endpoint.nic for one in view.nics.get(node, ())}
    if not view.knows(node):
        return no_node(view, node)
    if nic in known or not view.clear(node):
        return None
    return f"{node} has no NIC {nic}", did_you_mean(nic, known, f"connect {node} first")


def _unknown_place(view: Facts, name: str) -> tuple[str, str] | None:
    place = Place.parse(name)
    node = place.node
    if not place.netns or not view.knows(node):
        return no_node(view, node)
    if place in view.places or not view.services_sound:
        return None
    known = {str(one) for one in view.places if one.node == node and one.netns}
    return f"{node} has no network namespace {place.netns}", did_you_mean(name, known, f'write "{node}"')


@check
def firewall_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        pairs = ((item.value.name, item.path) for item in exercise.firewalls)
        for name, first, path in repeated(pairs):
            what = f"the firewall in {line_of(locate, (*first, 'name'))} is already called {name}"
            mend = "give each firewall of an exercise a name of its own"
            yield Problem(locate((*path, "name")), what, mend)


@check
def firewall_name_fits_a_chain(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _firewalls(view):
        chain, most = f"{OWN}{item.value.name}", LONGEST_CHAIN - len(OWN)
        tool = item.value.tool
        if tool in FAMILIES and len(chain) > LONGEST_CHAIN:
            what = (
                f"{item.value.name} is too long for {tool}, whose chain {chain} has {len(chain)} characters"
            )
            yield Problem(locate((*item.path, "name")), what, f"take a name of {most} characters at most")


@check
def firewall_tool_sees_it(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _firewalls(view):
        firewall = item.value
        plain = [key for key in ("source", "destination", "protocol") if getattr(firewall, key) is not None]
        if firewall.tool in FAMILIES and firewall.inner is not None:
            what = f"{firewall.tool} sees plain IPv{FAMILIES[firewall.tool]} only, never an `inner` header"
            mend = "write `tool: nftables`, or put the match beside `tool`, without `inner`"
            yield Problem(locate((*item.path, "inner"), key=True), what, mend)
        elif firewall.tool == "nftables" and plain:
            what = f"with nftables a rule looks behind the SRH, so `{plain[0]}` has to stand under `inner`"
            mend = f"write `inner: {{{', '.join(f'{key}: …' for key in plain)}}}`, or `tool: iptables`"
            yield Problem(locate((*item.path, plain[0]), key=True), what, mend)
        elif firewall.tool == "nftables" and firewall.inner is None and item.whole:
            what = f"firewall {firewall.name} doesn't say what it looks for behind the SRH"
            yield Problem(locate((*item.path, "tool")), what, "add `inner: {protocol: icmp}`")


@check
def firewall_of_one_family(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _firewalls(view):
        firewall = item.value
        if (version := FAMILIES.get(firewall.tool)) is None:
            continue
        icmp, others = ("icmp", "icmpv6") if version == 4 else ("icmpv6", "icmp")
        for key in ("source", "destination"):
            prefix = getattr(firewall, key)
            if prefix is not None and prefix.version != version:
                what = f"{firewall.tool} sees IPv{version} only, and {prefix} is IPv{prefix.version}"
                other = next(tool for tool, one in FAMILIES.items() if one == prefix.version)
                yield Problem(
                    locate((*item.path, key)), what, f"write `tool: {other}`, or an IPv{version} prefix"
                )
        if firewall.protocol == others:
            what = f"`{others}` doesn't go in IPv{version}, which is all that {firewall.tool} sees"
            yield Problem(locate((*item.path, "protocol")), what, f"write `{icmp}`")


@check
def counts_one_thing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.counters:
            if item.value.firewall is not None and item.value.sid is not None:
                what = "a counter is of a firewall or of a SID, not of both"
                yield Problem(locate((*item.path, "sid"), key=True), what, "write a line for each")
            elif item.value.firewall is None and item.value.sid is None and item.whole:
                mend = 'add `firewall: NAME`, or `sid: "…"` of an SR proxy'
                yield Problem(locate(item.path), "this counter says of nothing what it counts", mend)


@check
def unknown_counter(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        names = {item.value.name for item in exercise.firewalls}
        for item in exercise.counters:
            name = item.value.firewall
            if name is not None and name not in names and exercise.actions_known:
                mend = did_you_mean(name, names, "put one in with `apply`")
                where = locate((*item.path, "firewall"))
                yield Problem(where, f"exercise {exercise.name} puts no firewall {name} in", mend)


@check
def counts_a_proxy(view: Facts, locate: Locate) -> Iterator[Problem]:
    proxied = {
        sid
        for sid, item in view.owners.items()
        if item.value.behavior not in BEHAVIORS or BEHAVIORS[item.value.behavior].served_by == "proxy"
    }
    for exercise in view.exercises:
        for item in exercise.counters:
            sid = item.value.sid
            if sid is None or sid in proxied or sid in view.unsound_sids or not view.sids_known:
                continue
            owner = view.owners.get(sid)
            what = (
                f"{sid} is {owner.value.behavior}, and only SR proxies count"
                if owner
                else f"no node has the local SID {sid}"
            )
            mend = did_you_mean(str(sid), {str(one) for one in proxied}, "count with a firewall")
            yield Problem(locate((*item.path, "sid")), what, mend)


@check
def alert_of_unknown_service(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.alerts:
            if (name := item.value.service) not in view.service_names:
                mend = did_you_mean(name, view.service_names, "name it under `services`")
                yield Problem(locate((*item.path, "service")), f"there is no service {name}", mend)


@check
def absent_alert_with_count(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.alerts:
            if item.value.absent and item.value.count is not None:
                what = "an alert that is absent has no `count`"
                mend = "take away `absent`, or `count`"
                yield Problem(locate((*item.path, "count"), key=True), what, mend)
