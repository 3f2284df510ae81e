"""Whether a probe's flows part by the several ways of a route, as Linux hashes them: by their weights, not at all, or
as nobody can foresee.

A route parts what its hash tells apart: with `fib_multipath_hash_policy` 0 the two addresses, of IPv6 the flow label
too, with 1 also the ports behind the first IP header. What a headend pushes on is looked up once by each processor, for
all that it pushes by that route (`seg6_iptunnel.c`): its flows don't part by the underlay's ways.
"""

from __future__ import annotations

from enum import Enum

from srv6lab.srv6.packet import Ethernet, Ipv4, Ipv6, Packet, Udp

_PUSHED_BY_ROUTE = ("H.Encaps", "H.Encaps.Red", "H.Encaps.L2", "H.Encaps.L2.Red", "H.Insert")


class Parting(Enum):
    """By weight, all flows together, or any of them any way."""

    SHARED = "shared"
    TOGETHER = "together"
    OPEN = "open"


def parting(
    packet: Packet,
    policy: int,
    came_in: str | None,
    acted: tuple[str, ...],
    *,
    copied: bool = True,
    before: bool = False,
) -> Parting:
    """How the flows of a probe part that look like `packet`: `policy` is the node's hash policy for its family, `acted`
    what happened to it in the node so far; unless labels are `copied` into outer headers, theirs aren't known. They may
    have parted `before`, at another node."""
    if not isinstance(packet.headers[-1], Udp):
        return Parting.TOGETHER  # one flow
    headers = [one for one in packet.headers if isinstance(one, Ipv4 | Ipv6)]
    known = copied or len(headers) == 1
    known = known and not any(isinstance(one, Ethernet) for one in packet.headers)
    if not known or policy not in (0, 1) or (policy and len(headers) > 1):
        return Parting.OPEN  # a sender's own hash may still be with the packet, or not
    if policy and before:
        return (
            Parting.OPEN
        )  # it is the hash of the sender's socket, which is with the packet at all nodes of one kernel
    told_apart = bool(policy) or _labeled(headers, came_in, acted)
    if not told_apart:
        return Parting.TOGETHER
    return Parting.OPEN if acted and acted[-1] in _PUSHED_BY_ROUTE else Parting.SHARED


def _labeled(headers: list[Ipv4 | Ipv6], came_in: str | None, acted: tuple[str, ...]) -> bool:
    """Whether each flow has a flow label of its own, which an outer header takes from an inner one of IPv6: Linux gives
    it to what a node itself sends, after it has looked for a route (RFC 6437 section 3)."""
    own = came_in is None and not acted
    return not own and all(isinstance(one, Ipv6) for one in headers)
