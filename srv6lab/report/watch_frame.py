"""What a screen says of a lab that is watched: lines of words with their styles, as wide and high as there is room. Values
in, values out; `watch_screen` draws them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from srv6lab.called import CALLED
from srv6lab.live.watch_state import DOWN, UNKNOWN, UP, Counted, Known, Outcome
from srv6lab.report.status import AS_DAY0, DIFFERS, alive_of
from srv6lab.report.table import width as columns
from srv6lab.report.watch import one_line

Part = tuple[str, str]  # words and their style
Line = tuple[Part, ...]

PLAIN, HEAD, GOOD, BAD, DOUBT, FAINT = "", "bold", "green", "bold red", "yellow", "dim"
STATUS = {"pass": GOOD, "fail": BAD, "inconclusive": DOUBT}
_BARS = " ▁▂▃▄▅▆▇█"
_KEPT = 40  # samples
_NUMBER = 6  # columns of a number
_NARROW, _LEAST_NAME = 72, 12
_NEWEST = 4  # exercises shown, the latest first


@dataclass(slots=True)
class History:
    """What NICs had counted at the last looks, with the times in seconds."""

    samples: deque[tuple[float, Mapping[str, Counted]]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    moved: dict[str, float] = field(default_factory=dict)

    def add(self, time: float, packets: Mapping[str, Counted]) -> None:
        if self.samples and self.samples[-1][1] is packets:
            return
        before = self.samples[-1][1] if self.samples else {}
        self.moved |= {point: time for point, one in packets.items() if before.get(point) not in (None, one)}
        self.samples.append((time, packets))

    def rate(self, point: str) -> tuple[float, float] | None:
        """Packets a second in and out since the last look but one; None where nothing is known of two."""
        rates = self._rates(point)
        return rates[-1] if rates else None

    def _rates(self, point: str) -> list[tuple[float, float]]:
        known = [(time, packets[point]) for time, packets in self.samples if point in packets]
        return [
            (
                max(0, now.received - was.received) / (then - before),
                max(0, now.sent - was.sent) / (then - before),
            )
            for (before, was), (then, now) in pairwise(known)
            if then > before
        ]

    def bars(self, point: str, width: int) -> str:
        """The last rates in both directions as a line of bars; nothing but blanks where nothing moved."""
        sums = [sum(one) for one in self._rates(point)][-width:]
        top = max(sums, default=0) or 1
        return "".join(_BARS[0 if not one else 1 + int(one / top * (len(_BARS) - 2))] for one in sums).rjust(
            width
        )


def frame(
    known: Known, history: History, width: int, height: int, node: str = "", note: str = ""
) -> list[Line]:
    """All lines of a screen; `note` says why things are told late."""
    top = [_title(known, width), *_health(known)]
    foot = _fitted((("q quits", FAINT), (f"   {note}" if note else "", FAINT)), width)
    room = max(0, height - len(top) - 1)
    right = _blocks(known, node)
    if known.lab.state != UP:
        body = [line for block in _blocks(known, node)[:1] for line in block]
    elif width < _NARROW:
        body = _packed(right, room)
        body += _nics(known, history, width, room - len(body), node)
    else:
        left_width = width * 11 // 20
        left = _nics(known, history, left_width, room, node)
        body = _beside(left, _packed(right, room), left_width)
    lines = [_fitted(line, width) for line in [*top, *body[:room]]]
    return [*lines[: height - 1], *([()] * (height - 1 - len(lines))), foot]


def _title(known: Known, width: int) -> Line:
    lab = known.lab
    words = {UP: ("up", GOOD), "starting": ("is being brought up", DOUBT), UNKNOWN: ("unknown", DOUBT)}
    state, style = words.get(lab.state, (f"isn't up: it is shown when {CALLED} up has brought it up", DOUBT))
    since = f" since {lab.since[:16].replace('T', ' ')}" if lab.since and lab.state == UP else ""
    name = lab.instance if lab.lab in ("", lab.instance) else f"{lab.instance} (lab {lab.lab})"
    parts: list[Part] = [
        (f"{name} ", HEAD),
        (f"on {lab.provider} " if lab.provider else "", PLAIN),
        (state + since, style),
    ]
    if lab.busy:
        parts.append(("  another command is at work", DOUBT))
    return _fitted(tuple(parts), width)


def _health(known: Known) -> list[Line]:
    if known.lab.state != UP:
        return [()]
    parts: list[Part] = []
    for kind, states in (("node", known.nodes), ("tracer", known.tracers)):
        alive = sum(one == UP for one in states.values())
        style = GOOD if alive == len(states) else BAD if DOWN in states.values() else DOUBT
        parts.append((f"{alive_of(kind, alive, len(states))}   ", style))
        parts += [
            (f"{name} {'DEAD' if one == DOWN else 'unknown'}  ", BAD)
            for name, one in states.items()
            if one != UP
        ]
    lines: list[Line] = [tuple(parts)]
    if known.lab.stale:
        lines.append((("its file is another one: ", DOUBT), (known.lab.stale, DOUBT)))
    return lines


# --- NICs


def _nics(known: Known, history: History, width: int, room: int, node: str) -> list[Line]:
    """A line a NIC; where there is no room for all, those that were quiet longest are left out."""
    points = [one for one in known.packets if _is_of(one, node)]
    if room < 2 or not points:
        return []
    if left_out := max(0, len(points) - (room - 1)):
        kept = {*sorted(points, key=lambda one: -history.moved.get(one, 0))[: room - 2]}
        left_out = len(points) - len(kept)
        points = [one for one in points if one in kept]
    bars = max(0, min(_KEPT - 1, width - 4 * _NUMBER - 24))
    name = max(_LEAST_NAME, width - 4 * _NUMBER - bars - 1)
    heads = "".join(head.rjust(_NUMBER) for head in ("in/s", "out/s", "in", "out"))
    lines: list[Line] = [((_cut("NIC", name) + heads, HEAD),)]
    for point in points:
        one, rate, down = known.packets[point], history.rate(point), known.nics.get(point) == DOWN
        rates = "".join((_short(each) if rate else "-").rjust(_NUMBER) for each in rate or (0, 0))
        totals = "".join(_short(each).rjust(_NUMBER) for each in (one.received, one.sent))
        shown = (f" {history.bars(point, bars - 1)}" if bars > 1 else "", GOOD)
        style = BAD if down else PLAIN
        moving = HEAD if rate and any(rate) else FAINT
        lines.append(
            ((_cut(f"{point} down" if down else point, name), style), (rates, moving), (totals, PLAIN), shown)
        )
    return [*lines, ((f"and {left_out} more that were quiet", FAINT),)] if left_out else lines


def _short(number: float) -> str:
    """In at most five columns."""
    if number < 10 and number % 1:
        return f"{number:.1f}"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= (1e4 if unit == "k" else size):
            return f"{number / size:.{0 if number >= 100 * size else 1}f}{unit}"
    return str(round(number))


# --- the rest, a block each: its first line is its head


def _blocks(known: Known, node: str) -> list[list[Line]]:
    """What matters most comes first."""
    found = [
        _checks(known.runs),
        _unknown(known),
        _routing(known, node),
        _day0(known, node),
        _policies(known, node),
    ]
    return [block for block in [*found, _sids(known, node)] if block]


def _checks(runs: Mapping[str, Outcome]) -> list[Line]:
    if not runs:
        return [(("no check yet", FAINT),)]
    lines: list[Line] = []
    latest = [*runs.items()][::-1]
    for name, one in latest[:_NEWEST]:
        told = f" {one.passed} of {one.judged}, {one.when[11:19]}"
        lines.append(
            ((f"{one.status.upper():5} ", STATUS.get(one.status, DOUBT)), (name, HEAD), (told, PLAIN))
        )
        if one.gist:
            lines.append(
                ((f"  {'cause: ' if one.proven else 'perhaps: ' if one.cause else ''}{one.gist}", PLAIN),)
            )
    if len(latest) > _NEWEST:
        lines.append(((f"and {len(latest) - _NEWEST} checks before", FAINT),))
    return lines


def _unknown(known: Known) -> list[Line]:
    return [((f"unknown: {what}: {why}", DOUBT),) for what, why in known.trouble.items()]


def _day0(known: Known, node: str) -> list[Line]:
    if not known.drift:
        return []
    lines = [
        line for place, some in known.drift.items() if _is_of(place, node) for line in sorted(some or ())
    ]
    if lines:
        return [((f"{DIFFERS}:", BAD),), *(((f"  {line}", PLAIN),) for line in lines)]
    return [] if None in known.drift.values() else [((AS_DAY0, GOOD),)]


def _routing(known: Known, node: str) -> list[Line]:
    if not known.lacks:
        return []
    lines = [
        line for place, some in known.lacks.items() if _is_of(place, node) for line in sorted(some or ())
    ]
    if lines:
        return [
            ((f"{len(lines)} missing of routing protocols:", BAD),),
            *(((f"  {line}", PLAIN),) for line in lines),
        ]
    return [] if None in known.lacks.values() else [(("routing protocols have converged", GOOD),)]


def _policies(known: Known, node: str) -> list[Line]:
    lines = []
    for (headend, name), one in known.policies.items():
        if _is_of(headend, node):
            style = GOOD if one.action == "steer" else DOUBT
            lines.append(
                (
                    (f"{headend} {name} ", PLAIN),
                    (one.candidate or one.action, style),
                    (f" {one.segments}", FAINT),
                )
            )
    return [(("SR policies", HEAD),), *lines] if lines else []


def _sids(known: Known, node: str) -> list[Line]:
    lines: list[Line] = []
    for (place, prefix), route in known.sids().items():
        if _is_of(place, node):
            count, source = known.served.get((place, prefix), (None, ""))
            told = "-" if count is None else f"{_short(count)}{'*' if source == 'captures' else ''}"
            lines.append(
                (
                    (f"{told:>6} ", HEAD if count else FAINT),
                    (f"{place} {prefix} ", PLAIN),
                    (route.behavior, FAINT),
                )
            )
    counted = any(source == "captures" for _, source in known.served.values())
    head = "packets a SID" + (", * since watch began" if counted else "")
    return [((head, HEAD),), *lines] if lines else []


# --- fitting


def _packed(blocks: Sequence[list[Line]], room: int) -> list[Line]:
    """The blocks in so many lines. Each gets its share, and what one leaves the later ones have; what doesn't fit is
    counted."""
    lines: list[Line] = []
    for index, block in enumerate(blocks):
        later = sum(min(len(one), 2) for one in blocks[index + 1 :])
        share = max(1, room - len(lines) - later)
        if len(block) > share:
            block = [*block[: share - 1], ((f"  and {len(block) - share + 1} more", FAINT),)]
        lines += block
    return lines[:room]


def _beside(left: Sequence[Line], right: Sequence[Line], width: int) -> list[Line]:
    found = []
    for index in range(max(len(left), len(right))):
        first = _fitted(left[index] if index < len(left) else (), width)
        gap = " " * (width + 1 - sum(columns(words) for words, _ in first))
        found.append((*first, (gap, PLAIN), *(right[index] if index < len(right) else ())))
    return found


def _fitted(line: Line, width: int) -> Line:
    """No wider than that, without what would steer a terminal; "…" where something was cut off."""
    return tuple(_cut_parts(line, width))


def _cut_parts(line: Line, width: int) -> Iterator[Part]:
    left = width
    for raw, style in line:
        words = raw if raw.isprintable() else one_line(raw)
        if columns(words) > left:
            yield _head(words, left - 1) + "…" if left > 0 else "", style
            return
        left -= columns(words)
        yield words, style


def _head(words: str, width: int) -> str:
    while columns(words) > width:
        words = (
            words[:-1] if columns(words) - width < 8 else words[: len(words) - (columns(words) - width) // 2]
        )
    return words


def _cut(text: str, width: int) -> str:
    """Exactly so wide."""
    text = one_line(text)
    text = text if columns(text) <= width - 1 else f"{_head(text, width - 2)}…"
    return text + " " * (width - columns(text))


def _is_of(place: str, node: str) -> bool:
    return not node or place.partition(":")[0].partition("/")[0] == node
