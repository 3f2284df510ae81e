"""What Day0 lays in a node, as values that can be kept: each thing with the line for a person and the command that takes
it away, and what of a node can't be changed while it lives.

Day0 itself stays in its templates: it lays all that is here, again and again. So whoever has what an earlier plan laid
takes away what isn't in the new one, and runs Day0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_network

from srv6lab.evidence.packets import Point
from srv6lab.plan.nodes import (
    Interface,
    Nic,
    Plan,
    PlannedNode,
    PlannedProxy,
    PlannedRoute,
    PlannedRule,
    PlannedService,
    PlannedSid,
    SteeredPrefix,
)
from srv6lab.plan.own import Own
from srv6lab.render.day0 import day0_path
from srv6lab.topology.scalars import Network

_CONFIGURATION = "\ncat >/etc/frr/frr.conf <<EOF\n"


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that Day0 lays: `key` says which, `line` what it is, and `take` is a command that takes it away, "" where
    the next Day0 does. `renewed` is one that Day0 doesn't lay over another of its key."""

    section: str
    key: str
    line: str
    take: str = ""
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class LaidNode:
    """`things` in the order in which they are taken away; `same` must be what it was, and of `stays` nothing may go: else
    the node has to be made anew. Each of those begins with a word for a person, and a colon."""

    things: tuple[Thing, ...]
    same: tuple[str, ...]
    stays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaidNic:
    """A traced NIC: it is the same wire as long as its MAC, its `peers` and the `place` that it is born in are; `trace` is
    only its capture's name."""

    mac: str
    peers: tuple[Point, ...]
    place: str
    trace: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A lab as it was built: its nodes by their names, and its NICs."""

    nodes: Mapping[str, LaidNode]
    nics: Mapping[str, LaidNic]


def laid(plan: Plan, scripts: Mapping[str, str]) -> Laid:
    """What the plan lays by its Day0, whose `scripts` are by their paths."""
    nodes = {node.name: laid_node(node, scripts[day0_path(node)]) for node in plan.nodes}
    return Laid(nodes, laid_nics(plan))


def laid_nics(plan: Plan) -> dict[str, LaidNic]:
    """By their points as text. One on a bridge is plugged into that, whoever else is."""
    wires = {service.netns: _wires(service) for node in plan.nodes for service in node.services}

    def place(nic: Nic) -> str:
        inside = nic.vrf or wires.get(nic.point.netns, "")
        return f"{inside} on {nic.link}".strip() if nic.bridged else inside

    return {
        str(nic.point): LaidNic(nic.mac, () if nic.bridged else nic.peers, place(nic), nic.trace)
        for nic in plan.traced()
    }


def laid_node(node: PlannedNode, script: str) -> LaidNode:
    things = {one.key: one for one in (*_things(node), *_of_frr(script))}  # of one key the last stands
    # FRR adds lines to what it runs, and takes none away.
    lines = (f"line of FRR: {one.line}" for one in things.values() if one.section == "FRR")
    return LaidNode(tuple(things.values()), tuple(_same(node)), (*_stays(node), *lines))


def _same(node: PlannedNode) -> Iterator[str]:
    yield f"role: {node.role}"
    if node.own.commands:
        yield f"commands: {node.own.commands!r}"
    if node.routing:
        yield f"FRR: {node.routing.source}"
    for vrf in node.every_vrf():
        nics = tuple(nic for nic in node.nics if nic.vrf == vrf.name or (node.routing and not nic.vrf))
        wired = tuple((nic.name, nic.mtu, *map(str, nic.addresses)) for nic in nics)
        inside = (node.local_sids, node.routes, node.steering)
        of = tuple(one for every in inside for one in every if one.vrf == vrf.name)
        sids = getattr(vrf, "sids", ())
        yield f"VRF {vrf.name}: {vrf.table} {wired!r} {of!r} {sids!r} {getattr(vrf, 'exits', ())!r}"
    if node.headend:
        yield "agent: there"
    if node.proxies:
        yield "SR proxy: there"  # it may load eBPF programs, which a node is born with


def _stays(node: PlannedNode) -> Iterator[str]:
    yield from (f"setting {one.name}: its own" for one in node.own.sysctls)
    yield from (f"file {one.path}: its own" for one in node.own.files)
    yield from (f"circuit {nic.name}: frames for any MAC" for nic in node.nics if nic.circuit)


def _things(node: PlannedNode) -> Iterator[Thing]:
    """Those that stand on others come before them."""
    yield from map(_proxy, node.proxies)
    for service in node.services:
        yield from _service(service)
    for own in node.routing.bgp.sids if node.routing and node.routing.bgp else ():
        if own.behavior == "End.DT4":
            yield _laid_route(ip_network(own.sid), None, None, own.behavior, "SID")
    for rule in node.rules:
        yield from _rule(rule)
    yield from _routes(node)
    yield from _kernel(node)
    yield from _own(node.own)
    for device in dict.fromkeys(one.nic for one in node.neighbors):
        yield Thing("", f"segments {device}", "", f"ip link set dev {device} gso_max_segs 65535")
    for neighbor in node.neighbors:
        at = f"{neighbor.address} dev {neighbor.nic}"
        yield Thing("neighbor", f"neighbor {at}", f"{at} lladdr {neighbor.mac}", f"ip neighbor del {at}")
    for nic in node.nics:
        if not nic.vrf:
            yield Thing("link", f"mtu {nic.name}", f"{nic.name}: mtu {nic.mtu}")
            yield from _addresses(nic.name, nic.addresses)
    yield from _addresses("lo", node.loopbacks)


def _proxy(proxy: PlannedProxy) -> Thing:
    words = f"{proxy.sid} {proxy.behavior.name} by {proxy.to} and {proxy.back} to {proxy.next_hop}"
    over = f" over {', '.join(map(str, proxy.policy))} from {proxy.source}" if proxy.policy else ""
    return Thing("proxy", f"proxy {proxy.sid}", words + over, f"srconf localsid del {proxy.sid}")


def _rule(rule: PlannedRule) -> Iterator[Thing]:
    words = [f"{rule.preference}:", f"from {rule.source or 'all'}", f"to {rule.to}" if rule.to else ""]
    words += [f"iif {rule.nic}" if rule.nic else "", f"fwmark {rule.mark}" if rule.mark else ""]
    line = " ".join(word for word in (*words, f"lookup {rule.table}") if word)
    for version in rule.versions:
        take = f"ip -{version} rule del preference {rule.preference}"
        yield Thing("rule", f"rule {version} {rule.preference}", line, take)


def _own(own: Own) -> Iterator[Thing]:
    """What Day0 does again, whatever of it is another."""
    for one in own.sysctls:
        yield Thing("sysctl", f"own {one.name}", f"{one.name} = {one.value}")
    for file in own.files:
        digest = sha256(file.content.encode()).hexdigest()[:12]
        line = f"{file.path} mode {file.mode} owner {file.owner} sha256 {digest}"
        yield Thing("file", f"file {file.path}", line)
    for number, command in enumerate(own.commands, 1):
        yield Thing("command", f"command {number}", command)


def _addresses(device: str, addresses: Sequence[Interface]) -> Iterator[Thing]:
    """Each with those before it: the first one is what a node sends from, so what stands behind another one is laid anew."""
    for place, address in enumerate(addresses):
        line = f"{device} {'inet6' if address.version == 6 else 'inet'} {address}"
        behind = " behind ".join(map(str, addresses[:place]))
        yield Thing("address", f"address {line} {behind}", line, f"ip address del {address} dev {device}")


def _routes(node: PlannedNode) -> Iterator[Thing]:
    """By what the kernel knows them by: prefix, table and metric. SIDs and policies are routes, too."""
    for (prefix, table), routes in node.day0_routes().items():
        yield _route(prefix, table, routes)
    for routes in node.spare_routes():
        if not routes[0].vrf and not routes[0].frr:
            yield _route(routes[0].prefix, routes[0].table, routes)
    for sid in node.local_sids:
        if not sid.vrf and not sid.by:
            yield _laid_route(sid.prefix, None, None, _words(sid), "SID")
    for policy in node.steering:
        if not policy.vrf:
            yield from _policy(policy)
    for frames in node.frames:
        yield _laid_route(ip_network(frames.segments[0]), frames.table, None, "throw")
        words = f"{frames.mode} {' '.join(map(str, frames.segments))}{_signed(frames.hmac)} dev {frames.nic}"
        for prefix in frames.prefixes:
            yield _laid_route(prefix, frames.table, None, words, "steering")
        where = f"iif {frames.by} lookup {frames.table}"
        for version in (4, 6):
            take = f"ip -{version} rule del preference {frames.preference} {where}"
            yield Thing("rule", f"rule {version} of {frames.by}", f"{frames.preference}: {where}", take)


def _words(sid: PlannedSid) -> str:
    words = [sid.behavior.name, *(f"{name} {value}" for name, value in sid.parameters)]
    words += [f"segments {' '.join(map(str, sid.policy))}"] if sid.policy else []
    words += [f"flavors {' '.join(sid.flavors)}"] if sid.flavors else []
    return " ".join(words)


def _policy(policy: SteeredPrefix) -> Iterator[Thing]:
    for first in policy.thrown:
        yield _laid_route(ip_network(first), policy.table, None, "throw")
    lists = [
        f"{' '.join(map(str, one.segments))} weight {one.weight} dev {one.nic}" for one in policy.lists
    ] or [f"{' '.join(map(str, policy.segments))} dev {policy.nic}"]
    words = f"{policy.mode} {'; '.join(lists)}{_signed(policy.hmac)}"
    yield _laid_route(policy.prefix, policy.table, policy.metric, words, "steering")


def _signed(hmac: int | None) -> str:
    return f" hmac {hmac}" if hmac else ""


def _route(prefix: Network, table: int | None, routes: Sequence[PlannedRoute]) -> Thing:
    ways = []
    for route in routes:
        way = f"via {route.via} dev {route.nic}" if route.via else f"dev {route.nic}" if route.nic else ""
        ways.append(f"{way} weight {route.weight}" if len(routes) > 1 else way or route.kind)
    return _laid_route(prefix, table, routes[0].metric, ", ".join(ways))


def _laid_route(
    prefix: Network, table: int | None, metric: int | None, words: str, section: str = "route"
) -> Thing:
    rank = metric or (1024 if prefix.version == 6 else 0)
    where = f"{prefix}{f' table {table}' if table else ''}{f' metric {rank}' if rank else ''}"
    shown = f"{prefix}{f' table {table}' if table else ''} {words}{f' metric {metric}' if metric else ''}"
    return Thing(section, f"route {where}", shown.strip(), f"ip -{prefix.version} route del {where}")


def _kernel(node: PlannedNode) -> Iterator[Thing]:
    """Settings that some nodes have and others have not."""
    if not node.forwards and node.takes_srh:
        nics = " ".join(("all", "default", "lo", *(nic.name for nic in node.nics)))
        files = f'for nic in {nics}; do echo 0 >"/proc/sys/net/ipv6/conf/$nic/seg6_enabled"; done'
        yield Thing("", "seg6_enabled", "", files)
    if node.parts_flows:
        files = "for family in ipv4 ipv6; do echo 0 >/proc/sys/net/$family/fib_multipath_hash_policy; done"
        yield Thing("sysctl", "parts flows", "fib_multipath_hash_policy 1", files)
    if node.forwards and node.hash_seed:
        file = "/proc/sys/net/ipv4/fib_multipath_hash_seed"
        yield Thing("", "hash seed", str(node.hash_seed), f"[[ ! -e {file} ]] || echo 0 >{file}")
    for key in node.hmac_keys:
        take = f"setsid --wait ip sr hmac set {key.number} {key.algorithm} <<<''"
        yield Thing("hmac key", f"hmac {key.number}", f"{key.number} {key.algorithm}", take)
    if node.hmac_check != "present":
        files = 'for file in /proc/sys/net/ipv6/conf/*/seg6_require_hmac; do echo 0 >"$file"; done'
        yield Thing("sysctl", "hmac check", f"seg6_require_hmac {node.hmac_check}", files)
    if node.tunnel_source:
        line = f"tunsrc {node.tunnel_source}"
        yield Thing("tunnel source", "tunnel source", line, "ip sr tunsrc set ::")


def _of_frr(script: str) -> Iterator[Thing]:
    """Lines of FRR's configuration, each behind the block that it is in: Day0 holds them against what FRR runs."""
    block = ""
    _, begun, text = script.partition(_CONFIGURATION)
    for line in text.partition("\nEOF\n")[0].splitlines() if begun else ():
        if not line.startswith(" "):
            block = line
        if line.strip() not in ("", "!", "exit", "exit-address-family", "exit-vrf"):
            told = f"{block}: {line.strip()}" if line.startswith(" ") else line
            yield Thing("FRR", f"frr {told}", told)


