"""Whether the times of a hand-in can be those of one afternoon. A clock that is set right makes one step, in all files at
once; a clock that steps back for packet after packet is somebody's pen.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from srv6lab.classroom.forged import FORGED, ODD, Suspicion
from srv6lab.classroom.handin import LOG, MANIFEST, HandIn
from srv6lab.evidence.packets import PacketView, Point
from srv6lab.evidence.prediction import Leg
from srv6lab.evidence.runs import Run
from srv6lab.judge.grade import Graded
from srv6lab.judge.matched import Match, matched
from srv6lab.plan.nodes import Plan

_BACK = 0.001  # seconds that a packet may come back in time from NIC to NIC, on one kernel
_IN_FILE = 0.05  # and in one file, which several processors write
_STEP = timedelta(seconds=30)  # clocks are set, and runs are judged while the next one goes on
_FAR = timedelta(days=1)
_WRITTEN_LATE = timedelta(hours=1)
_ONE_KERNEL = ("netns", "microvm")


def of_walks(plan: Plan, exercise: str, graded: Graded) -> Iterator[Suspicion]:
    """Packets that are somewhere before they were where they come from."""
    traces = {nic.point: f"{nic.trace}.pcap" for nic in plan.traced()}
    files = [_backwards(traces[point], capture.packets) for point, capture in graded.captures.items()]
    yield from _told(
        exercise, [one for one in files if one], "the clock of {} goes back at packet {} by {}", files=True
    )
    if not graded.observed.provider.startswith(_ONE_KERNEL) and not graded.observed.provider.endswith(
        "single-vm"
    ):
        return
    steps = [step for packet in _walks(graded) for step in _steps_back(packet, traces)]
    yield from _told(
        exercise, [steps] if steps else [], "{}, packet {}, was captured {} before it left the hop before"
    )


Back = tuple[str, int, float]  # a file, the number of a packet, seconds


def _told(
    exercise: str, found: Sequence[Sequence[Back]], words: str, *, files: bool = False
) -> Iterator[Suspicion]:
    """One step back is a clock that was set. Of `files` each shows that step."""
    if not found:
        return
    most = max(found, key=len)
    file, number, seconds = most[0]
    what = words.format(f"{file} of {exercise}", number, f"{seconds * 1000:.0f} ms")
    if len(most) > 1:
        yield Suspicion(FORGED, f"{what}; {len(most) - 1} more like it", exercise)
    elif files and seconds < _STEP.total_seconds():
        return
    else:
        yield Suspicion(ODD, f"{what}, as if the clock had been set", exercise)


def _backwards(file: str, packets: Sequence[PacketView]) -> list[Back]:
    return [
        (file, now.number, before.time - now.time)
        for before, now in itertools.pairwise(packets)
        if before.time - now.time > _IN_FILE
    ]


def _walks(graded: Graded) -> Iterator[list[Match]]:
    """The captures of each packet in the order of its walk, its answer's behind it."""
    for probe, found in graded.found.items():
        if probe not in graded.predicted or not found.counted or graded.predicted[probe].meanwhile:
            continue
        packets: dict[Hashable, list[Match]] = {}
        for one in matched(found, graded.predicted[probe]):
            if one.at and not one.error and (identity := _echo(one.packet)):
                packets.setdefault(identity, []).append(one)
        for those in packets.values():
            yield sorted(those, key=lambda one: (_leg(one), one.at.step if one.at else 0))


def _leg(one: Match) -> int:
    return 1 if one.at and one.at.trace.leg is Leg.BACK else 0


def _echo(view: PacketView) -> Hashable:
    """An echo request and its answer; a datagram of a flow."""
    if view.icmp:
        return view.icmp.identifier, view.icmp.sequence
    return frozenset({view.udp.source_port, view.udp.destination_port}) if view.udp else None


def _steps_back(packet: Sequence[Match], traces: dict[Point, str]) -> Iterator[Back]:
    for before, now in itertools.pairwise(packet):
        if before.packet.time - now.packet.time > _BACK:
            yield traces[now.point], now.packet.number, before.packet.time - now.packet.time


def of_run(
    exercise: str, graded: Graded, run: Run | None, now: datetime, since: datetime | None
) -> Iterator[Suspicion]:
    """When its packets were captured, held against when it is said to have been judged, and against the trainer's clock."""
    times = [hop.packet.time for found in graded.found.values() for hop in found.hops]
    if not times:
        return
    first, last = (datetime.fromtimestamp(one, UTC) for one in (min(times), max(times)))
    yield from _not_later(
        f"the packets of {exercise}", last, "now, by the clock of this machine", now, exercise
    )
    if since and first < since - _STEP:
        yield Suspicion(
            FORGED,
            f"the packets of {exercise} are of {_shown(first)}, before the class began ({_shown(since)})",
            exercise,
        )
    when = _read(run.when) if run else None
    if run is None or when is None:
        yield Suspicion(ODD, f"nothing that can be read says when {exercise} was run", exercise)
        return
    yield from _not_later(f"the packets of {exercise}", last, "when it was judged", when, exercise)
    began = when - timedelta(milliseconds=run.milliseconds) - _WRITTEN_LATE
    if first < began:
        sure = FORGED if began - first > _FAR else ODD
        yield Suspicion(
            sure,
            f"the packets of {exercise} are of {_shown(first)}, and it was judged at {_shown(when)}",
            exercise,
        )


def of_log(found: HandIn, runs: Sequence[Run], now: datetime) -> Iterator[Suspicion]:
    """What was written when, in its order."""
    written = _read(found.manifest.written)
    if written is None:
        yield Suspicion(ODD, f"{MANIFEST} doesn't say when it was written")
        return
    yield from _not_later("it was written", written, "now, by the clock of this machine", now)
    for run in runs:
        if when := _read(run.when):
            yield from _not_later(
                f"{run.exercise} was judged", when, "when it was handed in", written, run.exercise
            )
    before = None
    for number, event in enumerate(found.log, 1):
        when = _read(event.when)
        if when is None:
            yield Suspicion(ODD, f"{LOG}, line {number}, has no time that can be read")
            return
        yield from _not_later(f"{LOG}, line {number}: it happened", when, "when it was handed in", written)
        if before and before - when > _STEP:
            yield Suspicion(
                ODD, f"the clock of {LOG} goes back at line {number}, from {_shown(before)} to {_shown(when)}"
            )
            return
        before = when


def _not_later(
    what: str, when: datetime, other: str, then: datetime, exercise: str = ""
) -> Iterator[Suspicion]:
    if when - then > _STEP:
        sure = FORGED if when - then > _FAR else ODD
        yield Suspicion(sure, f"{what}: {_shown(when)}, later than {other} ({_shown(then)})", exercise)


def _read(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _shown(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
