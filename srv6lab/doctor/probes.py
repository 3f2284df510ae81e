"""What is tried out in a throwaway node: one probe a thing that the kernel has or hasn't.

A probe is commands, and the kernel's own answer to them is the finding. Nothing is concluded from a
version: that only chooses the words for how to mend it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from srv6lab.srv6.behaviors import NEEDS, REGISTRY, Behavior
from srv6lab.srv6.flavors import NEXT_CSID, Flavored, flavored

Version = tuple[int, int]
_NIC = "probe0"
_SEG6 = NEEDS["seg6"]
_NETFILTER = "nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_IPV6, CONFIG_NFT_COMPAT)"


@dataclass(frozen=True, slots=True)
class Probe:
    """`since` is the first Linux that has it, `config` what a kernel has that has it; the last
    command's output has to hold `shows`."""

    name: str
    purpose: str
    commands: tuple[tuple[str, ...], ...]
    since: Version | None = None
    config: str = _SEG6
    shows: str = ""


SETUP = (
    tuple(f"ip link add {_NIC} address 02:00:00:00:00:01 type veth peer name probe1".split()),
    ("sh", "-c", 'for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 >"$file"; done'),
    tuple(f"ip link set dev {_NIC} up".split()),
    ("ip", "link", "set", "dev", "probe1", "up"),
    tuple(f"ip address add 2001:db8::1/64 dev {_NIC}".split()),
    tuple(f"ip address add 192.0.2.1/24 dev {_NIC}".split()),
)
_MODES: dict[str, tuple[Version, str]] = {
    "encap": ((4, 10), "H.Encaps (RFC 8986 5.1)"),
    "encap.red": ((6, 0), "H.Encaps.Red (RFC 8986 5.2)"),
    "l2encap": ((4, 14), "H.Encaps.L2 (RFC 8986 5.3)"),
    "l2encap.red": ((6, 0), "H.Encaps.L2.Red (RFC 8986 5.4)"),
    "inline": ((4, 10), "an SRH inserted into the packet itself (no behavior of RFC 8986)"),
}
# How iproute2 spells a parameter of the registry, with a value.
_WORDS = {
    "nh4": "nh4 192.0.2.2",
    "nh6": "nh6 2001:db8::2",
    "oif": f"oif {_NIC}",
    "policy": "srh segs 2001:db8::a",
    "table": "table 100",
}
VRF = "VRF"
VRF_NETNS = "VRF in a namespace"
PROXY = "SR proxy"
HMAC = "SRv6 HMAC"
SOURCE = "tunnel source"
_VRF_DEVICE = "vrf100"
_VRF_COMMANDS = (
    f"ip link add {_VRF_DEVICE} type vrf table 100",
    f"ip link set dev {_VRF_DEVICE} up",
    "sh -c 'echo 1 >/proc/sys/net/vrf/strict_mode'",
)


def probes() -> tuple[Probe, ...]:
    """All of them, in the order in which they are shown."""
    return (*_headends(), _vrf(), _vrf_in_a_namespace(), *_actions(), *_flavors(), *_others())


def mode(name: str) -> str:
    """The name of a headend's finding."""
    return f"seg6 {name}"


def bound(behavior: str, flavors: Iterable[str]) -> str:
    """The name of the finding of a behavior with flavors, in whatever order they are said."""
    said = sorted(flavors, key=lambda flavor: (flavor != NEXT_CSID, flavor))
    return f"{behavior} with {', '.join(said)}" if said else behavior


def _headends() -> Iterator[Probe]:
    for number, (name, (since, purpose)) in enumerate(_MODES.items(), 1):
        target = f"203.0.113.{number}" if name.startswith("l2") else f"2001:db8:1::{number}"
        route = f"ip route add {target} encap seg6 mode {name} segs 2001:db8::a dev {_NIC}"
        yield Probe(mode(name), purpose, (tuple(route.split()),), since)


def _vrf() -> Probe:
    commands = tuple(tuple(shlex.split(command)) for command in _VRF_COMMANDS)
    return Probe(VRF, "the tables of End.DT4 and End.DT46", commands, (4, 3), "a VRF (CONFIG_NET_VRF)")


