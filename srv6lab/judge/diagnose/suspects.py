"""What may have broken a probe's walk where it broke, the likeliest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from itertools import pairwise, takewhile

from srv6lab.evidence.packets import Address, Direction, PacketView, Place, Point
from srv6lab.evidence.prediction import Hop, Trace
from srv6lab.evidence.verdict import CountDiffers, Item, Suspect, Unexpected
from srv6lab.judge.diagnose import everyday, frames, hmacs, in_vrfs
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.judge.diagnose.first_break import Divergence
from srv6lab.judge.diagnose.of_rules import leading, of_rules
from srv6lab.plan.headend import PlannedHeadend
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedProxy, PlannedSid
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.csid import NextCsid
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.srv6.policy.steering import FIRST_MARK, FIRST_TABLE
from srv6lab.topology.sr_policy import Flow


def of_share(plan: Plan, broken: Divergence) -> Iterator[Suspect]:
    """Why a node's flows part otherwise, though its routes are as planned."""
    out = broken.region[-1]
    if not plan.node(out.point.node).parts_flows:
        return
    path = f"/proc/sys/net/ipv{out.packet.innermost.destination.version}/fib_multipath_hash_policy"
    yield suspect("hash-policy", out.point.place, sysctl=path)


def suspects_of(plan: Plan, broken: Divergence) -> Iterator[Suspect]:
    """The suspects of one break: of a packet that is there as another, only what makes it another."""
    last = broken.before
    if broken.seen and broken.region[-1].direction is Direction.OUT:
        yield from _changed(plan, broken)
        return
    for hop in broken.region:
        if hop.direction is Direction.OUT or (last is not None and last.point == hop.point):
            yield from _within(plan, broken, last, hop)
        else:
            yield from _on_the_wire(hop)
        last = hop


def after_delivery(plan: Plan, delivered: Hop) -> Iterator[Suspect]:
    """What may keep a node from answering what came to it."""
    yield from everyday.for_another_mac(plan, delivered)
    yield from _disabled(delivered)
    yield from hmacs.of_node(plan.node(delivered.point.node), delivered, delivered)
    yield from everyday.not_answered(delivered)


def beyond_the_end(plan: Plan, trace: Trace, strays: Sequence[Hop]) -> Iterator[Suspect]:
    """Packets that went on where the model has them lost."""
    node = trace.end.place.node
    last = trace.hops[-1]
    for stray in strays:
        if stray.point.node == node and stray.direction is Direction.OUT:
            to, machine = stray.packet.outer.destination, plan.node(node)
            yield from _of_sids(plan, machine, last, stray)
            for table in _tables_without(machine, to):
                vrf = next((vrf.name for vrf in machine.vrfs if str(vrf.table) == table), "")
                about = {"destination": to, "version": _version(to), "table": table}
                yield suspect("route-unplanned", node, **about, **({"vrf": vrf} if vrf else {}))


def _tables_without(node: PlannedNode, to: Address) -> list[str]:
    """The tables in which the plan has no way to an address: the main one, and those that SIDs look into."""
    tables = {value for sid in node.local_sids for name, value in sid.parameters if name == "table"}
    known = {str(route.table) for route in node.routes if to in route.prefix}
    known |= {str(one.table) for one in node.steering if to in one.prefix}
    main = [] if node.egress_nic(to) else ["main"]
    return [*main, *sorted(tables - known)]


def unknown(broken: Divergence) -> Suspect:
    """The last resort: where it was."""
    out = broken.region[-1]
    before = f"from {broken.before.point} {broken.before.direction} " if broken.before else ""
    return suspect("unknown", out.point.node, what=f"happened {before}to {out.point} {out.direction}")


def unsent(plan: Plan, first: Hop) -> Iterator[Suspect]:
    """What may keep a node from sending at all."""
    yield from everyday.down(plan, first)
    yield from everyday.turned_away(None, None, first)
    yield from everyday.taken_in(plan, None, first)
    yield route_missing(plan, first)


def too_many(plan: Plan, items: Sequence[Item]) -> Iterator[Suspect]:
    """Who may have made packets that nobody sent: the node that they were seen at, or the one before it."""
    ends = plan.far_ends()
    for item in items:
        surplus = isinstance(item, Unexpected) or (isinstance(item, CountDiffers) and item.too_many)
        if surplus and item.point in ends:
            others = (far.point.place for far in ends[item.point])
            yield from (suspect("copied", place) for place in (item.point.place, *others))


