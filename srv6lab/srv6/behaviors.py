"""The behaviors that a local SID can have: one record each, in the order of RFC 8986 section 4.

The record feeds the loader (which parameters it takes), the templates (how Linux spells it), the model (what
it does to a packet), the diagnosis and the docs: what sets a behavior apart stands here and nowhere else. Parameters
keep the kernel's names, because they end up in its command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

# What a kernel needs: the word of `Behavior.needs`, and what to say of it.
NEEDS: dict[str, str] = {
    "seg6": "SRv6 tunnels (CONFIG_IPV6_SEG6_LWTUNNEL)",
    "tables": "more than one IPv6 table (CONFIG_IPV6_MULTIPLE_TABLES)",
    "vrf": "a VRF (CONFIG_NET_VRF), with net.vrf.strict_mode=1",
    "tc-bpf": "eBPF at tc's clsact (CONFIG_NET_CLS_ACT, CONFIG_NET_CLS_BPF), for srconf",
}
# What takes its place in a lab on a kernel that hasn't got it.
INSTEAD: dict[str, str] = {"vrf": " (in a lab in namespaces, a network namespace instead)"}
Kind = Literal["IPv4", "IPv6", "Ethernet"]


@dataclass(frozen=True)
class Behavior:
    """One endpoint behavior.

    `code_point` is IANA's number in "SRv6 Endpoint Behaviors" (None for one that has none), `section` where its text
    stands, `kernel_since` the first Linux that has it as a seg6local action, None for one that it hasn't. `model` is
    the module of this room where the behavior itself stands, called as it is (`end_dx4`) unless `module:function` says
    otherwise; `acting` finds it. `in_labs` is whether a lab can have it: whether Day0 can install it. `needs` is what
    a kernel has to have for it, in words of NEEDS.

    `served_by` is what does it on a node of ours, None for what nothing does. `takes` is what it takes out of its
    packet, nothing for one that leaves the packet whole. `looks_up` is how what it sends on finds its way, None for
    out of one interface or out of IP. `goes_on` is whether the packet itself goes on along the segment list then, not
    out of SRv6 and not through a service; `ends_policy` whether it can be the last segment. `why_not` is why no lab can have it.
    """

    name: str
    code_point: int | None
    section: str
    summary: str
    parameters: tuple[str, ...] = ()
    kernel_since: tuple[int, int] | None = (4, 14)
    model: str = field(default="", repr=False)
    in_labs: bool = True
    needs: tuple[str, ...] = ("seg6",)
    served_by: Literal["kernel", "proxy"] | None = "kernel"
    takes: tuple[Kind, ...] = ()
    looks_up: Literal["main", "table", "adjacency"] | None = "main"
    goes_on: bool = True
    ends_policy: bool = True
    why_not: str = ""

    @property
    def service_takes(self) -> int | None:
        """The IP version of what an SR proxy hands to its service, None for frames and for all other behaviors. One
        that takes nothing out of its packet hands on the packet."""
        if "service" not in self.parameters or "Ethernet" in self.takes:
            return None
        return 4 if "IPv4" in self.takes else 6


# What several have in common; `_BY_NOBODY` is of those that nothing on a node of ours does.
_BY_NOBODY: dict[str, Any] = {"kernel_since": None, "in_labs": False, "needs": (), "served_by": None}
_decapsulates = partial(Behavior, model="decapsulation", goes_on=False)
_hands_on = partial(_decapsulates, looks_up="adjacency")
_looks_up = partial(_decapsulates, parameters=("table",), looks_up="table")
_bridges = partial(
    _looks_up,
    takes=("Ethernet",),
    why_not="Linux has no seg6local action that hands a frame to a bridge or to a VLAN",
    **_BY_NOBODY,
)
_bound = partial(Behavior, model="binding", parameters=("policy",), ends_policy=False)
_proxies = partial(
    Behavior, model="proxy", kernel_since=None, served_by="proxy", goes_on=False, ends_policy=False
)
_static = partial(_proxies, parameters=("service", "policy"), needs=("seg6", "tc-bpf"), ends_policy=True)
_dynamic = partial(_proxies, parameters=("service",), needs=("seg6", "tc-bpf"))
_PROXY = "draft-ietf-spring-sr-service-programming"

_ALL = (
    Behavior("End", 1, "RFC 8986 4.1", "go on to the next segment", model="endpoint"),
    Behavior(
        "End.X",
        5,
        "RFC 8986 4.2",
        "go on to the next segment over one adjacency",
        model="endpoint",
        parameters=("nh6",),
        looks_up="adjacency",
    ),
    Behavior(
        "End.T",
        9,
        "RFC 8986 4.3",
        "go on to the next segment by one IPv6 table",
        model="endpoint",
        parameters=("table",),
        needs=("seg6", "tables"),
        looks_up="table",
    ),
    _hands_on(
        "End.DX6",
        16,
        "RFC 8986 4.4",
        "decapsulate, hand IPv6 to one adjacency",
        parameters=("nh6",),
        takes=("IPv6",),
    ),
    _hands_on(
        "End.DX4",
        17,
        "RFC 8986 4.5",
        "decapsulate, hand IPv4 to one adjacency",
        parameters=("nh4",),
        takes=("IPv4",),
    ),
    _looks_up(
        "End.DT6",
        18,
        "RFC 8986 4.6",
        "decapsulate, look IPv6 up in one table",
        needs=("seg6", "tables"),
        takes=("IPv6",),
    ),
    _looks_up(
        "End.DT4",
        19,
        "RFC 8986 4.7",
        "decapsulate, look IPv4 up in one table",
        kernel_since=(5, 11),
        needs=("seg6", "vrf"),
        takes=("IPv4",),
    ),
    _looks_up(
        "End.DT46",
        20,
        "RFC 8986 4.8",
        "decapsulate, look IP up in one table",
        kernel_since=(5, 14),
        needs=("seg6", "vrf"),
        takes=("IPv4", "IPv6"),
    ),
    _decapsulates(
        "End.DX2",
        21,
        "RFC 8986 4.9",
        "decapsulate, hand the frame to one interface",
        parameters=("oif",),
        takes=("Ethernet",),
        looks_up=None,
    ),
    _bridges("End.DX2V", 22, "RFC 8986 4.10", "decapsulate, hand the frame on by its VLANs"),
    _bridges("End.DT2U", 23, "RFC 8986 4.11", "decapsulate, hand the frame on by its destination address"),
    _bridges(
        "End.DT2M", 24, "RFC 8986 4.12", "decapsulate, hand the frame on to all interfaces of one table"
    ),
    _bound("End.B6.Encaps", 14, "RFC 8986 4.13", "go on inside a policy"),
    _bound(
        "End.B6.Encaps.Red",
        27,
        "RFC 8986 4.14",
        "go on inside a policy, with a reduced SRH",
        why_not="Linux has End.B6.Encaps, with a full SRH only",
        **_BY_NOBODY,
    ),
    Behavior(
        "End.BM",
        15,
        "RFC 8986 4.15",
        "go on inside a policy of SR-MPLS",
        looks_up=None,
        goes_on=False,
        ends_policy=False,
        why_not="Linux has no seg6local action that pushes MPLS labels",
        **_BY_NOBODY,
    ),
    _static(
        "End.AS2",
        None,
        f"{_PROXY} 6.1.2.1",
        "hand inner frames to an SR-unaware service and put it into a policy again",
        takes=("Ethernet",),
        why_not="srconf hands packets to services, and no frames",
        **_BY_NOBODY,
    ),
    _static(
        "End.AS4",
        None,
        f"{_PROXY} 6.1.2.2",
        "hand inner IPv4 to an SR-unaware service and put it into a policy again",
        takes=("IPv4",),
    ),
    _static(
        "End.AS6",
        None,
        f"{_PROXY} 6.1.2.3",
        "hand inner IPv6 to an SR-unaware service and put it into a policy again",
        takes=("IPv6",),
    ),
    _dynamic(
        "End.AD2",
        None,
        f"{_PROXY} 6.2",
        "hand inner frames to an SR-unaware service and give it its headers back",
        takes=("Ethernet",),
        why_not="srconf hands packets to services, and no frames",
        **_BY_NOBODY,
    ),
    _dynamic(
        "End.AD4",
        None,
        f"{_PROXY} 6.2",
        "hand inner IPv4 to an SR-unaware service and give it its headers back",
        takes=("IPv4",),
    ),
    _dynamic(
        "End.AD6",
        None,
        f"{_PROXY} 6.2",
        "hand inner IPv6 to an SR-unaware service and give it its headers back",
        takes=("IPv6",),
    ),
    _dynamic(
        "End.AM",
        None,
        f"{_PROXY} 6.4",
        "hand a service IPv6 as if its chain were at its end, and let it go on in its chain",
    ),
)

REGISTRY: dict[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
BEHAVIORS: dict[str, Behavior] = {name: behavior for name, behavior in REGISTRY.items() if behavior.in_labs}