def _vrf_in_a_namespace() -> Probe:
    """What Day0 does where the kernel has no VRFs."""
    bound = "ip -n probe -6 route add 2001:db8:6::4 encap seg6local action End.DX4 nh4 0.0.0.0 dev lo"
    source = "ip -n probe sr tunsrc set 2001:db8::1"
    more = "add rule ip6 probe-vrf hops ip6 hoplimit set ip6 hoplimit map { 1 : 2, 2 : 3 }"
    hook = "add chain ip6 probe-vrf hops { type filter hook prerouting priority -300 ; }"
    commands = ("ip netns add probe", "ip -n probe link set dev lo up", bound, source)
    ruleset = tuple(("nft", *line.split()) for line in ("add table ip6 probe-vrf", hook, more))
    words = "what stands in for a VRF, where the kernel has none"
    config = f"{_SEG6}, and {_NETFILTER}"
    return Probe(VRF_NETNS, words, (*(tuple(one.split()) for one in commands), *ruleset), (4, 14), config)


def _actions() -> Iterator[Probe]:
    for number, one in enumerate(REGISTRY.values(), 1):
        if one.kernel_since:
            command = _route(f"2001:db8:2::{number:x}", one)
            yield Probe(one.name, one.summary, (command,), one.kernel_since, _config(one))


def _flavors() -> Iterator[Probe]:
    """Linux takes a flavor that it doesn't know of some actions without a word, so the route is looked at."""
    for number, (one, with_flavors) in enumerate(_in_linux(), 1):
        target, names = f"2001:db8:3::{number:x}", [name.lower() for name in with_flavors.flavors]
        lengths = " lblen 32 nflen 16" if NEXT_CSID in with_flavors.flavors else ""
        add = _route(target, one, f"flavors {','.join(names)}{lengths}")
        show = tuple(f"ip -6 route show {target}".split())
        yield Probe(
            bound(one.name, with_flavors.flavors),
            "RFC 9800" if lengths else "RFC 8986 4.16",
            (add, show),
            with_flavors.kernel_since,
            shows=names[0],
        )


def _in_linux() -> Iterator[tuple[Behavior, Flavored]]:
    return ((one, f) for one in REGISTRY.values() for f in flavored(one.name) if f.kernel_since)


def _route(target: str, one: Behavior, flavors: str = "") -> tuple[str, ...]:
    words = [_WORDS[name] for name in one.parameters if name in _WORDS]
    if "vrf" in one.needs:  # Linux takes a VRF's table there, and no other
        words = ["vrftable 100"]
    action = " ".join([one.name, *words, flavors])
    return tuple(f"ip -6 route add {target} encap seg6local action {action} dev {_NIC}".split())


def _config(one: Behavior) -> str:
    return " and ".join(NEEDS[need] for need in one.needs)


def _others() -> Iterator[Probe]:
    proxy = f"localsid add 2001:db8:4::1 end.ad4 ip 192.0.2.2 {_NIC} probe1"
    yield Probe(
        PROXY,
        "End.AD4 by srconf on eBPF",
        (("/usr/local/lib/srconf/srconf", *proxy.split()),),
        (5, 10),
        NEEDS["tc-bpf"],
    )
    key = ("sh", "-c", "echo probe | setsid --wait ip sr hmac set 1 sha256")
    show = ("ip", "sr", "hmac", "show")
    yield Probe(HMAC, "signed SRHs (RFC 8754 2.1.2)", (key, show), (4, 10), "CONFIG_IPV6_SEG6_HMAC", "hmac 1")
    told = ("ip", "sr", "tunsrc", "set", "2001:db8::1")
    yield Probe(SOURCE, "the address that a headend encapsulates from", (told,), (4, 10))
    inner = "add rule ip6 probe forward meta l4proto 4 @th,72,8 1 @th,96,24 0x0a0000 counter drop"
    chain = "add chain ip6 probe forward { type filter hook forward priority 0 ; }"
    yield Probe(
        "netem",
        "loss and delay of links",
        (tuple(f"tc qdisc add dev {_NIC} root netem delay 1ms".split()),),
        (2, 6),
        "netem (CONFIG_NET_SCH_NETEM)",
    )
    ruleset = tuple(("nft", *command.split()) for command in ("add table ip6 probe", chain, inner))
    yield Probe("nftables rule", "firewalls that look behind an SRH", ruleset, (3, 18), _NETFILTER)
    for tool, source, family in (("iptables", "192.0.2.0/24", 4), ("ip6tables", "2001:db8:5::/64", 6)):
        rule = (tool, "-w", "-A", "FORWARD", "--source", source, "-j", "DROP")
        yield Probe(f"{tool} rule", f"firewalls on plain IPv{family}", (rule,), (2, 6), _NETFILTER)