def _service(service: PlannedService) -> Iterator[Thing]:
    """Its sensor, then the namespace that it is in. Rules alone are the sensor's own to take."""
    folder = f"/var/lib/srv6lab/services/{service.name}"
    end = f'if [[ -s {folder}/pid ]]; then kill -KILL "$(<{folder}/pid)" || true; rm -f {folder}/pid; fi'
    frames = ", IPv4 frames only" if service.frames == "ipv4" else ""
    line = f"{service.name}: {service.engine} on {service.listen}{frames}"
    yield Thing("service", f"sensor {service.name}", line, end, renewed=True)
    for rule in filter(None, map(str.strip, service.rules.splitlines())):
        yield Thing("service", f"rules {service.name} {rule}", f"{service.name}: {rule}")
    if service.netns:
        links = [f"ip link del dev {port.outside.name}" for port in service.ports]
        take = "; ".join([*links, f"ip netns del {service.netns}"])
        yield Thing("service", f"wires {service.name}", _wires(service), take, renewed=True)


def _wires(service: PlannedService) -> str:
    nics = [nic for port in service.ports for nic in (port.outside, port.inside)]
    wired = ", ".join(f"{nic.name} {nic.address} mtu {nic.mtu}" for nic in nics)
    return f"{service.name}: {service.netns} {wired}".rstrip()
