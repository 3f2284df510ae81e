"""Over a link: what the NIC at its other end takes, and what is lost before it."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.evidence.packets import Direction, PacketView
from srv6lab.evidence.prediction import End, Hop
from srv6lab.plan.nodes import Nic
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.packet_view import size
from srv6lab.predict.walk import Ended, Next, Walk, lost
from srv6lab.srv6.packet import Packet, Tcp

VLAN = 4  # bytes of a tag, which a NIC takes beside its MTU whether there is one or not


def crossed(
    lab: ModeledLab, walk: Walk, nic: Nic, peer: Nic, packet: Packet, seen: PacketView, why: str
) -> Next:
    """What leaves by a NIC, at its other end. Only a circuit there takes frames for other MACs than its own."""
    reason = "; ".join((*walk.why, why))
    hops = (*walk.hops, Hop(nic.point, Direction.OUT, seen, walk.acted, reason, walk.quirks))
    if size(packet) > peer.mtu + VLAN:
        return (Ended(replace(walk, packet=packet, hops=hops), _not_taken(packet, peer)),)
    hops = (*hops, Hop(peer.point, Direction.IN, seen, quirks=walk.quirks))
    if nic.link and nic.link in lab.cut:
        reason = f"link {nic.link} lets nothing through"
        return (Ended(replace(walk, packet=packet, hops=hops), End(False, peer.point.place, reason)),)
    anyone = peer.circuit or lab.namespace(peer.point.place).unmodeled
    if seen.destination_mac != peer.mac and not anyone:
        reason = f"a frame for {seen.destination_mac} is none for {peer.point}"
        return (Ended(replace(walk, packet=packet, hops=hops), End(False, peer.point.place, reason)),)
    on = replace(
        walk, packet=packet, place=peer.point.place, came_in=peer.name, how=None, next_hop=None, hop_due=True,
        acted=(), why=(), hops=hops,
    )  # fmt: skip
    if not (loss := lab.losses.get(nic.link)):
        return (on,)
    gone = lost(replace(walk, share=walk.share * loss), f"netem loses it at {nic.point}")
    return gone if loss == 1 else (replace(on, share=walk.share * (1 - loss)), *gone)


def _not_taken(packet: Packet, peer: Nic) -> End:
    """A veth pair loses what its other end is too small for, and tells nobody. Of TCP it takes what is still to be cut
    into segments, and nobody knows which packets those are."""
    over = f"{size(packet)} bytes are more than {peer.point} takes, whose MTU is {peer.mtu} (and {VLAN} for a VLAN)"
    known = not isinstance(packet.headers[-1], Tcp)
    return End(False, peer.point.place, over if known else f"{over}: of TCP some come", known=known)
