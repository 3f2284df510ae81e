"""Checks of services and of the SR proxies in front of them: namespaces, ports, what their sensor hears."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS, Behavior
from srv6lab.topology.checks.facts import Facts, Item, Path
from srv6lab.topology.checks.network import overlaps, repeated, special
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Port, Service
from srv6lab.topology.places import Place
from srv6lab.topology.scalars import Network

# A kernel has these names in every namespace, or as words of its settings; `ethN` are the ends of links.
TAKEN = ("lo", "all", "default")


def _services(view: Facts) -> Iterator[tuple[Path, str, Service]]:
    """The sound services on nodes that are there, and whose keys are all known."""
    for name, service in view.services.items():
        path: Path = ("services", name)
        if path not in view.cut:
            yield path, name, service


def _ports(view: Facts) -> Iterator[tuple[Path, Service, Port]]:
    for name, service in view.services.items():
        for index, port in enumerate(service.ports):
            yield ("services", name, "ports", index), service, port


def _proxied(view: Facts) -> Iterator[tuple[Item[LocalSid], Behavior]]:
    """The local SIDs that an SR proxy serves."""
    for item in view.local_sids:
        behavior = BEHAVIORS.get(item.value.behavior)
        if behavior is not None and behavior.served_by == "proxy":
            yield item, behavior


@check
def service_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, service in view.services.items():
        node = view.nodes.get(service.node)
        if node is not None and node.role == "host":
            what = f"{service.node} is a host, and Day0 of a host sets up no services"
            mend = f"give {service.node} `role: service`, or `role: sr-proxy`"
            yield Problem(locate(("services", name, "node")), what, mend)


@check
def namespace_and_ports(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, service in _services(view):
        if service.netns and not service.ports:
            what = f"service {name} has a namespace without ports, so nothing reaches it"
            yield Problem(locate((*path, "netns"), key=True), what, "give it `ports`, or take `netns` away")
        elif service.ports and not service.netns:
            what = f"service {name} has ports, but no namespace for their inner ends"
            yield Problem(locate((*path, "ports"), key=True), what, "add `netns: …`")


@check
def hears_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, service in _services(view):
        if not service.ports and not service.listen and not service.netns:
            what = f"service {name} has neither `listen` nor `ports`, so it hears nothing"
            mend = f"add `listen: eth1` with a NIC of {service.node}, or `netns` and `ports`"
            yield Problem(locate(path, key=True), what, mend)


@check
def listens_nowhere(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, _, service in _services(view):
        if service.listen is None or (service.netns and not service.ports):
            continue
        place = f"{service.node}/{service.netns}" if service.netns else service.node
        known = {port.inside for port in service.ports} if service.netns else _nics_of(view, service.node)
        if service.listen in known or not (view.knows(service.node) and view.clear(service.node)):
            continue
        mend = did_you_mean(service.listen, known, f"connect {service.node} first")
        yield Problem(locate((*path, "listen")), f"{place} has no NIC {service.listen}", mend)


def _nics_of(view: Facts, node: str) -> set[str]:
    return {nic.endpoint.nic for nic in view.nics.get(node, ())} | view.places.get(Place(node), set())


@check
def namespace_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = (
        ((service.node, service.netns), ("services", name))
        for name, service in view.services.items()
        if service.netns
    )
    for (node, netns), first, path in repeated(pairs):
        what = f"{node}/{netns} is already the namespace of service {first[1]} ({line_of(locate, first)})"
        yield Problem(locate((*path, "netns")), what, "give each service a namespace of its own")


@check
def port_names(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A veth's outer end is named among its node's NICs, the inner one among its namespace's."""
    for path, _, port in _ports(view):
        for key in ("outside", "inside"):
            name = getattr(port, key)
            if name in TAKEN or (key == "outside" and name.startswith("eth") and name[3:].isdigit()):
                what = f"`{key}` can't be {name}, which a node has for itself"
                yield Problem(locate((*path, key)), what, f"take another name, such as {name}-s")


@check
def port_nic_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    outside = [((one.node, "", port.outside), (*path, "outside")) for path, one, port in _ports(view)]
    inside = [((one.node, one.netns, port.inside), (*path, "inside")) for path, one, port in _ports(view)]
    for (node, netns, nic), first, path in repeated([*outside, *inside]):
        place = f"{node}/{netns}:{nic}" if netns else f"{node}:{nic}"
        what = f"{place} is already the port in {line_of(locate, first)}"
        yield Problem(locate(path), what, "give each port a name of its own")


@check
def port_prefix_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, _, port in _ports(view):
        where = locate((*path, "prefix"))
        if port.prefix.num_addresses < 4:
            what = f"{port.prefix} has no room for a port's two addresses"
            yield Problem(where, what, f"take a /{port.prefix.max_prefixlen - 2} or shorter")
        elif kind := special(port.prefix):
            yield Problem(where, f"{port.prefix} is for {kind}, not for a port", "take a unicast prefix")


@check
def port_prefix_overlaps(view: Facts, locate: Locate) -> Iterator[Problem]:
    found: dict[str, list[tuple[Network, Path, str]]] = {}
    for path, service, port in _ports(view):
        whose = f"the prefix of port {port.outside} on {service.node}"
        found.setdefault(service.node, []).append((port.prefix, (*path, "prefix"), whose))
    for node, prefixes in found.items():
        if node in view.nodes and (locator := view.nodes[node].locator):
            prefixes.append((locator, view.locator_at(node), f"the locator of {node}"))
        for nic in view.nics.get(node, ()):
            whose = f"the prefix of link {nic.link.name} on {node}"
            prefixes += ((prefix, nic.path, whose) for prefix in nic.link.prefixes)
        for pair in overlaps(prefixes):
            ports = sorted((one for one in pair if one[1][0] == "services"), key=lambda one: locate(one[1]))
            if ports:
                prefix, path, _ = ports[-1]
                other, _, owner = pair[0] if pair[1] is ports[-1] else pair[1]
                how = "is also" if prefix == other else f"overlaps {other},"
                yield Problem(locate(path), f"{prefix} {how} {owner}", "take a free prefix")


