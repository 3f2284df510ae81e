"""A run's folder as a check would leave it, with packets just as the model has them: no lab and no root.

The frames are built by hand (`captures/frames.py`), so that what tshark says of them has a second source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from srv6lab.evidence.observations import Observations, Tracer, write_observations
from srv6lab.evidence.packets import PacketView, Point
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.evidence.probes import Sent
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from tests.captures import formats, frames

TOKEN = "a5" * 16
BEGIN = 1_700_000_000_000_000  # microseconds
_PROTOCOLS = {"icmp": 1, "ipv4": 4, "icmpv6": 58}

Change = Callable[[Hop, int, bytes], bytes | None]


def untouched(_hop: Hop, _number: int, frame: bytes) -> bytes | None:
    return frame


def run(
    plan: Plan, name: str, folder: Path, change: Change = untouched, *, pings: int = 2, apart: int = 0
) -> Path:
    """Write the run of an exercise with one probe of pings; `change` may make another frame of a hop's, or None.
    Packets of one ping are `apart` by so many microseconds."""
    (prediction,) = predict(plan, name)
    traced: dict[Point, list[tuple[int, bytes]]] = {nic.point: [] for nic in plan.traced()}
    for number in range(1, pings + 1):
        for step, hop in enumerate(_walk(prediction)):
            found = change(hop, number, frame(hop.packet, number))
            if found is not None:
                traced[hop.point].append((BEGIN + number * 1000 + step * apart, found))
    captures = folder / "captures"
    captures.mkdir(parents=True)
    for nic in plan.traced():
        (captures / f"{nic.trace}.pcap").write_bytes(formats.pcap(traced[nic.point]))
    tracers = tuple(
        Tracer(nic.point, "live", len(traced[nic.point]), trace=nic.trace) for nic in plan.traced()
    )
    sent = Sent(prediction.probe, pings, pings, TOKEN)
    write_observations(folder, Observations(plan.name, name, "netns", (sent,), tracers))
    return folder


def _walk(prediction: Prediction) -> Iterator[Hop]:
    for trace in prediction.linux:
        yield from trace.hops


def frame(view: PacketView, sequence: int) -> bytes:
    """The bytes of a packet of the model: an echo in IPv4, with the tunnels around it."""
    assert view.icmp
    length = (view.innermost.length_field or 0) - 28
    body = (bytes.fromhex(TOKEN) * 8)[:length]
    data = frames.echo(body, view.icmp.type, sequence=sequence)
    for header in reversed(view.headers):
        ends = str(header.source), str(header.destination)
        following = _PROTOCOLS[header.protocol]
        if header.version == 4:
            data = frames.ipv4(*ends, following, data, header.hop_limit, (header.flags or 0) << 13)
        elif header.srh:
            listed = [str(sid) for sid in header.srh.segment_list]
            data = frames.srh(following, listed, header.srh.segments_left, data)
            data = frames.ipv6(*ends, 43, data, header.hop_limit)
        else:
            data = frames.ipv6(*ends, following, data, header.hop_limit)
    return frames.ether(data, source=view.source_mac, target=view.destination_mac)
