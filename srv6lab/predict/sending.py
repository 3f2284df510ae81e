"""The first packet of a probe, as the sender forms it in a lab as that is: it may have learned or lost ways."""

from __future__ import annotations

from srv6lab.evidence.packets import Place
from srv6lab.predict.forwarding import walks
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.probe_packets import first_of, request
from srv6lab.predict.source import source
from srv6lab.srv6.packet import Packet
from srv6lab.topology.exercises import Probe


def sent(lab: ModeledLab, probe: Probe) -> Packet:
    """A sender takes the address of the NIC by which the packet leaves (RFC 6724 section 5, rule 5). By static routes the
    plan knows which that is."""
    packet, node = request(lab.plan, probe), lab.plan.node(probe.source)
    if probe.source_address is not None or not (node.routing or lab.down):
        return packet
    ended = walks(lab, packet, Place(probe.source))
    points = {one.walk.hops[0].point for one in ended if one.walk.hops}
    to = first_of(lab.plan, probe)
    addresses = {one for nic in node.nics if nic.point in points and (one := source(node, nic, to))}
    if len(addresses) != 1:
        return packet
    return request(lab.plan, probe.model_copy(update={"source_address": addresses.pop()}))
