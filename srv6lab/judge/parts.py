"""A probe's packets that aren't alike, each by itself: as if each were a probe of one packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.evidence.packets import PacketView
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found


def parts(found: Found, prediction: Prediction) -> Iterator[tuple[Found, Prediction]]:
    """The whole where all packets are alike; else of each packet what was found, and what is predicted."""
    for number, part in prediction.parts():
        if not number:
            yield found, prediction
            return
        hops = tuple(hop for hop in found.hops if _sequence(hop.packet) == number)
        errors = tuple(hop for hop in found.errors if _sequence(hop.packet.quoted) == number)
        sent = replace(found.sent, sent=min(1, found.sent.sent), received=min(1, found.sent.sent))
        yield replace(found, hops=hops, errors=errors, sent=sent), part


def _sequence(packet: PacketView | None) -> int | None:
    return packet.icmp.sequence if packet and packet.icmp else None