def _within(plan: Plan, broken: Divergence, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """A packet that came to a namespace and didn't leave it as it should."""
    node, place, nic = plan.node(out.point.node), out.point.place, out.point.nic
    yield from everyday.down(plan, out)
    yield from frames.unknown_neighbor(node, nic)
    yield from everyday.switched_off(plan, came, out)
    vrfs = in_vrfs.passed(node, came, out)
    yield from in_vrfs.asked_of_each(everyday.turned_away(node, came, out), vrfs)
    yield from in_vrfs.asked_of_each(everyday.taken_in(plan, came, out), vrfs)
    for name in out.behaviors:
        if name in REGISTRY and "vrf" in REGISTRY[name].needs:
            yield suspect("vrf-strict-mode", node.name, behavior=name)
    if came is not None:
        yield from _of_sids(plan, node, came, out)
        if _is_anothers(plan, out.packet.outer.destination, node.name):
            yield suspect("sid-of-another-node", node.name, sid=out.packet.outer.destination)
        proxy = _returning(node, came)
        if proxy:
            yield from _of_return(node, proxy)
    yield from of_rules(node, came, out)
    yield from hmacs.of_node(node, came, out)
    if any(name.startswith("H.") for name in out.behaviors):
        yield from frames.not_steered(node, came, out)
        yield from _of_policies(node, broken)
    if node.headend and {"H.Encaps", "H.Encaps.Red", "End.B6.Encaps"}.intersection(out.behaviors):
        yield from of_headend(plan, node, node.headend, broken)
    if came is not None:
        yield from in_vrfs.asked_of_each(_forwarding(place, came, out), vrfs)
    to = out.packet.outer.destination
    to_service = any(nic in (proxy.to, proxy.back) for proxy in node.proxies)
    by_main = after_main_lookup(out.behaviors) and not leading(node, came, out)
    if not out.point.netns and not to_service and by_main:
        yield route_missing(plan, out)
    if came is not None and isinstance(to, IPv4Address):
        yield suspect("rp-filter", place, nic=came.point.nic)
    about = everyday.packet_about(came, out)
    yield from (suspect(name, place, **about) for name in ("firewall", "diverted", "address-translated"))
    yield suspect("field-rewritten", place, **about, unknown="it")
    yield suspect("traffic-control", place, nic=nic)
    if came is None:
        yield from everyday.born(plan, out)
    for point in dict.fromkeys((out.point, *_far_ends(plan, out))):
        yield suspect("dad-not-over", point.place, nic=point.nic)
    yield from everyday.readdressed(plan, came, out)


def route_missing(plan: Plan, out: Hop) -> Suspect:
    """No route, or one by another NIC, or to another neighbor than the link's other end."""
    to, nic = out.packet.outer.destination, out.point.nic
    hops = everyday.neighbors(plan, out)
    via = "" if to in hops else next((f" via {one}" for one in hops if one.version == to.version), "")
    about = {"destination": to, "version": _version(to), "hops": " ".join(map(str, hops)), "via": via}
    return suspect("route-missing", out.point.place, nic=nic, **about)


def after_main_lookup(behaviors: Iterable[str]) -> bool:
    """Whether what acted left it to the main table where the packet goes."""
    return all(REGISTRY[name].looks_up == "main" for name in behaviors if name in REGISTRY)


def _of_sids(plan: Plan, node: PlannedNode, came: Hop, out: Hop) -> Iterator[Suspect]:
    """The SIDs that should have acted, one after the other, or one that shouldn't be here."""
    for to in _segments_here(node, came):
        yield from _of_sid(plan, node, to, came, out)


def _segments_here(node: PlannedNode, came: Hop) -> Iterator[Address]:
    """Where a packet goes, and the segments after that as long as they are the same node's."""
    outer = came.packet.outer
    yield outer.destination
    left = outer.srh.segment_list[: outer.srh.segments_left] if outer.srh else ()
    mine = {*node.addresses(), *(sid.sid for sid in node.local_sids)}
    yield from takewhile(mine.__contains__, reversed(left))


def _of_sid(plan: Plan, node: PlannedNode, to: Address, came: Hop, out: Hop) -> Iterator[Suspect]:
    owned = [sid for sid in node.local_sids if to in sid.prefix]
    proxied: dict[Address, PlannedProxy] = {proxy.sid: proxy for proxy in node.proxies}
    if owned:
        sid = max(owned, key=lambda one: one.prefix.prefixlen)
        if sid.vrf:
            yield from in_vrfs.of_sid(node, sid)
            yield from _of_table(node, sid, out)
            return
        about: dict[str, object] = {"sid": sid.sid, "prefix": sid.prefix}
        yield suspect("sid-not-installed", node.name, **about, behavior=sid.behavior.name)
        yield suspect("sid-differs", node.name, **about, bound=_bound(sid))
        yield from _of_table(node, sid, out)
    elif node.headend and to in node.headend.binding_sids:
        yield suspect("sid-not-installed", node.name, sid=to, prefix=to, behavior="End.B6.Encaps")
    elif to in proxied:
        yield suspect("proxy-sid-not-installed", node.name, sid=to, behavior=proxied[to].behavior.name)
        yield _of_proxy(node, proxied[to])
    elif to in node.addresses():
        yield from _disabled(came)
    elif _is_anothers(plan, to, node.name):
        yield suspect("sid-of-another-node", node.name, sid=to)


def _bound(sid: PlannedSid) -> str:
    """How `ip route` shows the SID's behavior: words that belong together, between semicolons."""
    words = [f"action {sid.behavior.name}", *(f"{name} {value}" for name, value in sid.parameters)]
    if sid.policy:
        words.append(f"segs {','.join(map(str, sid.policy))}")
    if sid.flavors:
        words.append(f"flavors {','.join(sid.flavors).lower()}")
    if NEXT_CSID in sid.flavors:
        words.append(f"lblen {NextCsid().block} nflen {NextCsid().node_function}")
    return "; ".join(words)


def _of_table(node: PlannedNode, sid: PlannedSid, out: Hop) -> Iterator[Suspect]:
    to = out.packet.outer.destination
    for name, table in sid.parameters:
        if name == "table":
            about = {"table": table, "sid": sid.sid, "destination": to, "version": _version(to)}
            about |= {"vrf": sid.vrf} if sid.vrf else {}
            yield suspect("table-route-missing", node.name, **about, nic=out.point.nic)


def _returning(node: PlannedNode, came: Hop) -> PlannedProxy | None:
    """The proxy that takes back what came in here."""
    return next((proxy for proxy in node.proxies if proxy.back == came.point.nic), None)


def _of_proxy(node: PlannedNode, proxy: PlannedProxy) -> Suspect:
    ports = (port for service in node.services for port in service.ports)
    mac = next((port.inside.mac for port in ports if port.outside.name == proxy.to), "")
    about = {"sid": proxy.sid, "behavior": proxy.behavior.name, "next_hop": proxy.next_hop, "mac": mac}
    tunnel = {"source": proxy.source or "", "segments": ",".join(map(str, proxy.policy))}
    return suspect("proxy-differs", node.name, **about, **tunnel, ports=f"{proxy.to} {proxy.back}")


def _of_return(node: PlannedNode, proxy: PlannedProxy) -> Iterator[Suspect]:
    about: dict[str, object] = {"sid": proxy.sid, "nic": proxy.back}
    yield _of_proxy(node, proxy)
    if not proxy.policy:
        yield suspect("proxy-cache-empty", node.name, **about)


def _of_policies(node: PlannedNode, broken: Divergence) -> Iterator[Suspect]:
    for about in _policy_about(node, broken):
        yield from in_vrfs.of_policy(node, about)
        for name in ("policy-missing", "policy-shadowed", "policy-differs"):
            yield suspect(name, node.name, **about)


def _policy_about(node: PlannedNode, broken: Divergence) -> Iterator[dict[str, object]]:
    """The lab's own policy for what was sent. One that only an exercise put there is taken back before anybody
    asks, so nothing is said of it."""
    _, to = broken.trace.hops[0].packet.ends
    nics = {nic.point: nic.vrf for nic in node.nics}
    vrf = next((nics[hop.point] for hop in broken.trace.hops if hop.point in nics), "")  # that it came in by
    fitting = [one for one in node.steering if to in one.prefix and one.vrf == vrf and not one.lists]
    fitting = [one for one in fitting if one.vrf or not one.table]
    if fitting:
        policy = max(fitting, key=lambda one: one.prefix.prefixlen)
        about = {"destination": to, "version": _version(to), "prefix": policy.prefix}
        about |= {"vrf": vrf} if vrf else {}
        yield {
            **about,
            "segments": " ".join(map(str, policy.segments)),
            "mode": policy.mode,
            "hmac": policy.hmac or "",
        }


def of_agent(node: str) -> Iterator[Suspect]:
    yield suspect("frozen", node, process="the agent of SR policies", pid="/var/lib/srv6lab/policies/pid")
    yield suspect("agent-not-running", node)


def of_segments(plan: Plan, told: str) -> Iterator[Suspect]:
    """Why a headend's probes don't come back over the segments that it names, where no packet of the exercise goes."""
    named = dict.fromkeys(re.findall(r"[0-9a-f:]+:[0-9a-f:]*", told))
    for node in plan.nodes:
        mine = [sid for sid in node.local_sids if str(sid.sid) in named]
        for sid in mine:
            about = {"sid": sid.sid, "prefix": sid.prefix, "behavior": sid.behavior.name}
            yield suspect("sid-not-installed", node.name, **about)
            yield suspect("sid-differs", node.name, **about, bound=_bound(sid))
        if mine:
            sysctl = "/proc/sys/net/ipv6/conf/all/forwarding"
            yield suspect("forwarding-off", node.name, family="IPv6", sysctl=sysctl)


def of_daemons(node: PlannedNode) -> Iterator[Suspect]:
    """Those of FRR that may be stopped, or gone."""
    for daemon in node.routing.route_daemons if node.routing else ():
        yield suspect("frozen", node.name, process=daemon, pid=f"/run/frr/{daemon}.pid")
        yield suspect("daemon-not-running", node.name, daemon=daemon)


def of_headend(
    plan: Plan, node: PlannedNode, headend: PlannedHeadend, broken: Divergence
) -> Iterator[Suspect]:
    """Why a headend took another path than the active one by the model: its agent, its routes, or what its probes
    met further on the way."""
    yield from of_agent(node.name)
    first = broken.trace.hops[0].packet.innermost
    for one in headend.steered:
        if first.destination in one.prefix:
            version = f"-{one.prefix.version}"
            for number in (number for number, _ in one.classes if number):
                about: dict[str, object] = {"version": version, "table": FIRST_TABLE + number}
                flows = "; ".join(_told(flow) for flow in headend.flows if flow.forwarding_class == number)
                yield suspect(
                    "flows-not-classified", node.name, **about, mark=FIRST_MARK + number, flows=flows
                )
                yield suspect("policy-route-differs", node.name, **about, prefix=one.prefix)
            yield suspect("policy-route-differs", node.name, version=version, table="main", prefix=one.prefix)
    sid = broken.before.packet.outer.destination if broken.before else None
    if sid in headend.binding_sids:
        yield suspect("policy-route-differs", node.name, version="-6", table="main", prefix=f"{sid}/128")
    at = broken.trace.hops.index(broken.region[-1])
    rest = broken.trace.hops[at + 1 :]
    for came, out in pairwise(rest):
        if out.direction is Direction.OUT and came.point.node == out.point.node:
            there = plan.node(out.point.node)
            yield suspect("nic-down", out.point.place, nic=came.point.nic)
            yield from everyday.down(plan, out)
            yield from _of_sids(plan, there, came, out)
            yield from _forwarding(out.point.place, came, out)
            if after_main_lookup(out.behaviors):
                yield route_missing(plan, out)
            packet = everyday.packet_about(came, out)
            yield suspect("firewall", out.point.place, **packet)
            yield suspect("firewall", out.point.place, **_of_probe(headend, packet))


def _told(flow: Flow) -> str:
    """What nft shows of a flow; not its DSCP, which it may call by a name."""
    words = {"saddr": flow.source, "daddr": flow.destination, f"{flow.protocol} dport": flow.port}
    given = (f"{word} {value}" for word, value in words.items() if value is not None)
    return ", ".join(re.sub(r"(?<=[.\d])/32$|/128$", "", one) for one in given)


def _of_probe(headend: PlannedHeadend, about: Mapping[str, str]) -> dict[str, str]:
    """A packet's way, gone by the headend's probe of its segment list."""
    headers = (word.split(">") for word in about["headers"].split())
    probes = (">".join((str(headend.address), *rest)) for _, *rest in headers if ":" in rest[0])
    return {**about, "headers": " ".join(probes)}


def _forwarding(place: Place, came: Hop, out: Hop) -> Iterator[Suspect]:
    versions = {came.packet.outer.destination.version, out.packet.outer.destination.version}
    for version in sorted(versions, reverse=True):
        sysctl = f"/proc/sys/net/ipv{version}/" + ("ip_forward" if version == 4 else "conf/all/forwarding")
        yield suspect("forwarding-off", place, family=f"IPv{version}", sysctl=sysctl)


def _on_the_wire(into: Hop) -> Iterator[Suspect]:
    """A packet that left one end of a link and wasn't seen at the other, which takes none that is too big for itself."""
    point, packet = into.point, into.packet
    yield suspect("nic-down", point.place, nic=point.nic)
    about = {"bytes": packet.ip_length, "version": packet.outer.destination.version}
    yield suspect("mtu", point.place, nic=point.nic, **about)
    yield suspect("tracer", point.node, what=f"the tracer at {point} began too late", late="it")


def _disabled(delivered: Hop) -> Iterator[Suspect]:
    outer = delivered.packet.outer
    if outer.srh is not None:
        node, nic = delivered.point.node, delivered.point.nic
        yield suspect("seg6-disabled", node, destination=outer.destination, nic=nic)


# --- a packet that is there, but another


def _changed(plan: Plan, broken: Divergence) -> Iterator[Suspect]:
    """A headend that pushed something else, a SID that did something else, or a node that wrote into a packet."""
    hop, packet = broken.region[-1], broken.seen[0]
    came = (broken.before, *broken.region)[-2]
    here = came if came is not None and came.point.node == hop.point.node else None
    machine, steered = plan.node(hop.point.node), any(name.startswith("H.") for name in hop.behaviors)
    begins = steered or any(
        "policy" in REGISTRY[name].parameters for name in hop.behaviors if name in REGISTRY
    )
    if steered:
        yield from frames.not_steered(machine, here, hop)
        yield from _other_policy(plan, machine, broken, packet)
        yield from hmacs.of_keys(machine, hop)
    if _segments(hop.packet) != _segments(packet):
        yield from everyday.turned_away(machine, here, hop)
        yield from everyday.taken_in(plan, here, hop)
    if here is not None:
        yield from _of_sids(plan, machine, here, hop)
    proxy = _returning(machine, here) if here else None
    if proxy:
        yield from _of_return(machine, proxy)
    if here is None:
        yield from everyday.unaddressed(plan, hop)
    yield from everyday.changed(machine, here, hop, packet, begins or here is None)


def _other_policy(
    plan: Plan, machine: PlannedNode, broken: Divergence, packet: PacketView
) -> Iterator[Suspect]:
    node, wanted, got = machine.name, _segments(broken.region[-1].packet), _segments(packet)
    if machine.headend and got != wanted:
        yield from of_headend(plan, machine, machine.headend, broken)
    yield from of_rules(machine, broken.before, broken.region[-1])
    for about in _policy_about(machine, broken):
        yield from in_vrfs.of_policy(machine, about)
        mode = next((_MODES[one] for one in broken.region[-1].behaviors if one in _MODES), "encap")
        path = _visited(broken.region[-1].packet)
        path = path[:-1] if mode == "inline" else path  # the last segment is the packet's own destination
        visited = " ".join(map(str, path)) or about["segments"]
        srh = broken.region[-1].packet.outer.srh
        now = {"segments": visited, "mode": mode, "hmac": (srh and srh.hmac) or ""}
        yield suspect("policy-shadowed", node, **{**about, **now})
        if got is None:
            yield suspect("policy-missing", node, **about)
        elif got != wanted and Counter(got) == Counter(wanted):
            yield suspect("segments-out-of-order", node, **about)
        else:
            for sid in got:
                owner = _owner(plan, sid)
                if owner and owner not in [_owner(plan, one) for one in wanted or ()]:
                    yield suspect("segment-of-another-node", node, **about, sid=sid, owner=owner)
            yield suspect("policy-differs", node, **about)


_MODES = {"H.Encaps.Red": "encap.red", "H.Insert": "inline"}


def _segments(packet: PacketView) -> tuple[Address, ...] | None:
    """In wire order, pushed or inserted; None for a packet that no headend has seen."""
    if srh := packet.outer.srh:
        return srh.segment_list
    return (packet.outer.destination,) if len(packet.headers) > 1 else None


def _visited(packet: PacketView) -> tuple[Address, ...]:
    """The segments of a packet that a headend has just sent, first visited first; none of one that isn't encapsulated."""
    listed, first = (_segments(packet) or ())[::-1], packet.outer.destination
    return (first, *listed) if listed and listed[0] != first else listed


def _version(address: Address) -> str:
    return f"-{address.version}"


def _is_anothers(plan: Plan, sid: Address, name: str) -> bool:
    """Whether a SID belongs to other nodes only."""
    owners = {node.name for node in plan.nodes if _has(node, sid)}
    return bool(owners) and name not in owners


def _has(node: PlannedNode, sid: Address) -> bool:
    return sid in {one.sid for one in node.local_sids} | {one.sid for one in node.proxies}


def _owner(plan: Plan, sid: Address) -> str | None:
    return next((node.name for node in plan.nodes if _has(node, sid)), None)


def _far_ends(plan: Plan, out: Hop) -> Iterator[Point]:
    for nic in (one for one in plan.nics() if one.point == out.point):
        yield from nic.peers
