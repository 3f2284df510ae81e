"""The behaviors that a local SID can have: one record each, in the order of RFC 8986 section 4.

The record feeds the loader (which parameters it takes), the templates (how Linux spells it), the model (what
it does to a packet) and the docs. Parameters keep the kernel's names, because they end up in its command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from .flavors import flavored

if TYPE_CHECKING:
    from .packet import Packet
    from .results import Cache, LocalSid, Result

# What a kernel needs: the word of `Behavior.needs`, and what to say of it.
NEEDS: dict[str, str] = {
    "seg6": "SRv6 tunnels (CONFIG_IPV6_SEG6_LWTUNNEL)",
    "tables": "more than one IPv6 table (CONFIG_IPV6_MULTIPLE_TABLES)",
    "vrf": "a VRF (CONFIG_NET_VRF), with net.vrf.strict_mode=1",
    "tc-bpf": "eBPF at tc's clsact (CONFIG_NET_CLS_ACT, CONFIG_NET_CLS_BPF), for srconf",
}


@dataclass(frozen=True, slots=True)
class Behavior:
    """One endpoint behavior.

    `code_point` is IANA's number in "SRv6 Endpoint Behaviors" (None for one that has none), `section` where its text
    stands, `kernel_since` the first Linux that has it as a seg6local action, None for one that it hasn't (in a lab,
    an SR proxy does that one). `model` is where the behavior itself stands in this room, `module:function`: what only
    reads records doesn't wait for it. `in_labs` is whether a lab can have it: whether Day0 can install it. `needs` is
    what a kernel has to have for it, in words of NEEDS. `service_takes` is the IP version of what an SR proxy hands
    to its service, None for frames and for all other behaviors.
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
    service_takes: int | None = None

    @property
    def act(self) -> Callable[[Packet, LocalSid], Result] | None:
        """The behavior itself, None for one that isn't modeled."""
        if not self.model:
            return None
        from .oam import watched

        module, _, function = self.model.partition(":")
        return watched(getattr(import_module(f".{module}", __package__), function))

    @property
    def give_back(self) -> Callable[[Packet, LocalSid, Cache | None], Result] | None:
        """What an SR proxy does with what its service gives back, None for all others. The cache is the last one
        of a `Forward` of this SID, None as long as there was none."""
        from .proxy import GIVES_BACK

        return GIVES_BACK.get(self.name)


_PROXY = "draft-ietf-spring-sr-service-programming"