@check
def ports_of_one_family(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, service in _services(view):
        versions = [port.prefix.version for port in service.ports]
        if len(set(versions)) > 1:
            what = f"one port of {name} has an IPv{versions[0]} prefix, the other an IPv{versions[1]} one"
            mend = "what comes in by one port leaves by the other: give both the same IP version"
            yield Problem(locate((*path, "ports", 1, "prefix")), what, mend)


@check
def proxy_hands_on_what_ports_take(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item, behavior in _proxied(view):
        name, takes = str(item.value.service), behavior.service_takes
        service = view.services.get(name)
        versions = {port.prefix.version for port in service.ports} if service else set()
        if len(versions) == 1 and takes not in versions:
            what = f"{behavior.name} hands IPv{takes} to its service, and the ports of {name} are IPv{versions.pop()}"
            yield Problem(
                locate((*item.path, "service")), what, f"give the ports of {name} IPv{takes} prefixes"
            )


@check
def proxy_needs_two_ports(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item, behavior in _proxied(view):
        name = str(item.value.service)
        service = view.services.get(name)
        if service is None or service.node != item.value.node or ("services", name) in view.cut:
            continue
        if len(service.ports) < 2:
            count = "one port" if service.ports else "no ports"
            what = f"{behavior.name} sends to one port and takes back from another, and {name} has {count}"
            yield Problem(locate((*item.path, "service")), what, f"give services.{name} two `ports`")


@check
def proxy_on_another_role(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item, behavior in _proxied(view):
        node = view.nodes.get(item.value.node)
        if node is not None and node.role != "sr-proxy":
            what = f"{behavior.name} needs an SR proxy, and {item.value.node} has the role {node.role}"
            mend = f"give {item.value.node} `role: sr-proxy`"
            yield Problem(locate((*item.path, "behavior")), what, mend)


@check
def source_of_a_static_proxy(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Elsewhere a tunnel begins where its node says, at `tunnel_source`."""
    static = {item.path for item, behavior in _proxied(view) if "policy" in behavior.parameters}
    for item in view.local_sids:
        source = item.value.policy.source if item.value.policy else None
        where = locate((*item.path, "policy", "source"))
        if source is None:
            continue
        if item.path not in static:
            mend = f"write `tunnel_source` under nodes.{item.value.node}"
            yield Problem(where, f"{item.value.behavior} takes no source of its own", mend)
        elif source.is_unspecified or special(source):
            what = f"{source} can't be a tunnel's source: it is no address of a single node"
            yield Problem(where, what, f"take an address of {item.value.node}")


@check
def return_port_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What comes back by a port belongs to one SID a family; `srconf` refuses a second one."""
    pairs = (
        ((item.value.service, behavior.service_takes), item.path)
        for item, behavior in _proxied(view)
        if item.value.service in view.services
    )
    for (name, _), first, path in repeated(pairs):
        what = f"what comes back from {name} belongs to the SID in {line_of(locate, (*first, 'sid'))} already"
        yield Problem(locate((*path, "service")), what, "give each SID of an SR proxy a service of its own")


@check
def proxy_of_an_aware_service(view: Facts, locate: Locate) -> Iterator[Problem]:
    """An SR proxy takes the SRH away, or hides it, from a service that doesn't understand it."""
    for item, behavior in _proxied(view):
        name = str(item.value.service)
        service = view.services.get(name)
        if service is not None and service.sr_aware:
            what = f"{name} is SR-aware, and {item.value.sid} is {behavior.name}, a proxy for one that isn't"
            mend = (
                "take `sr_aware` away, or the SID: an SR-aware service listens where packets have their SRH"
            )
            yield Problem(locate(("services", name, "sr_aware")), what, mend)


@check
def aware_of_ipv4_frames(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, service in _services(view):
        if service.sr_aware and service.frames == "ipv4":
            what = f"an SRH is in IPv6 frames, and {name} looks at IPv4 frames only"
            yield Problem(locate((*path, "frames")), what, "take `frames` or `sr_aware` away")


@check
def unaware_without_a_proxy(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Which NIC packets come by is for the lab to show, so it's a warning; `frames: ipv4` says that it is meant."""
    led = {item.value.node: item.value.sid for item in _led_to(view)}
    behind = {item.value.service for item, _ in _proxied(view)}
    for path, name, service in _services(view):
        links = {nic.endpoint.nic: nic.link for nic in view.nics.get(service.node, ())}
        link = None if service.netns else links.get(str(service.listen))
        unaware = not service.sr_aware and service.frames == "all" and name not in behind
        if unaware and link is not None and 6 in link.versions and service.node in led:
            what = f"segments lead to {led[service.node]} on {service.node}, and {name} isn't SR-aware"
            mend = "add `sr_aware: true`, or give it `netns`, `ports` and the SID of an SR proxy"
            yield warning(locate((*path, "listen")), what, mend)


def _led_to(view: Facts) -> Iterator[Item[LocalSid]]:
    """The local SIDs without a proxy that headends, binding SIDs or probes lead packets to."""
    lists = [one.segments for one in view.segment_lists]
    lists += [segments for _, segments in view.weighted_lists]
    lists += [probe.value.segments for exercise in view.exercises for probe in exercise.probes]
    proxied = {item.value.sid for item, _ in _proxied(view)}
    for segment in (one for segments in lists for one in segments):
        item, _ = view.owner(segment)
        if item is not None and item.value.sid not in proxied:
            yield item
