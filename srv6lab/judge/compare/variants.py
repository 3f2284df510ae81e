"""Packets by the RFC in one place and as Linux forms them in another: no lab has both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from srv6lab.evidence.fields import differing
from srv6lab.evidence.verdict import FieldDiffers, Item, Status
from srv6lab.evidence.wording import Described
from srv6lab.judge.compare.permitted import Permitted, Spot

Formed = list[tuple[Spot, Mapping[str, str], Described]]


def judge_variants(
    permitted: Mapping[Spot, Sequence[Permitted]], seen: Mapping[Spot, Sequence[Described]]
) -> Iterator[Item]:
    """Of a probe: what is one variant of the model alone, where other packets are the other alone."""
    by_rfc: Formed = []
    by_linux: Formed = []
    for spot, packets in seen.items():
        items = [one for one in permitted.get(spot, ()) if one.linux is None or one.linux != one.fields]
        for packet in packets if items else ():
            rfc = [one for one in permitted[spot] if one.by_rfc and not differing(one.fields, packet.fields)]
            linux = [one for one in permitted[spot] if one.linux and not differing(one.linux, packet.fields)]
            if rfc and not linux and rfc[0].linux:
                by_rfc.append((spot, rfc[0].linux, packet))
            elif linux and not rfc:
                by_linux.append((spot, linux[0].fields, packet))
    if not by_rfc or not by_linux:
        return
    fewer, words = (
        (by_rfc, ("the RFC", "Linux")) if len(by_rfc) <= len(by_linux) else (by_linux, ("Linux", "the RFC"))
    )
    told: set[tuple[Spot, str]] = set()
    for spot, other, packet in fewer:
        for name in differing(other, packet.fields):
            if (spot, name) not in told:
                told.add((spot, name))
                yield FieldDiffers(
                    status=Status.FAIL,
                    point=spot[0],
                    direction=spot[1],
                    field=name,
                    predicted=other[name],
                    captured=packet.fields[name],
                    alone="captured",
                    note=f"that is {words[0]}'s word, and other packets of the probe are by {words[1]} alone",
                )