_ALL = (
    Behavior(
        "End",
        1,
        "RFC 8986 4.1",
        "go on to the next segment",
        model="endpoint:end",
    ),
    Behavior(
        "End.X",
        5,
        "RFC 8986 4.2",
        "go on to the next segment over one adjacency",
        parameters=("nh6",),
        model="endpoint:end_x",
    ),
    Behavior(
        "End.T",
        9,
        "RFC 8986 4.3",
        "go on to the next segment by one IPv6 table",
        parameters=("table",),
        model="endpoint:end_t",
        needs=("seg6", "tables"),
    ),
    Behavior(
        "End.DX6",
        16,
        "RFC 8986 4.4",
        "decapsulate, hand IPv6 to one adjacency",
        parameters=("nh6",),
        model="decapsulation:end_dx6",
    ),
    Behavior(
        "End.DX4",
        17,
        "RFC 8986 4.5",
        "decapsulate, hand IPv4 to one adjacency",
        parameters=("nh4",),
        model="decapsulation:end_dx4",
    ),
    Behavior(
        "End.DT6",
        18,
        "RFC 8986 4.6",
        "decapsulate, look IPv6 up in one table",
        parameters=("table",),
        model="decapsulation:end_dt6",
        needs=("seg6", "tables"),
    ),
    Behavior(
        "End.DT4",
        19,
        "RFC 8986 4.7",
        "decapsulate, look IPv4 up in one table",
        parameters=("table",),
        kernel_since=(5, 11),
        model="decapsulation:end_dt4",
        in_labs=False,
        needs=("seg6", "vrf"),
    ),
    Behavior(
        "End.DT46",
        20,
        "RFC 8986 4.8",
        "decapsulate, look IP up in one table",
        parameters=("table",),
        kernel_since=(5, 14),
        model="decapsulation:end_dt46",
        in_labs=False,
        needs=("seg6", "vrf"),
    ),
    Behavior(
        "End.DX2",
        21,
        "RFC 8986 4.9",
        "decapsulate, hand the frame to one interface",
        parameters=("oif",),
        model="decapsulation:end_dx2",
        in_labs=False,
    ),
    Behavior(
        "End.DX2V",
        22,
        "RFC 8986 4.10",
        "decapsulate, hand the frame on by its VLANs",
        parameters=("table",),
        kernel_since=None,
        model="decapsulation:end_dx2v",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.DT2U",
        23,
        "RFC 8986 4.11",
        "decapsulate, hand the frame on by its destination address",
        parameters=("table",),
        kernel_since=None,
        model="decapsulation:end_dt2u",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.DT2M",
        24,
        "RFC 8986 4.12",
        "decapsulate, hand the frame on to all interfaces of one table",
        parameters=("table",),
        kernel_since=None,
        model="decapsulation:end_dt2m",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.B6.Encaps",
        14,
        "RFC 8986 4.13",
        "go on inside a policy",
        parameters=("policy",),
        model="binding:end_b6_encaps",
    ),
    Behavior(
        "End.B6.Encaps.Red",
        27,
        "RFC 8986 4.14",
        "go on inside a policy, with a reduced SRH",
        parameters=("policy",),
        kernel_since=None,
        model="binding:end_b6_encaps_red",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.BM",
        15,
        "RFC 8986 4.15",
        "go on inside a policy of SR-MPLS",
        kernel_since=None,
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.AS2",
        None,
        f"{_PROXY} 6.1.2.1",
        "hand inner frames to an SR-unaware service and put it into a policy again",
        parameters=("service", "policy"),
        kernel_since=None,
        model="proxy:end_as2",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.AS4",
        None,
        f"{_PROXY} 6.1.2.2",
        "hand inner IPv4 to an SR-unaware service and put it into a policy again",
        parameters=("service", "policy"),
        kernel_since=None,
        model="proxy:end_as4",
        in_labs=False,
        needs=(),
        service_takes=4,
    ),
    Behavior(
        "End.AS6",
        None,
        f"{_PROXY} 6.1.2.3",
        "hand inner IPv6 to an SR-unaware service and put it into a policy again",
        parameters=("service", "policy"),
        kernel_since=None,
        model="proxy:end_as6",
        in_labs=False,
        needs=(),
        service_takes=6,
    ),
    Behavior(
        "End.AD2",
        None,
        f"{_PROXY} 6.2",
        "hand inner frames to an SR-unaware service and give it its headers back",
        parameters=("service",),
        kernel_since=None,
        model="proxy:end_ad2",
        in_labs=False,
        needs=(),
    ),
    Behavior(
        "End.AD4",
        None,
        f"{_PROXY} 6.2",
        "hand inner IPv4 to an SR-unaware service and give it its headers back",
        parameters=("service",),
        kernel_since=None,
        model="proxy:end_ad4",
        needs=("seg6", "tc-bpf"),
        service_takes=4,
    ),
    Behavior(
        "End.AD6",
        None,
        f"{_PROXY} 6.2",
        "hand inner IPv6 to an SR-unaware service and give it its headers back",
        parameters=("service",),
        kernel_since=None,
        model="proxy:end_ad6",
        needs=("seg6", "tc-bpf"),
        service_takes=6,
    ),
    Behavior(
        "End.AM",
        None,
        f"{_PROXY} 6.4",
        "hand a service IPv6 as if its chain were at its end, and let it go on in its chain",
        parameters=("service",),
        kernel_since=None,
        model="proxy:end_am",
        needs=("seg6", "tc-bpf"),
        service_takes=6,
    ),
)

REGISTRY: dict[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
BEHAVIORS: dict[str, Behavior] = {name: behavior for name, behavior in REGISTRY.items() if behavior.in_labs}
PARAMETERS: tuple[str, ...] = tuple(sorted({name for one in BEHAVIORS.values() for name in one.parameters}))


def code_point(behavior: str, flavors: Iterable[str] = ()) -> int | None:
    """IANA's number of a behavior of the registry with its flavors ("PSP", "NEXT-CSID"), None if it has none."""
    chosen = frozenset(flavors)
    if not chosen:
        return REGISTRY[behavior].code_point
    return next((one.code_point for one in flavored(behavior) if chosen == frozenset(one.flavors)), None)
